import { setImmediate as nextTurn } from 'node:timers/promises';
import { joinWatchStates } from '../../domain/detect/watch.ts';
import type { WatchState } from '../../domain/detect/watch.ts';
import type { HealthState } from '../../domain/ingest/health-book.ts';
import type { CheckpointStore } from '../../domain/ports-ingest.ts';
import { loadParts, otherSet, saveParts } from './parts.ts';
import type { PartsHead } from './parts.ts';

const NAME = 'watch';
/** Acknowledgements wait for no more than this. */
const TURN_AT_MOST_MS = 12;

/** What detection remembers after the frame `throughFrame`, by tenant. */
export interface Snapshot {
  readonly throughFrame: number;
  readonly tenants: Readonly<Record<string, WatchState>>;
  /** Absent in snapshots of the first releases. */
  readonly health?: Readonly<Record<string, HealthState>>;
}

interface Head extends PartsHead {
  readonly throughFrame: number;
}

type Part =
  | { readonly tenant: string; readonly watch: WatchState }
  | { readonly tenant: string; readonly health: HealthState };

/** What has a state, by tenant. */
type Stateful<S> = ReadonlyMap<string, { capture(): Generator<() => S> }>;

/** A part as it was when it was captured: to be spelt out when it is saved. */
type Captured = () => Part;

/**
 * Copies what is remembered, piece by piece, and lets acknowledgements go between. Nothing may be detected meanwhile;
 * the copy may be saved while detection goes on.
 */
export async function captureSnapshot(
  watches: Stateful<WatchState>,
  books: Stateful<HealthState>,
): Promise<Captured[]> {
  const captured: Captured[] = [];
  let breathedAt = performance.now();
  for (const part of partsOf(watches, books)) {
    captured.push(part);
    if (performance.now() - breathedAt < TURN_AT_MOST_MS) continue;
    await nextTurn();
    breathedAt = performance.now();
  }
  return captured;
}

/**
 * Saves a captured snapshot in parts.
 *
 * @param throughFrame the frame after which it was captured
 * @param last where the last one is; null: there is none
 * @param between as for `saveParts`
 * @returns where this one is
 */
export async function saveSnapshot(
  checkpoints: CheckpointStore,
  throughFrame: number,
  last: PartsHead | null,
  captured: readonly Captured[],
  between?: () => Promise<unknown>,
): Promise<PartsHead> {
  const parts = await saveParts(checkpoints, NAME, otherSet(last), spelt(captured), between);
  await checkpoints.save(NAME, { throughFrame, ...parts } satisfies Head);
  return parts;
}

function* partsOf(watches: Stateful<WatchState>, books: Stateful<HealthState>): Generator<Captured> {
  for (const [tenant, one] of watches) {
    for (const spell of one.capture()) yield () => ({ tenant, watch: spell() });
  }
  for (const [tenant, one] of books) {
    for (const spell of one.capture()) yield () => ({ tenant, health: spell() });
  }
}

/** One after the other: all at once would be much larger than what was captured. */
function* spelt(captured: readonly Captured[]): Generator<Part> {
  for (const spell of captured) yield spell();
}

/** The last whole snapshot, and where it is; null: there is none. */
export async function loadSnapshot(
  checkpoints: CheckpointStore,
): Promise<{ readonly snapshot: Snapshot; readonly parts: PartsHead | null } | null> {
  const head = await checkpoints.load<Head | Snapshot>(NAME);
  if (head === null) return null;
  // As the first releases saved it: all in one.
  if (!('parts' in head)) return { snapshot: head, parts: null };
  const watches = new Map<string, WatchState[]>();
  const health: Record<string, HealthState> = {};
  // Some releases saved parts as text.
  for await (const stored of loadParts<Part | string>(checkpoints, NAME, head)) {
    const part = typeof stored === 'string' ? (JSON.parse(stored) as Part) : stored;
    if ('watch' in part) watches.set(part.tenant, [...(watches.get(part.tenant) ?? []), part.watch]);
    else health[part.tenant] = Object.assign(health[part.tenant] ?? {}, part.health);
  }
  const tenants = Object.fromEntries(
    [...watches].map(([tenant, pieces]) => [tenant, joinWatchStates(pieces)]),
  );
  return { snapshot: { throughFrame: head.throughFrame, tenants, health }, parts: head };
}
