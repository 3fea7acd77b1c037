import type { DriftReport } from '../domain/classify/drift.ts';
import type { IncidentStore, JobRunStore } from '../domain/ports.ts';
import type { DurationMs, EpochMs } from '../domain/units.ts';

/** What a job may use. Put together by the role that runs it, in the thread that runs it. */
export interface JobContext {
  readonly incidents: Pick<IncidentStore, 'list'>;
  readonly jobRuns: JobRunStore;
  readonly bundles: BundleShelf;
  /** Free and total bytes of the disk that holds the data. */
  readonly disk: () => { readonly freeBytes: number; readonly totalBytes: number };
  /** Drift of every recogniser that votes, over the last week. */
  readonly watchRecognisers: () => Promise<readonly WatchedRecogniser[]>;
  /** Starts the retraining of every recogniser that votes. */
  readonly retrainRecognisers: () => Promise<readonly StartedRetraining[]>;
  readonly log: JobLog;
  readonly now: () => EpochMs;
  close(): Promise<void>;
}

/** What the watch over one recogniser found. */
export interface WatchedRecogniser extends DriftReport {
  readonly name: string;
  readonly hash: string;
  readonly shadow: { readonly hash: string; readonly rows: number; readonly agrees: number } | null;
}

/** The workflow goes on by itself and records how it ends. */
export interface StartedRetraining {
  readonly name: string;
  /** False: one was running already. */
  readonly started: boolean;
}

/** Where bundles of closed incidents are kept. */
export interface BundleShelf {
  has(incidentId: string): boolean;
  /** Collects and writes one bundle, whole or not at all. */
  put(incidentId: string): Promise<void>;
}

export interface JobLog {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/** One verb-first file per job exports its `run`. */
export interface Job {
  run(context: JobContext): Promise<void>;
}

/** Runs of one job are numbered by the period they fall into, so that two runners name the same run alike. */
export function slotOf(nowMs: EpochMs, everyMs: DurationMs): number {
  return Math.floor(nowMs / everyMs);
}
