import type { Desks } from '../../activities/dispatch.ts';
import type { CpuActivities, PlanActivities } from '../../activities/index.ts';
import { DESK, RELEASED, REQUESTED } from '../../workflows/contract.ts';
import type { Sandbox } from './sandbox.ts';
import { createSandbox } from './sandbox.ts';

/** Several workflows in sandboxes on one virtual clock, with signals between them: a Temporal of a few lines. */
export interface Cluster {
  readonly sandboxes: ReadonlyMap<string, Sandbox>;
  /** The desks as activities reach them: signal-with-start. */
  readonly desks: Desks;
  now(): number;
  start(workflow: string, workflowId: string, args: readonly unknown[]): Promise<Sandbox>;
  get(workflowId: string): Sandbox;
  /** Runs until no workflow has anything left to do at this instant. */
  settle(): Promise<void>;
  advanceTo(atMs: number): Promise<void>;
}

export function createCluster(
  startMs: number,
  activities: () => Partial<PlanActivities & CpuActivities>,
): Cluster {
  const sandboxes = new Map<string, Sandbox>();
  let nowMs = startMs;
  const open = (workflowId: string): Sandbox | undefined => {
    const sandbox = sandboxes.get(workflowId);
    return sandbox?.ending().status === 'running' ? sandbox : undefined;
  };
  const start: Cluster['start'] = async (workflow, workflowId, args) => {
    const sandbox = await createSandbox({
      workflow,
      args,
      activities: activities(),
      startMs: nowMs,
      workflowId,
      signalExternal(target, signal, given) {
        const to = open(target);
        to?.postSignal(signal, ...given);
        return to !== undefined;
      },
    });
    sandboxes.set(workflowId, sandbox);
    return sandbox;
  };
  /** Desks whose first run takes longer to begin than the incident that asked waits by itself. */
  let starting = 0;
  const signalDesk = async (
    tenant: string,
    district: string,
    name: string,
    message: unknown,
  ): Promise<void> => {
    const workflowId = `desk/${tenant}/${district}`;
    const started = sandboxes.get(workflowId);
    if (started === undefined) starting += 1;
    const sandbox = started ?? (await start(DESK, workflowId, [{ tenant, district }]));
    if (started === undefined) starting -= 1;
    sandbox.postSignal(name, message);
  };
  const settle = async (): Promise<void> => {
    do {
      for (const sandbox of [...sandboxes.values()]) await sandbox.settle();
    } while (
      starting > 0 ||
      [...sandboxes.values()].some((one) => one.ending().status === 'running' && one.hasWork())
    );
  };
  return {
    sandboxes,
    desks: {
      request: (order) => signalDesk(order.tenant, order.district, REQUESTED, { order }),
      release: ({ tenant, district, ...release }) => signalDesk(tenant, district, RELEASED, release),
    },
    now: () => nowMs,
    start,
    get(workflowId) {
      const sandbox = sandboxes.get(workflowId);
      if (sandbox === undefined) throw new Error(`no workflow ${workflowId}`);
      return sandbox;
    },
    settle,
    async advanceTo(atMs) {
      await settle();
      for (;;) {
        const due = [...sandboxes.values()]
          .filter((one) => one.ending().status === 'running')
          .map((one) => one.nextDueMs() ?? Infinity);
        nowMs = Math.max(nowMs, Math.min(atMs, ...due));
        for (const sandbox of [...sandboxes.values()]) await sandbox.advanceTo(nowMs);
        await settle();
        if (nowMs >= atMs) return;
      }
    },
  };
}
