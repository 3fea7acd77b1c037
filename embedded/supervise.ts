import { setTimeout as sleep } from 'node:timers/promises';
import type { Exit } from './guard.mjs';

/** Something with a process of its own: a ServerHandle or a RoleHandle. */
export interface Supervised {
  pid: number;
  exited: Promise<Exit>;
  stop(): Promise<void>;
  kill(): void;
}

export interface Service<Handle extends Supervised> {
  name: string;
  /**
   * Starts it and resolves when it serves. After a crash it gets the handle that died, so that it can come back
   * on the same port. `signal` aborts when everything is being stopped; hand it on to `startTemporal`,
   * `startStore` or `startRole`.
   */
  start(previous: Handle | undefined, signal: AbortSignal): Promise<Handle>;
}

export interface RestartPolicy {
  /** Pause before the first restart; it doubles with each quick failure. @default 200 */
  firstPauseMs?: number;
  /** Longest pause. @default 5,000 */
  longestPauseMs?: number;
  /** A service that ran for less than this has failed quickly. @default 10,000 */
  quickMs?: number;
  /** So many quick failures in a row are given up on. @default 3 */
  giveUpAfter?: number;
}

export interface SupervisorOptions {
  restart?: RestartPolicy;
  /** Told of every start, end and restart. */
  onEvent?: (event: SupervisorEvent) => void;
  /** Everything must have stopped within this; then it is killed. @default 8,000 */
  stopWithinMs?: number;
}

export type SupervisorEvent =
  | { event: 'started'; name: string; pid: number }
  | { event: 'ended'; name: string; pid: number; exit: Exit }
  | { event: 'restarting'; name: string; pauseMs: number }
  | { event: 'start-failed'; name: string; error: Error }
  | { event: 'stopped'; name: string };

/** A service that keeps failing. Everything else has been stopped in order. */
export class ServiceGaveUp extends Error {
  override name = 'ServiceGaveUp';
}

export interface Supervisor {
  /** Starts a service and keeps it running. Rejects when the first start fails. */
  run<Handle extends Supervised>(service: Service<Handle>): Promise<Handle>;
  /** The process that runs under that name now; undefined while it is being restarted. */
  current(name: string): Supervised | undefined;
  /** Resolves when a service was given up on, after the others were stopped. */
  gaveUp: Promise<ServiceGaveUp>;
  /** Stops everything, the last started first. Leaves nothing behind. */
  stop(): Promise<void>;
}

/**
 * Keeps a set of processes running: one that ends is started again after a pause; one that keeps failing ends
 * the whole, in order, with an error that names it.
 */
export function createSupervisor(options: SupervisorOptions = {}): Supervisor {
  const {
    firstPauseMs = 200,
    longestPauseMs = 5_000,
    quickMs = 10_000,
    giveUpAfter = 3,
  } = options.restart ?? {};
  const { onEvent = () => {}, stopWithinMs = 8_000 } = options;
  const running = new Map<string, Supervised | undefined>();
  const watches = new Map<string, Promise<void>>();
  const launches = new Set<Promise<unknown>>();
  const stopping = new AbortController();
  let stopped: Promise<void> | undefined;
  let announceGivingUp: (error: ServiceGaveUp) => void;
  const gaveUp = new Promise<ServiceGaveUp>((resolve) => (announceGivingUp = resolve));

  async function launch<Handle extends Supervised>(
    service: Service<Handle>,
    previous?: Handle,
  ): Promise<Handle> {
    const starting = service.start(previous, stopping.signal);
    const settled = starting.then(
      () => {},
      () => {},
    );
    launches.add(settled);
    try {
      const handle = await starting;
      running.set(service.name, handle);
      onEvent({ event: 'started', name: service.name, pid: handle.pid });
      return handle;
    } finally {
      launches.delete(settled);
    }
  }

  async function watch<Handle extends Supervised>(service: Service<Handle>, first: Handle): Promise<void> {
    const { name } = service;
    let last = first;
    let alive: Handle | undefined = first;
    let quickFailures = 0;
    while (!stopping.signal.aborted) {
      let reason: string;
      if (alive) {
        const since = performance.now();
        const exit = await alive.exited;
        running.set(name, undefined);
        if (stopping.signal.aborted) return;
        onEvent({ event: 'ended', name, pid: alive.pid, exit });
        quickFailures = performance.now() - since < quickMs ? quickFailures + 1 : 1;
        reason = exit.signal ? `ended by ${exit.signal}` : `ended with exit code ${exit.code}`;
        alive = undefined;
      } else {
        try {
          alive = last = await launch(service, last);
          continue;
        } catch (cause) {
          const error = cause instanceof Error ? cause : new Error(String(cause));
          if (stopping.signal.aborted) return;
          onEvent({ event: 'start-failed', name, error });
          quickFailures += 1;
          reason = error.message;
        }
      }
      if (quickFailures >= giveUpAfter) {
        const error = new ServiceGaveUp(
          `${name} failed ${quickFailures} times in a row; everything was stopped. The last time: ${reason}`,
        );
        watches.delete(name);
        void stop().then(() => announceGivingUp(error));
        return;
      }
      const pauseMs = Math.min(firstPauseMs * 2 ** (quickFailures - 1), longestPauseMs);
      onEvent({ event: 'restarting', name, pauseMs });
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  async function stopAll(): Promise<void> {
    stopping.abort();
    const overdue = setTimeout(() => {
      for (const handle of running.values()) handle?.kill();
    }, stopWithinMs);
    try {
      // What is being started now gives up, or is up in a moment: nothing may appear after we have looked.
      await Promise.all(launches);
      // The last started needs the earlier ones in order to finish its work.
      for (const [name, handle] of [...running].reverse()) {
        if (!handle) continue;
        await handle.stop();
        onEvent({ event: 'stopped', name });
      }
      await Promise.all(watches.values());
    } finally {
      clearTimeout(overdue);
    }
  }

  function stop(): Promise<void> {
    stopped ??= stopAll();
    return stopped;
  }

  return {
    async run(service) {
      if (stopping.signal.aborted)
        throw new Error(`${service.name} cannot start: everything is being stopped`);
      // A name keeps its place in the order of starting, which is the order of stopping backwards.
      running.set(service.name, undefined);
      const handle = await launch(service);
      watches.set(service.name, watch(service, handle));
      return handle;
    },
    current: (name) => running.get(name),
    gaveUp,
    stop,
  };
}
