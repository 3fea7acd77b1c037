import { inPieces } from '../../domain/pieces.ts';
import type { EpochMs } from '../../domain/units.ts';
import { apart } from './frame.ts';
import type { StoredBlock } from './frame.ts';

/** Inclusive, ascending, not touching. */
type Ranges = [first: number, last: number][];

/**
 * Numbers that sensors sent since a boot, one slot each: everything up to `through`, and the ranges above it. Arrays,
 * not objects: with many sensors each look at one comes from afar.
 */
class Runs {
  through = new Float64Array(64);
  newestMs = new Float64Array(64);
  /** Only where there are gaps. */
  readonly ranges = new Map<number, Ranges>();
  hasRanges = new Uint8Array(64);
  readonly #free: number[] = [];
  #size = 0;

  add(through: number, ranges: Ranges, newestMs: EpochMs): number {
    const slot = this.#free.pop() ?? this.#size++;
    if (slot === this.through.length) {
      this.through = twice(this.through);
      this.newestMs = twice(this.newestMs);
      this.hasRanges = twice(this.hasRanges);
    }
    this.through[slot] = through;
    this.newestMs[slot] = newestMs;
    this.setRanges(slot, ranges);
    return slot;
  }

  rangesOf(slot: number): Ranges {
    return this.ranges.get(slot) ?? [];
  }

  setRanges(slot: number, ranges: Ranges): void {
    this.hasRanges[slot] = Number(ranges.length > 0);
    if (ranges.length > 0) this.ranges.set(slot, ranges);
    else this.ranges.delete(slot);
  }

  free(slot: number): void {
    this.setRanges(slot, []);
    this.#free.push(slot);
  }
}

function twice<A extends Float64Array | Uint8Array>(array: A): A {
  const larger = new (array.constructor as new (length: number) => A)(array.length * 2);
  larger.set(array);
  return larger;
}

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
const ENTRIES_OF_A_PIECE = 500;

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
  readonly #runs = new Runs();
  /** Slot of a sensor since a boot. */
  readonly #slots = new Map<string, number>();
  #epoch = 0;
  readonly #boots = new Map<string, Set<string>>();
  readonly #contents = new Map<string, Contents>();
  readonly #identities = new Map<string, Identity>();

  /** Takes numbers first..first+count-1 of a sensor as archived, and says which were new. */
  takeNumbers(sensor: string, boot: string, first: number, count: number, newestMs: EpochMs): Taken[] {
    const slot = this.slotOf(sensor, boot);
    if (slot < 0) return [{ first, count, seen: 'unprovable' }];
    const whole = this.takeWhole(slot, first, count, newestMs);
    if (whole !== null) return [{ first, count, seen: whole }];
    const runs = this.#runs;
    const last = first + count - 1;
    if (newestMs > runs.newestMs[slot]!) runs.newestMs[slot] = newestMs;
    const taken = split(runs.through[slot]!, runs.rangesOf(slot), first, last);
    // What touches nothing that came is all new.
    if (this.#isFull(slot, first, last)) return taken.map((part) => ({ ...part, seen: 'unprovable' }));
    this.#insert(slot, first, last);
    return taken;
  }

  /**
   * Where a sensor's numbers since a boot are kept, for `takeUsual`; -1: of too many boots to remember. It holds for
   * as long as `epoch` stays the same.
   */
  slotOf(sensor: string, boot: string): number {
    const key = runKey(sensor, boot);
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    if (!this.#rememberBoot(sensor, boot)) return -1;
    const slot = this.#runs.add(0, [], -Infinity);
    this.#slots.set(key, slot);
    return slot;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /**
   * `takeNumbers` for a sensor without gaps, and its next numbers or some that came before; null: ask that, nothing
   * was taken.
   */
  takeUsual(slot: number, first: number, count: number, newestMs: EpochMs): 'new' | 'before' | null {
    const { through, newestMs: newest, hasRanges } = this.#runs;
    if (hasRanges[slot] !== 0) return null;
    const before = through[slot]!;
    const last = first + count - 1;
    const isNext = first === before + 1;
    if (!isNext && last > before) return null;
    if (isNext) through[slot] = last;
    if (newestMs > newest[slot]!) newest[slot] = newestMs;
    return isNext ? 'new' : 'before';
  }

  /**
   * `takeNumbers` for numbers that are all new, or were all sent before, whatever is missing below them; null: ask
   * that, nothing was taken.
   */
  takeWhole(slot: number, first: number, count: number, newestMs: EpochMs): 'new' | 'before' | null {
    const usual = this.takeUsual(slot, first, count, newestMs);
    if (usual !== null) return usual;
    const runs = this.#runs;
    const last = first + count - 1;
    const [part, other] = split(runs.through[slot]!, runs.rangesOf(slot), first, last);
    if (part === undefined || other !== undefined || part.seen === 'unprovable') return null;
    if (part.seen === 'new') {
      if (this.#isFull(slot, first, last)) return null;
      this.#insert(slot, first, last);
    }
    if (newestMs > runs.newestMs[slot]!) runs.newestMs[slot] = newestMs;
    return part.seen;
  }

  /** Whether numbers are missing below what came. */
  hasGaps(slot: number): boolean {
    return this.#runs.hasRanges[slot] !== 0;
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
    const slot = this.#slots.get(runKey(sensor, boot));
    if (slot === undefined || this.#runs.hasRanges[slot] === 0) return [];
    const gaps: { first: number; last: number }[] = [];
    let expected = this.#runs.through[slot]! + 1;
    for (const [first, last] of this.#runs.rangesOf(slot)) {
      if (gaps.length === limit) break;
      gaps.push({ first: expected, last: first - 1 });
      expected = last + 1;
    }
    return gaps;
  }

  /** How many ranges of numbers are missing. */
  gapCount(sensor: string, boot: string): number {
    const slot = this.#slots.get(runKey(sensor, boot));
    return slot === undefined ? 0 : this.#runs.rangesOf(slot).length;
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

  /**
   * Drops what is older than a time before which nothing is accepted, as it is told of each tenant. Step by step, for
   * who may not stop for all of it: what comes between two steps is taken as ever.
   */
  *forget(beforeMsOf: (tenant: string) => EpochMs): Generator<void, void, undefined> {
    const isOld = (key: string, newestMs: EpochMs): boolean =>
      newestMs < beforeMsOf(key.slice(0, key.indexOf('|')));
    const dated: readonly Map<string, { readonly newestMs: EpochMs }>[] = [this.#contents, this.#identities];
    for (const map of dated) {
      for (const some of inPieces(map, ENTRIES_OF_A_PIECE)) {
        for (const [key, { newestMs }] of some) if (isOld(key, newestMs)) map.delete(key);
        yield;
      }
    }
    for (const some of inPieces(this.#slots, ENTRIES_OF_A_PIECE)) {
      for (const [key, slot] of some) {
        if (!isOld(key, this.#runs.newestMs[slot]!)) continue;
        this.#slots.delete(key);
        this.#runs.free(slot);
        this.#epoch += 1;
      }
      yield;
    }
    for (const some of inPieces(this.#boots, ENTRIES_OF_A_PIECE)) {
      for (const [sensor, boots] of some) {
        for (const boot of boots) if (!this.#slots.has(runKey(sensor, boot))) boots.delete(boot);
        if (boots.size === 0) this.#boots.delete(sensor);
      }
      yield;
    }
  }

  state(): DedupState {
    const state: DedupState = { runs: {}, contents: {}, identities: {} };
    for (const { runs, contents, identities } of this.pieces()) {
      Object.assign(state.runs, runs);
      Object.assign(state.contents, contents);
      Object.assign(state.identities, identities);
    }
    return state;
  }

  /** The same in pieces of a few hundred sensors each; each is restored by itself. */
  *pieces(): Generator<DedupState> {
    for (const some of inPieces(this.#slots, ENTRIES_OF_A_PIECE)) {
      const runs = some.map(([key, slot]) => [
        key,
        {
          through: this.#runs.through[slot]!,
          ranges: this.#runs.rangesOf(slot),
          newestMs: this.#runs.newestMs[slot]!,
        },
      ]);
      yield { runs: Object.fromEntries(runs), contents: {}, identities: {} };
    }
    for (const some of inPieces(this.#contents, ENTRIES_OF_A_PIECE)) {
      const contents = some.map(([key, { floorMs, seen, newestMs }]) => [
        key,
        { floorMs: Number.isFinite(floorMs) ? floorMs : null, seen: [...seen], newestMs },
      ]);
      yield { runs: {}, contents: Object.fromEntries(contents), identities: {} };
    }
    for (const some of inPieces(this.#identities, ENTRIES_OF_A_PIECE)) {
      yield { runs: {}, contents: {}, identities: Object.fromEntries(some) };
    }
  }

  restore(state: DedupState): void {
    for (const [key, run] of Object.entries(state.runs)) {
      const ranges = run.ranges.map(([first, last]): [number, number] => [first, last]);
      this.#slots.set(key, this.#runs.add(run.through, ranges, run.newestMs));
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

  /** Whether these numbers would be one range more than is remembered. */
  #isFull(slot: number, first: number, last: number): boolean {
    const ranges = this.#runs.rangesOf(slot);
    return (
      ranges.length >= RANGES_AT_MOST &&
      first > this.#runs.through[slot]! + 1 &&
      !touches(ranges, first, last)
    );
  }

  #insert(slot: number, first: number, last: number): void {
    const runs = this.#runs;
    const kept: Ranges = [];
    let [from, to] = [first, last];
    for (const range of runs.rangesOf(slot)) {
      if (range[1] < from - 1 || range[0] > to + 1) kept.push(range);
      else [from, to] = [Math.min(from, range[0]), Math.max(to, range[1])];
    }
    kept.push([from, to]);
    kept.sort((a, b) => a[0] - b[0]);
    if (kept[0]![0] <= runs.through[slot]! + 1) {
      runs.through[slot] = Math.max(runs.through[slot]!, kept[0]![1]);
      kept.shift();
    }
    runs.setRanges(slot, kept);
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
function split(through: number, ranges: Ranges, first: number, last: number): Taken[] {
  const taken: Taken[] = [];
  let next = first;
  const seen = (upTo: number): void => {
    if (upTo < next) return;
    taken.push({ first: next, count: upTo - next + 1, seen: 'before' });
    next = upTo + 1;
  };
  seen(Math.min(last, through));
  for (const [from, to] of ranges) {
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
