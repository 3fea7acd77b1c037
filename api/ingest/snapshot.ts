import { joinWatchStates } from '../../domain/detect/watch.ts';
import type { WatchState } from '../../domain/detect/watch.ts';
import type { HealthState } from '../../domain/ingest/health-book.ts';
import type { CheckpointStore } from '../../domain/ports-ingest.ts';
import { loadParts, otherSet, saveParts } from './parts.ts';
import type { PartsHead } from './parts.ts';

const NAME = 'watch';

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
type Stateful<S> = ReadonlyMap<string, { pieces(): Generator<S> }>;

/**
 * Saves a snapshot in parts. Nothing may be detected meanwhile.
 *
 * @param last where the last one is; null: there is none
 * @returns where this one is
 */
export async function saveSnapshot(
  checkpoints: CheckpointStore,
  throughFrame: number,
  last: PartsHead | null,
  watches: Stateful<WatchState>,
  books: Stateful<HealthState>,
): Promise<PartsHead> {
  const parts = await saveParts(checkpoints, NAME, otherSet(last), piecesOf(watches, books));
  await checkpoints.save(NAME, { throughFrame, ...parts } satisfies Head);
  return parts;
}

function* piecesOf(watches: Stateful<WatchState>, books: Stateful<HealthState>): Generator<Part> {
  for (const [tenant, watch] of watches) for (const piece of watch.pieces()) yield { tenant, watch: piece };
  for (const [tenant, book] of books) for (const piece of book.pieces()) yield { tenant, health: piece };
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
  for await (const part of loadParts<Part>(checkpoints, NAME, head)) {
    if ('watch' in part) watches.set(part.tenant, [...(watches.get(part.tenant) ?? []), part.watch]);
    else health[part.tenant] = Object.assign(health[part.tenant] ?? {}, part.health);
  }
  const tenants = Object.fromEntries(
    [...watches].map(([tenant, pieces]) => [tenant, joinWatchStates(pieces)]),
  );
  return { snapshot: { throughFrame: head.throughFrame, tenants, health }, parts: head };
}
