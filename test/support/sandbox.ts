import { ApplicationFailure, defaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import { ensureApplicationFailure } from '@temporalio/common';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import type { coresdk, temporal } from '@temporalio/proto';
// Internal to the SDK, and only here: the pinned version is what makes this safe.
import { parseWorkflowCode } from '@temporalio/worker/lib/worker.js';
import type { Workflow } from '@temporalio/worker/lib/workflow/interface.js';
import { ReusableVMWorkflowCreator } from '@temporalio/worker/lib/workflow/reusable-vm.js';
import type { WorkflowCreateOptions } from '@temporalio/workflow/lib/interfaces.js';
import { workflowBundle } from '../../bin/workflow-bundle.ts';

type Job = coresdk.workflow_activation.IWorkflowActivationJob;
type Command = coresdk.workflow_commands.IWorkflowCommand;
type Payload = temporal.api.common.v1.IPayload;
type Failure = temporal.api.failure.v1.IFailure;

/** An activity as the sandbox calls it: one input, an answer now or later. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- stands for activities of every input type
export type SandboxActivity = (input: any) => unknown;

export interface SandboxOptions {
  /** Name of an exported workflow. */
  readonly workflow: string;
  readonly args: readonly unknown[];
  /** By name; asking for one that is missing fails the workflow task, as on a worker. */
  readonly activities: object;
  /** Virtual time at the start. @default 2026-01-01T00:00:00Z */
  readonly startMs?: number;
  /** @default the workflow's name */
  readonly workflowId?: string;
  /** Child workflows by type. A rejection fails the child. */
  readonly children?: Readonly<Record<string, SandboxActivity>>;
  /** Takes signals to other workflows; false when there is no such workflow. @default nobody is there */
  readonly signalExternal?: (workflowId: string, signal: string, args: readonly unknown[]) => boolean;
}

export interface ActivityCall {
  readonly name: string;
  readonly input: unknown;
  readonly atMs: number;
  readonly attempt: number;
}

/** How far an update got; the object changes as it goes on. */
export interface UpdateState {
  status: 'pending' | 'accepted' | 'rejected' | 'completed' | 'failed';
  result?: unknown;
  failure?: Error;
}

export type Ending =
  | { readonly status: 'running' }
  | { readonly status: 'completed'; readonly value: unknown }
  | { readonly status: 'failed'; readonly failure: Error };

interface Attempt {
  readonly seq: number;
  readonly name: string;
  readonly input: readonly unknown[];
  readonly firstMs: number;
  readonly retry: temporal.api.common.v1.IRetryPolicy;
  readonly closesMs: number;
  readonly attempt: number;
  readonly run: number;
}

const DEFAULT_START_MS = Date.UTC(2026, 0, 1);
/** Turns of the event loop without any news after which everything that can answer has answered. */
const IDLE_TURNS = 4;

const registeredActivityNames = new Set<string>();
let creator: Promise<ReusableVMWorkflowCreator> | undefined;

/** One VM for all sandboxes of a process, as on a worker: that is what the leak test looks at. */
const sharedCreator = (): Promise<ReusableVMWorkflowCreator> =>
  (creator ??= (async () => {
    const { code } = await workflowBundle();
    return ReusableVMWorkflowCreator.create(parseWorkflowCode(code), 10_000, registeredActivityNames);
  })());

const payloads = (values: readonly unknown[]): Payload[] =>
  values.map((value) => defaultPayloadConverter.toPayload(value));
const valueOf = (payload: Payload | null | undefined): unknown =>
  payload === null || payload === undefined ? undefined : defaultPayloadConverter.fromPayload(payload);
const valuesOf = (all: readonly Payload[] | null | undefined): unknown[] => (all ?? []).map(valueOf);
const errorOf = (failure: Failure | null | undefined): Error =>
  defaultFailureConverter.failureToError(failure ?? {}, defaultPayloadConverter);
const failureOf = (error: unknown): Failure =>
  defaultFailureConverter.errorToFailure(ensureApplicationFailure(error), defaultPayloadConverter);

/**
 * Runs one workflow in the real sandbox of the SDK, on virtual time and without a server: timers fire when `advance`
 * passes them, activities are plain functions, updates are validated, continue-as-new goes on in a fresh run under
 * the same id.
 *
 * @example
 * const sandbox = await createSandbox({ workflow: 'respond', args: [input], activities });
 * await sandbox.signal('evidence', { evidence });
 * await sandbox.advance(120_000);
 */
export async function createSandbox(options: SandboxOptions): Promise<Sandbox> {
  const sandbox = new Sandbox(options, await sharedCreator());
  await sandbox.begin();
  return sandbox;
}

export class Sandbox {
  readonly workflowId: string;
  /** Arguments of every run, the first one first. */
  readonly runs: (readonly unknown[])[] = [];
  readonly activityCalls: ActivityCall[] = [];
  /** Kinds of all commands, in order. */
  readonly commands: string[] = [];
  readonly searchAttributes: Record<string, unknown> = {};
  /** What the next activations tell the workflow about its history. */
  historyLength = 3;
  continueAsNewSuggested = false;

  readonly #options: SandboxOptions;
  readonly #creator: ReusableVMWorkflowCreator;
  readonly #activities: Map<string, SandboxActivity>;
  #nowMs: number;
  #vm: Workflow | undefined;
  #runId = '';
  #queue: Job[] = [];
  readonly #timers = new Map<number, number>();
  #retries: { readonly atMs: number; readonly attempt: Attempt }[] = [];
  readonly #updates = new Map<string, UpdateState>();
  #updateCount = 0;
  #answer: { value?: unknown; failure?: Error } | undefined;
  #ending: Ending = { status: 'running' };

  constructor(options: SandboxOptions, vmCreator: ReusableVMWorkflowCreator) {
    this.#options = options;
    this.#creator = vmCreator;
    this.#nowMs = options.startMs ?? DEFAULT_START_MS;
    this.workflowId = options.workflowId ?? options.workflow;
    this.#activities = new Map(Object.entries(options.activities) as [string, SandboxActivity][]);
    for (const name of this.#activities.keys()) registeredActivityNames.add(name);
  }

  now(): number {
    return this.#nowMs;
  }

  ending(): Ending {
    return this.#ending;
  }

  /** The workflow's result. @throws its failure, or when it is still running */
  result(): unknown {
    if (this.#ending.status === 'completed') return this.#ending.value;
    if (this.#ending.status === 'failed') throw this.#ending.failure;
    throw new Error(`${this.workflowId} is still running`);
  }

  async begin(): Promise<void> {
    await this.#startRun(this.#options.args);
    await this.settle();
  }

  async signal(name: string, ...args: readonly unknown[]): Promise<void> {
    this.postSignal(name, ...args);
    await this.settle();
  }

  /** Queues a signal without running the workflow: everything posted before the next step arrives together. */
  postSignal(name: string, ...args: readonly unknown[]): void {
    this.#mustBeOpen();
    this.#queue.push({ signalWorkflow: { signalName: name, input: payloads(args), headers: {} } });
  }

  async update(name: string, ...args: readonly unknown[]): Promise<UpdateState> {
    const state = this.postUpdate(name, ...args);
    await this.settle();
    return state;
  }

  postUpdate(name: string, ...args: readonly unknown[]): UpdateState {
    this.#mustBeOpen();
    const id = `update-${(this.#updateCount += 1)}`;
    const state: UpdateState = { status: 'pending' };
    this.#updates.set(id, state);
    const doUpdate = { id, protocolInstanceId: id, name, input: payloads(args), runValidator: true };
    this.#queue.push({ doUpdate: { ...doUpdate, headers: {}, meta: { updateId: id, identity: 'test' } } });
    return state;
  }

  /** Sends an update and answers what it completed with. @throws its refusal or failure */
  async execute(name: string, ...args: readonly unknown[]): Promise<unknown> {
    const state = await this.update(name, ...args);
    if (state.failure !== undefined) throw state.failure;
    if (state.status !== 'completed') throw new Error(`update "${name}" is ${state.status}`);
    return state.result;
  }

  async query(name: string, ...args: readonly unknown[]): Promise<unknown> {
    await this.settle();
    this.#answer = undefined;
    const queryWorkflow = { queryId: 'query', queryType: name, arguments: payloads(args), headers: {} };
    await this.#activate([{ queryWorkflow }]);
    const answer = this.#answer as { value?: unknown; failure?: Error } | undefined;
    if (answer === undefined) throw new Error(`query "${name}" was not answered`);
    if (answer.failure !== undefined) throw answer.failure;
    return answer.value;
  }

  /** When virtual time next makes something happen by itself; null when nothing is due. */
  nextDueMs(): number | null {
    const due = [...this.#timers.values(), ...this.#retries.map((retry) => retry.atMs)];
    return due.length === 0 ? null : Math.min(...due);
  }

  advance(ms: number): Promise<void> {
    return this.advanceTo(this.#nowMs + ms);
  }

  /** Fires what is due on the way, each at its own time. */
  async advanceTo(atMs: number): Promise<void> {
    if (atMs < this.#nowMs) throw new RangeError(`time runs forward only: ${atMs} is before ${this.#nowMs}`);
    await this.settle();
    for (;;) {
      const next = this.#ending.status === 'running' ? this.nextDueMs() : null;
      if (next === null || next > atMs) break;
      this.#nowMs = Math.max(this.#nowMs, next);
      for (const [seq, dueMs] of [...this.#timers]) {
        if (dueMs > this.#nowMs) continue;
        this.#timers.delete(seq);
        this.#queue.push({ fireTimer: { seq } });
      }
      const due = this.#retries.filter((retry) => retry.atMs <= this.#nowMs);
      this.#retries = this.#retries.filter((retry) => !due.includes(retry));
      for (const { attempt } of due) this.#attempt(attempt);
      await this.settle();
    }
    this.#nowMs = atMs;
  }

  hasWork(): boolean {
    return this.#queue.length > 0;
  }

  /** Runs until the workflow waits for time or for messages, and no activity that can answer has not answered. */
  async settle(): Promise<void> {
    let idle = 0;
    while (idle < IDLE_TURNS) {
      if (this.#queue.length > 0 && this.#ending.status === 'running') {
        idle = 0;
        await this.#activate(this.#queue.splice(0));
      } else {
        idle += 1;
        await new Promise(setImmediate);
      }
    }
  }

  async dispose(): Promise<void> {
    await this.#vm?.dispose();
    this.#vm = undefined;
  }

  #mustBeOpen(): void {
    if (this.#ending.status !== 'running') throw new Error(`${this.workflowId} is closed`);
  }

  async #startRun(args: readonly unknown[]): Promise<void> {
    await this.#vm?.dispose();
    this.runs.push(args);
    this.#runId = `${this.workflowId}/run-${this.runs.length}`;
    this.#timers.clear();
    this.#retries = [];
    const { workflow } = this.#options;
    const info = {
      workflowId: this.workflowId,
      runId: this.#runId,
      workflowType: workflow,
      firstExecutionRunId: `${this.workflowId}/run-1`,
      originalExecutionRunId: this.#runId,
      namespace: 'sandbox',
      taskQueue: 'sandbox',
      attempt: 1,
      startTime: new Date(this.#nowMs),
      runStartTime: new Date(this.#nowMs),
      taskTimeoutMs: 10_000,
      searchAttributes: {},
      historyLength: this.historyLength,
      historySize: 0,
      continueAsNewSuggested: false,
      unsafe: { isReplaying: false, isReplayingHistoryEvents: false },
    } as unknown as WorkflowCreateOptions['info'];
    this.#vm = await this.#creator.createWorkflow({
      info,
      randomnessSeed: [1, 2, 3, 4, 5, 6, 7, 8],
      now: this.#nowMs,
      showStackTraceSources: false,
    } as unknown as WorkflowCreateOptions);
    // What came while the run changed stays queued, behind the start.
    this.#queue.unshift({
      initializeWorkflow: {
        workflowId: this.workflowId,
        workflowType: workflow,
        arguments: payloads(args),
        headers: {},
        attempt: 1,
        firstExecutionRunId: `${this.workflowId}/run-1`,
      },
    });
  }

  async #activate(jobs: Job[]): Promise<void> {
    const vm = this.#vm;
    if (vm === undefined) throw new Error(`${this.workflowId} was disposed of`);
    const activation = proto.coresdk.workflow_activation.WorkflowActivation.fromObject({
      runId: this.#runId,
      timestamp: msToTs(this.#nowMs),
      isReplaying: false,
      historyLength: this.historyLength,
      continueAsNewSuggested: this.continueAsNewSuggested,
      jobs,
    });
    const completion = await vm.activate(activation);
    await vm.getAndResetSinkCalls();
    if (completion.failed) throw errorOf(completion.failed.failure);
    for (const command of completion.successful?.commands ?? []) await this.#obey(command);
  }

  async #obey(command: Command): Promise<void> {
    const kind = Object.keys(command).find(
      (key) => key !== 'userMetadata' && (command[key as keyof Command] ?? null) !== null,
    );
    this.commands.push(kind ?? 'none');
    if (command.startTimer) {
      const { seq, startToFireTimeout } = command.startTimer;
      this.#timers.set(seq!, this.#nowMs + tsToMs(startToFireTimeout));
    } else if (command.cancelTimer) {
      this.#timers.delete(command.cancelTimer.seq!);
    } else if (command.scheduleActivity ?? command.scheduleLocalActivity) {
      this.#schedule((command.scheduleActivity ?? command.scheduleLocalActivity)!);
    } else if (command.signalExternalWorkflowExecution) {
      this.#signalOther(command.signalExternalWorkflowExecution);
    } else if (command.startChildWorkflowExecution) {
      this.#startChild(command.startChildWorkflowExecution);
    } else if (command.upsertWorkflowSearchAttributes) {
      const fields = command.upsertWorkflowSearchAttributes.searchAttributes?.indexedFields ?? {};
      for (const [name, payload] of Object.entries(fields)) this.searchAttributes[name] = valueOf(payload);
    } else if (command.updateResponse) {
      this.#respondToUpdate(command.updateResponse);
    } else if (command.respondToQuery) {
      const { succeeded, failed } = command.respondToQuery;
      this.#answer = failed ? { failure: errorOf(failed) } : { value: valueOf(succeeded?.response) };
    } else if (command.completeWorkflowExecution) {
      this.#ending = { status: 'completed', value: valueOf(command.completeWorkflowExecution.result) };
    } else if (command.failWorkflowExecution) {
      this.#ending = { status: 'failed', failure: errorOf(command.failWorkflowExecution.failure) };
    } else if (command.continueAsNewWorkflowExecution) {
      this.historyLength = 3;
      this.continueAsNewSuggested = false;
      await this.#startRun(valuesOf(command.continueAsNewWorkflowExecution.arguments));
    } else {
      throw new Error(`the sandbox does not know the command ${kind}`);
    }
  }

  #schedule(
    command: coresdk.workflow_commands.IScheduleActivity & coresdk.workflow_commands.IScheduleLocalActivity,
  ): void {
    const withinMs = command.scheduleToCloseTimeout ? tsToMs(command.scheduleToCloseTimeout) : 0;
    this.#attempt({
      seq: command.seq!,
      name: command.activityType!,
      input: valuesOf(command.arguments),
      firstMs: this.#nowMs,
      retry: command.retryPolicy ?? {},
      closesMs: withinMs > 0 ? this.#nowMs + withinMs : Infinity,
      attempt: 1,
      run: this.runs.length,
    });
  }

  #attempt(one: Attempt): void {
    const activity = this.#activities.get(one.name);
    this.activityCalls.push({
      name: one.name,
      input: one.input[0],
      atMs: this.#nowMs,
      attempt: one.attempt,
    });
    const work = async (): Promise<unknown> => {
      if (activity === undefined) throw ApplicationFailure.nonRetryable(`no activity ${one.name}`);
      return activity(...(one.input as [unknown]));
    };
    void work().then(
      (value) => {
        const result = { completed: { result: defaultPayloadConverter.toPayload(value) } };
        this.#resolve(one, result);
      },
      (error: unknown) => this.#failAttempt(one, error),
    );
  }

  #resolve(one: Attempt, result: coresdk.activity_result.IActivityResolution): void {
    // An activity of a run that was continued as new answers to nobody.
    if (one.run !== this.runs.length || this.#ending.status !== 'running') return;
    this.#queue.push({ resolveActivity: { seq: one.seq, result } });
  }

  #failAttempt(one: Attempt, error: unknown): void {
    const cause = ensureApplicationFailure(error);
    const { maximumAttempts, initialInterval, backoffCoefficient, maximumInterval } = one.retry;
    const firstMs = initialInterval ? tsToMs(initialInterval) : 1_000;
    const mostMs = maximumInterval ? tsToMs(maximumInterval) : firstMs * 100;
    const backoffMs = Math.min(mostMs, firstMs * (backoffCoefficient || 2) ** (one.attempt - 1));
    const atMs = this.#nowMs + backoffMs;
    const isLast = maximumAttempts ? one.attempt >= maximumAttempts : false;
    if (cause.nonRetryable !== true && !isLast && atMs < one.closesMs) {
      this.#retries.push({ atMs, attempt: { ...one, attempt: one.attempt + 1 } });
      return;
    }
    const failure: Failure = {
      message: 'Activity task failed',
      cause: failureOf(cause),
      activityFailureInfo: { activityType: { name: one.name }, activityId: String(one.seq) },
    };
    this.#resolve(one, { failed: { failure } });
  }

  #signalOther(command: coresdk.workflow_commands.ISignalExternalWorkflowExecution): void {
    const { seq, workflowExecution, signalName, args } = command;
    const deliver = this.#options.signalExternal ?? (() => false);
    const delivered = deliver(workflowExecution?.workflowId ?? '', signalName!, valuesOf(args));
    const failure = delivered
      ? null
      : failureOf(ApplicationFailure.nonRetryable('there is no such workflow'));
    this.#queue.push({ resolveSignalExternalWorkflow: { seq: seq!, failure } });
  }

  #startChild(command: coresdk.workflow_commands.IStartChildWorkflowExecution): void {
    const seq = command.seq!;
    const run = this.runs.length;
    const child = this.#options.children?.[command.workflowType!];
    const runId = `${command.workflowId}/run-1`;
    this.#queue.push({ resolveChildWorkflowExecutionStart: { seq, succeeded: { runId } } });
    const work = async (): Promise<unknown> => {
      if (child === undefined) throw ApplicationFailure.nonRetryable(`no workflow ${command.workflowType}`);
      return child(...(valuesOf(command.input) as [unknown]));
    };
    const finish = (result: coresdk.child_workflow.IChildWorkflowResult): void => {
      if (run !== this.runs.length || this.#ending.status !== 'running') return;
      this.#queue.push({ resolveChildWorkflowExecution: { seq, result } });
    };
    void work().then(
      (value) => finish({ completed: { result: defaultPayloadConverter.toPayload(value) } }),
      (error: unknown) => {
        const failure: Failure = {
          message: 'Child Workflow execution failed',
          cause: failureOf(error),
          childWorkflowExecutionFailureInfo: {
            namespace: 'sandbox',
            workflowType: { name: command.workflowType! },
            workflowExecution: { workflowId: command.workflowId!, runId },
          },
        };
        finish({ failed: { failure } });
      },
    );
  }

  #respondToUpdate(response: coresdk.workflow_commands.IUpdateResponse): void {
    const state = this.#updates.get(response.protocolInstanceId!);
    if (state === undefined) return;
    if (response.accepted) {
      state.status = 'accepted';
    } else if (response.rejected) {
      // Refused by the validator, or failed after it was accepted.
      state.status = state.status === 'accepted' ? 'failed' : 'rejected';
      state.failure = errorOf(response.rejected);
    } else if (response.completed) {
      state.status = 'completed';
      state.result = valueOf(response.completed);
    }
  }
}
