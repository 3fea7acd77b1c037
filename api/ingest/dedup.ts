import type { EpochMs } from '../../domain/units.ts';
import { apart } from './frame.ts';
import type { StoredBlock } from './frame.ts';

/** Numbers that one sensor sent since one boot: everything up to `through`, and the ranges above it. */
interface Run {
  through: number;
  /** Inclusive, ascending, not touching. */
  ranges: [first: number, last: number][];
  newestMs: EpochMs;
  /** Dropped: whoever holds on to it must ask for it again. */
  forgotten: boolean;
}

/** A hold on what is known of one sensor since one boot, for a caller who has many readings of it. */
export type Standing = Pick<Run, 'forgotten'>;

/** Readings without numbers: the newest by content, and how far back that memory reaches. */
interface Contents {
  floorMs: EpochMs;
  /** `<time>|<value>`, oldest first. */
  seen: Set<string>;
  newestMs: EpochMs;
}

interface Identity {
  readonly hashes: string[];
  newestMs: EpochMs;
}

export interface DedupState {
  readonly runs: Readonly<
    Record<
      string,
      {
        readonly through: number;
        readonly ranges: readonly (readonly [number, number])[];
        readonly newestMs: EpochMs;
      }
    >
  >;
  readonly contents: Readonly<
    Record<
      string,
      { readonly floorMs: EpochMs | null; readonly seen: readonly string[]; readonly newestMs: EpochMs }
    >
  >;
  readonly identities: Readonly<
    Record<string, { readonly hashes: readonly string[]; readonly newestMs: EpochMs }>
  >;
}

const RANGES_AT_MOST = 1_000;
const BOOTS_AT_MOST = 64;
const CONTENTS_KEPT = 4_096;
const REVISIONS_AT_MOST = 100;

/** Numbers first..last, and whether they were sent before. `unprovable`: it cannot be told. */
export interface Taken {
  readonly first: number;
  readonly count: number;
  readonly seen: 'new' | 'before' | 'unprovable';
}

/**
 * Which items were archived before, however they were cut into messages then. Memory is bounded by sensors, boots
 * and gaps, not by readings. Built from the archive at start; nothing relies on it outliving a crash.
 *
 * What no vendor may send any more (too late) need not be remembered: `forget` drops it.
 */
export class Dedup {
  readonly #runs = new Map<string, Run>();
  readonly #boots = new Map<string, Set<string>>();
  readonly #contents = new Map<string, Contents>();
  readonly #identities = new Map<string, Identity>();

  /** Takes numbers first..first+count-1 of a sensor as archived, and says which were new. */
  takeNumbers(sensor: string, boot: string, first: number, count: number, newestMs: EpochMs): Taken[] {
    const run = this.#run(sensor, boot);
    if (run === null) return [{ first, count, seen: 'unprovable' }];
    run.newestMs = Math.max(run.newestMs, newestMs);
    const last = first + count - 1;
    // The usual case: the next ones, in order.
    if (first === run.through + 1 && (run.ranges.length === 0 || last < run.ranges[0]![0] - 1)) {
      run.through = last;
      return [{ first, count, seen: 'new' }];
    }
    if (last <= run.through) return [{ first, count, seen: 'before' }];
    const taken = split(run, first, last);
    if (run.ranges.length >= RANGES_AT_MOST && first > run.through + 1 && !touches(run.ranges, first, last)) {
      return taken.map((part) => (part.seen === 'new' ? { ...part, seen: 'unprovable' } : part));
    }
    insert(run, first, last);
    return taken;
  }

  /** null: too many boots, or nobody may tell. */
  standing(sensor: string, boot: string): Standing | null {
    return this.#run(sensor, boot);
  }

  /**
   * `takeNumbers` for the usual cases: the next numbers of a sensor without gaps, or numbers that came before;
   * null: ask `takeNumbers`, nothing was taken.
   */
  takeUsual(standing: Standing, first: number, count: number, newestMs: EpochMs): 'new' | 'before' | null {
    const run = standing as Run;
    if (run.forgotten || run.ranges.length > 0) return null;
    const last = first + count - 1;
    const isNext = first === run.through + 1;
    if (!isNext && last > run.through) return null;
    if (isNext) run.through = last;
    if (newestMs > run.newestMs) run.newestMs = newestMs;
    return isNext ? 'new' : 'before';
  }

  /** Takes one reading that has no number. */
  takeContent(sensor: string, atMs: EpochMs, value: number): Taken['seen'] {
    let contents = this.#contents.get(sensor);
    if (contents === undefined) {
      contents = { floorMs: -Infinity, seen: new Set(), newestMs: atMs };
      this.#contents.set(sensor, contents);
    }
    const key = `${atMs}|${value}`;
    if (contents.seen.has(key)) return 'before';
    if (atMs <= contents.floorMs) return 'unprovable';
    contents.seen.add(key);
    contents.newestMs = Math.max(contents.newestMs, atMs);
    if (contents.seen.size > CONTENTS_KEPT) {
      const [oldest] = contents.seen;
      contents.seen.delete(oldest!);
      contents.floorMs = Math.max(contents.floorMs, Number(oldest!.slice(0, oldest!.indexOf('|'))));
    }
    return 'new';
  }

  /** Takes one content of an identity. Answers its revision, from 1, when it is new. */
  takeRevision(
    identity: string,
    contentHash: string,
    atMs: EpochMs,
  ): { readonly seen: Taken['seen']; readonly revision: number } {
    let known = this.#identities.get(identity);
    if (known === undefined) {
      known = { hashes: [], newestMs: atMs };
      this.#identities.set(identity, known);
    }
    known.newestMs = Math.max(known.newestMs, atMs);
    const index = known.hashes.indexOf(contentHash);
    if (index >= 0) return { seen: 'before', revision: index + 1 };
    if (known.hashes.length >= REVISIONS_AT_MOST) return { seen: 'unprovable', revision: 0 };
    known.hashes.push(contentHash);
    return { seen: 'new', revision: known.hashes.length };
  }

  /** Numbers that are missing below what came, at most `limit` ranges. */
  gaps(sensor: string, boot: string, limit = 10): { readonly first: number; readonly last: number }[] {
    const run = this.#runs.get(runKey(sensor, boot));
    if (run === undefined) return [];
    const gaps: { first: number; last: number }[] = [];
    let expected = run.through + 1;
    for (const [first, last] of run.ranges) {
      if (gaps.length === limit) break;
      gaps.push({ first: expected, last: first - 1 });
      expected = last + 1;
    }
    return gaps;
  }

  /** Takes what an archived block holds, without asking. */
  rebuild(block: StoredBlock): void {
    switch (block.kind) {
      case 'runs':
        for (const run of apart(block)) this.rebuild(run);
        return;
      case 'readings': {
        const key = sensorKey(block.tenant, block.vendor, block.sensor);
        if (block.firstSequence === 0) {
          for (let n = 0; n < block.values.length; n++)
            this.takeContent(key, block.atMs[n]!, block.values[n]!);
          return;
        }
        const newestMs = block.atMs[block.atMs.length - 1] ?? 0;
        this.takeNumbers(key, block.boot, block.firstSequence, block.values.length, newestMs);
        return;
      }
      case 'waveform':
        this.takeNumbers(
          sensorKey(block.tenant, block.vendor, block.sensor),
          block.boot,
          block.firstSequence,
          block.samples.length,
          block.startedAtMs + (block.samples.length * 1_000) / block.rateHz,
        );
        return;
      case 'bulletin':
        this.takeRevision(
          identityKey(block.tenant, block.vendor, block.bulletin.source, block.bulletin.id),
          block.contentHash,
          block.bulletin.observedAtMs,
        );
        return;
      default:
        block satisfies never;
    }
  }

  /** Drops what is older than a time before which nothing is accepted. */
  forget(tenant: string, beforeMs: EpochMs): void {
    const prefix = `${tenant}|`;
    for (const map of [this.#runs, this.#contents, this.#identities]) {
      for (const [key, known] of map) {
        if (known.newestMs >= beforeMs || !key.startsWith(prefix)) continue;
        map.delete(key);
        if ('through' in known) known.forgotten = true;
      }
    }
    for (const [sensor, boots] of this.#boots) {
      for (const boot of boots) if (!this.#runs.has(runKey(sensor, boot))) boots.delete(boot);
      if (boots.size === 0) this.#boots.delete(sensor);
    }
  }

  /** Tenants that anything is remembered of. */
  tenants(): Set<string> {
    const keys = [...this.#runs.keys(), ...this.#contents.keys(), ...this.#identities.keys()];
    return new Set(keys.map((key) => key.slice(0, key.indexOf('|'))));
  }

  state(): DedupState {
    return {
      runs: Object.fromEntries(
        [...this.#runs].map(([key, { through, ranges, newestMs }]) => [key, { through, ranges, newestMs }]),
      ),
      contents: Object.fromEntries(
        [...this.#contents].map(([key, { floorMs, seen, newestMs }]) => [
          key,
          { floorMs: Number.isFinite(floorMs) ? floorMs : null, seen: [...seen], newestMs },
        ]),
      ),
      identities: Object.fromEntries(this.#identities),
    };
  }

  restore(state: DedupState): void {
    for (const [key, run] of Object.entries(state.runs)) {
      this.#runs.set(key, {
        through: run.through,
        ranges: run.ranges.map(([first, last]): [number, number] => [first, last]),
        newestMs: run.newestMs,
        forgotten: false,
      });
      const cut = key.lastIndexOf('|');
      this.#rememberBoot(key.slice(0, cut), key.slice(cut + 1));
    }
    for (const [key, { floorMs, seen, newestMs }] of Object.entries(state.contents)) {
      this.#contents.set(key, { floorMs: floorMs ?? -Infinity, seen: new Set(seen), newestMs });
    }
    for (const [key, { hashes, newestMs }] of Object.entries(state.identities)) {
      this.#identities.set(key, { hashes: [...hashes], newestMs });
    }
  }

  #run(sensor: string, boot: string): Run | null {
    const key = runKey(sensor, boot);
    const known = this.#runs.get(key);
    if (known !== undefined) return known;
    if (!this.#rememberBoot(sensor, boot)) return null;
    const run: Run = { through: 0, ranges: [], newestMs: -Infinity, forgotten: false };
    this.#runs.set(key, run);
    return run;
  }

  #rememberBoot(sensor: string, boot: string): boolean {
    const boots = this.#boots.get(sensor) ?? new Set<string>();
    if (!boots.has(boot) && boots.size >= BOOTS_AT_MOST) return false;
    this.#boots.set(sensor, boots.add(boot));
    return true;
  }
}

/** Parts may not contain `|`: the door refuses such names. */
export const sensorKey = (tenant: string, vendor: string, sensor: string): string =>
  `${tenant}|${vendor}|${sensor}`;
export const identityKey = (tenant: string, vendor: string, source: string, id: string): string =>
  `${tenant}|${vendor}|${source}|${id}`;
const runKey = (sensor: string, boot: string): string => `${sensor}|${boot}`;

/** Cuts first..last into parts that were seen and parts that were not. */
function split(run: Run, first: number, last: number): Taken[] {
  const taken: Taken[] = [];
  let next = first;
  const seen = (through: number): void => {
    if (through < next) return;
    taken.push({ first: next, count: through - next + 1, seen: 'before' });
    next = through + 1;
  };
  seen(Math.min(last, run.through));
  for (const [from, to] of run.ranges) {
    if (to < next) continue;
    if (from > last) break;
    if (from > next) {
      taken.push({ first: next, count: from - next, seen: 'new' });
      next = from;
    }
    seen(Math.min(last, to));
  }
  if (next <= last) taken.push({ first: next, count: last - next + 1, seen: 'new' });
  return taken;
}

const touches = (ranges: readonly (readonly [number, number])[], first: number, last: number): boolean =>
  ranges.some(([from, to]) => from <= last + 1 && to >= first - 1);

function insert(run: Run, first: number, last: number): void {
  const kept: [number, number][] = [];
  let [from, to] = [first, last];
  for (const range of run.ranges) {
    if (range[1] < from - 1 || range[0] > to + 1) kept.push(range);
    else [from, to] = [Math.min(from, range[0]), Math.max(to, range[1])];
  }
  kept.push([from, to]);
  kept.sort((a, b) => a[0] - b[0]);
  if (kept[0]![0] <= run.through + 1) {
    run.through = Math.max(run.through, kept[0]![1]);
    kept.shift();
  }
  run.ranges = kept;
}
