import { setImmediate as nextTurn } from 'node:timers/promises';
import { joinWatchStates } from '../../domain/detect/watch.ts';
import type { WatchState } from '../../domain/detect/watch.ts';
import type { HealthState } from '../../domain/ingest/health-book.ts';
import type { CheckpointStore } from '../../domain/ports-ingest.ts';

const NAME = 'watch';

/** What detection remembers after the frame `throughFrame`, by tenant. */
export interface Snapshot {
  readonly throughFrame: number;
  readonly tenants: Readonly<Record<string, WatchState>>;
  /** Absent in snapshots of the first releases. */
  readonly health?: Readonly<Record<string, HealthState>>;
}

/** Names the parts of one snapshot. Two sets take turns: the last whole one stays until the next is whole. */
interface Head {
  readonly throughFrame: number;
  readonly set: 0 | 1;
  readonly parts: number;
}

type Part =
  | { readonly tenant: string; readonly watch: WatchState }
  | { readonly tenant: string; readonly health: HealthState };

/** What has a state, by tenant. */
type Stateful<S> = ReadonlyMap<string, { pieces(): Generator<S> }>;

/**
 * Saves a snapshot part by part, and lets acknowledgements go between two of them: thousands of sensors at once would
 * make every vendor wait. Nothing may be detected meanwhile.
 *
 * @param set where the last one is not
 */
export async function saveSnapshot(
  checkpoints: CheckpointStore,
  throughFrame: number,
  set: Head['set'],
  watches: Stateful<WatchState>,
  books: Stateful<HealthState>,
): Promise<void> {
  let parts = 0;
  const save = async (part: Part): Promise<void> => {
    await checkpoints.save(nameOf(set, parts++), part);
    await nextTurn();
  };
  for (const [tenant, watch] of watches)
    for (const piece of watch.pieces()) await save({ tenant, watch: piece });
  for (const [tenant, book] of books)
    for (const piece of book.pieces()) await save({ tenant, health: piece });
  await checkpoints.save(NAME, { throughFrame, set, parts } satisfies Head);
}

/** The last whole snapshot, and the set it is in; null: there is none. */
export async function loadSnapshot(
  checkpoints: CheckpointStore,
): Promise<{ readonly snapshot: Snapshot; readonly set: Head['set'] } | null> {
  const head = await checkpoints.load<Head | Snapshot>(NAME);
  if (head === null) return null;
  // As the first releases saved it: all in one.
  if (!('parts' in head)) return { snapshot: head, set: 1 };
  const watches = new Map<string, WatchState[]>();
  const health: Record<string, HealthState> = {};
  for (let n = 0; n < head.parts; n++) {
    const part = await checkpoints.load<Part>(nameOf(head.set, n));
    if (part === null) throw new RangeError(`Part ${n} of the snapshot of detection is missing.`);
    if ('watch' in part) watches.set(part.tenant, [...(watches.get(part.tenant) ?? []), part.watch]);
    else health[part.tenant] = Object.assign(health[part.tenant] ?? {}, part.health);
  }
  const tenants = Object.fromEntries(
    [...watches].map(([tenant, pieces]) => [tenant, joinWatchStates(pieces)]),
  );
  return { snapshot: { throughFrame: head.throughFrame, tenants, health }, set: head.set };
}

const nameOf = (set: Head['set'], part: number): string => `${NAME}|${set}|${part}`;
