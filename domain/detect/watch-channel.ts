import { SENSORS_AT_MOST } from '../evidence.ts';
import type { ReadingsEvidence, SensorDigest } from '../evidence.ts';
import { QUALITY, SUSPECT } from '../ingest/quality.ts';
import type { RegisteredForecaster } from '../forecast/trained.ts';
import type { ReadingsCondition } from '../plan/document.ts';
import type { DurationMs, EpochMs } from '../units.ts';
import type { Judge } from './judge.ts';
import type { WatchedSensor } from './watched-sensor.ts';
import { createJudge, isComparison } from './judge.ts';
import type { DetectorState } from './detector.ts';
import { NO_TURNS } from './turns.ts';

/** A condition of a plan on the channel that is watched. */
export interface WatchedCondition {
  readonly condition: ReadingsCondition;
  /** Path of the condition in the plan document. */
  readonly leaf: string;
  /** True where the condition says that all is well again: suspect readings do not count for it. @default false */
  readonly reassures?: boolean;
  /** The one that the condition names, when it is at hand and fits. */
  readonly forecaster?: RegisteredForecaster | undefined;
  readonly state?: ChannelWatchState | undefined;
}

export interface ChannelWatchOptions {
  readonly site: string;
  /** All sensors of the site that measure the channel in a unit that converts to the conditions'. */
  readonly sensors: readonly WatchedSensor[];
  /** On the same channel, in the same unit. */
  readonly conditions: readonly WatchedCondition[];
}

type SensorMemory = readonly [
  sinceMs: EpochMs | null,
  lastMs: EpochMs,
  value: number,
  aheadMs?: DurationMs,
  isSuspect?: 1,
];

/** What must be remembered of a condition, as JSON. A sensor: since when it meets the condition (null: it does not), when it was last heard, its last value, by how much its clock was ahead, and whether that value was suspect. */
export interface ChannelWatchState {
  readonly holds: boolean;
  readonly sensors: Readonly<Record<string, SensorMemory>>;
  /** What the condition's detectors remember, by sensor; absent for thresholds. */
  readonly detectors?: Readonly<Record<string, DetectorState>>;
}

/**
 * Where in a sensor's part of the memory what stands; in one place for all conditions, because thousands of sensors take
 * turns and each look at one comes from afar. AHEAD is how far the device's clock was taken to be ahead when its last
 * reading was placed.
 */
const LAST = 0;
const VALUE = 1;
const AHEAD = 2;
const SILENT_AFTER = 3;
const SUSPECTED = 4;
/** Then for each condition: since when it is met (NaN: it is not, or nothing was heard), and whether the sensor counts. */
const SINCE = 5;
const COUNTS = 6;
const OF_A_CONDITION = 2;

/** Where in a condition's part of the rules what stands. */
const KIND = 0;
const THRESHOLD = 1;
const FOR_MS = 2;
const NEEDED = 3;
const REASSURES = 4;
const COUNT = 5;
const HOLDS = 6;
const NEXT_SILENCE_CHECK_MS = 7;
const OF_A_RULE = 8;
/** What `KIND` may be; what is neither is judged by its `Judge`. */
const AT_LEAST = 0;
const BELOW = 1;
const JUDGED = 2;

const SILENT_AFTER_MS = 60_000;

/**
 * Watches what the conditions of a plan say of one channel at one site, reading by reading, in memory that depends on
 * the number of sensors only. A sensor counts for a condition when its own readings met it without a break for `forMs`;
 * the condition holds when enough sensors count at the same time. Readings of one sensor must come in time order: an
 * older one than the last is ignored.
 *
 * Suspect readings may alarm but not reassure: where a condition reassures, a sensor with a spike, a stuck value or
 * a filled gap does not count. Elsewhere a lone spike neither begins
 * nor breaks the hold of a threshold: the reading after it decides. A detector sees every reading, spikes too.
 */
export class ChannelWatch {
  readonly #options: ChannelWatchOptions;
  readonly #stride: number;
  readonly #memory: Float64Array;
  readonly #rules: Float64Array;
  /** By condition; null: a comparison decides. */
  readonly #judges: readonly (Judge | null)[];
  #nowMs = -Infinity;

  constructor(options: ChannelWatchOptions) {
    const { conditions, sensors } = options;
    this.#options = options;
    this.#stride = SINCE + OF_A_CONDITION * conditions.length;
    this.#memory = new Float64Array(sensors.length * this.#stride);
    this.#rules = new Float64Array(conditions.length * OF_A_RULE);
    sensors.forEach(({ silentAfterMs = SILENT_AFTER_MS }, sensor) => {
      const own = sensor * this.#stride;
      this.#memory.set([-Infinity, NaN, 0, silentAfterMs], own);
      for (let since = own + SINCE; since < own + this.#stride; since += OF_A_CONDITION) {
        this.#memory[since] = NaN;
      }
    });
    this.#judges = conditions.map(({ condition, state, forecaster }) =>
      isComparison(condition) ? null : createJudge(condition, sensors, state?.detectors, forecaster),
    );
    conditions.forEach(({ condition, reassures = false }, n) => {
      const needed = condition.onSensors === 'all' ? sensors.length : condition.onSensors;
      const [kind, threshold] = ruleOf(condition);
      this.#rules.set(
        [kind, threshold, condition.forMs, needed, Number(reassures), 0, 0, -Infinity],
        n * OF_A_RULE,
      );
    });
    conditions.forEach(({ state }, n) => {
      if (state !== undefined) this.#restore(n, state);
    });
  }

  /**
   * Takes one reading. Answers evidence of each condition that begins or ceases to hold at the site.
   *
   * @param sensor position in `sensors`
   * @param atMs when it was observed, by our clock
   * @param value in the conditions' unit, finite
   * @param flags bits of QUALITY
   * @param observedAtMs by the device's clock
   */
  push(
    sensor: number,
    atMs: EpochMs,
    value: number,
    receivedAtMs: EpochMs,
    flags = 0,
    observedAtMs: EpochMs = atMs,
  ): readonly ReadingsEvidence[] {
    const aheadMs = observedAtMs - atMs;
    const memory = this.#memory;
    const rules = this.#rules;
    const own = sensor * this.#stride;
    if (aheadMs !== memory[own + AHEAD]!) this.#placeAgain(own, aheadMs);
    const last = memory[own + LAST]!;
    if (atMs < last) return NO_TURNS;
    const wasSilent = atMs - last > memory[own + SILENT_AFTER]!;
    const isSuspect = (flags & SUSPECT) !== 0;
    const isSpike = (flags & QUALITY.spike) !== 0;
    memory[own + LAST] = atMs;
    memory[own + VALUE] = value;
    memory[own + SUSPECTED] = Number(isSuspect);
    if (atMs > this.#nowMs) this.#nowMs = atMs;
    let turns = NO_TURNS;
    for (let rule = 0, at = own; rule < rules.length; rule += OF_A_RULE, at += OF_A_CONDITION) {
      const kind = rules[rule + KIND]!;
      const reassures = rules[rule + REASSURES] === 1;
      let since = memory[at + SINCE]!;
      const isHeld = !Number.isNaN(since);
      let meets: boolean;
      if (kind === JUDGED) meets = this.#judges[rule / OF_A_RULE]!.meets(sensor, observedAtMs, value);
      else if (isSpike && !reassures) meets = isHeld;
      else meets = kind === AT_LEAST ? value >= rules[rule + THRESHOLD]! : value < rules[rule + THRESHOLD]!;
      if (reassures && isSuspect) meets = false;
      if (!meets) since = NaN;
      else if (!isHeld || wasSilent) since = atMs;
      memory[at + SINCE] = since;
      this.#setCounts(at, rule, meets && atMs - since >= rules[rule + FOR_MS]!);
      const needed = rules[rule + NEEDED]!;
      if (rules[rule + COUNT]! >= needed) this.#discountSilent(rule);
      const holds = Number(needed > 0 && rules[rule + COUNT]! >= needed);
      if (holds === rules[rule + HOLDS]) continue;
      rules[rule + HOLDS] = holds;
      turns = [...turns, this.#evidence(rule / OF_A_RULE, receivedAtMs, aheadMs, observedAtMs)];
    }
    return turns;
  }

  /** Copies what is remembered; it is spelt out, by leaf, when the answer is called, whatever was taken meanwhile. */
  capture(): () => Record<string, ChannelWatchState> {
    const memory = this.#memory.slice();
    const holds = this.#options.conditions.map((_, n) => this.#holds(n));
    const detectors = this.#judges.map((judge) => judge?.save());
    return () => {
      const states = this.#options.conditions.map(({ leaf }, n): [string, ChannelWatchState] => {
        const remembered = detectors[n];
        const sensors = this.#sensorsIn(memory, n);
        const all = { holds: holds[n]!, sensors };
        return [leaf, remembered === undefined ? all : { ...all, detectors: remembered }];
      });
      return Object.fromEntries(states);
    };
  }

  #sensorsIn(memory: Float64Array, condition: number): Record<string, SensorMemory> {
    const sensors: Record<string, SensorMemory> = {};
    this.#options.sensors.forEach(({ id }, index) => {
      const own = index * this.#stride;
      const last = memory[own + LAST]!;
      if (last === -Infinity) return;
      const since = memory[own + condition * OF_A_CONDITION + SINCE]!;
      const aheadMs = memory[own + AHEAD]!;
      const known = [Number.isNaN(since) ? null : since, last, memory[own + VALUE]!] as const;
      if (memory[own + SUSPECTED] === 1) sensors[id] = [...known, aheadMs, 1];
      else sensors[id] = aheadMs === 0 ? known : [...known, aheadMs];
    });
    return sensors;
  }

  #restore(condition: number, state: ChannelWatchState): void {
    const memory = this.#memory;
    const rule = condition * OF_A_RULE;
    this.#options.sensors.forEach(({ id }, index) => {
      const known = state.sensors[id];
      if (known === undefined) return;
      const [since, last, value, aheadMs = 0, isSuspect = 0] = known;
      const own = index * this.#stride;
      memory.set([last, value, aheadMs], own);
      memory[own + SUSPECTED] = isSuspect;
      const at = own + condition * OF_A_CONDITION;
      memory[at + SINCE] = since ?? NaN;
      if (last > this.#nowMs) this.#nowMs = last;
      this.#setCounts(at, rule, since !== null && last - since >= this.#rules[rule + FOR_MS]!);
    });
    this.#rules[rule + HOLDS] = Number(state.holds);
  }

  /** More is known of a device's clock: what it said before moves with what it says now, and durations stay. */
  #placeAgain(own: number, aheadMs: DurationMs): void {
    const memory = this.#memory;
    const rules = this.#rules;
    const byMs = aheadMs - memory[own + AHEAD]!;
    memory[own + AHEAD] = aheadMs;
    const before = memory[own + LAST]!;
    if (before === -Infinity) return;
    const last = before - byMs;
    memory[own + LAST] = last;
    for (let since = own + SINCE; since < own + this.#stride; since += OF_A_CONDITION) memory[since]! -= byMs;
    if (last >= this.#nowMs) this.#nowMs = last;
    else if (before === this.#nowMs) this.#nowMs = newestOf(memory, this.#stride);
    for (let rule = 0; rule < rules.length; rule += OF_A_RULE)
      rules[rule + NEXT_SILENCE_CHECK_MS] = -Infinity;
  }

  #holds(condition: number): boolean {
    return this.#rules[condition * OF_A_RULE + HOLDS] === 1;
  }

  /** @param at where the sensor's part is, moved to that of the condition */
  #setCounts(at: number, rule: number, counts: boolean): void {
    const now = Number(counts);
    this.#rules[rule + COUNT]! += now - this.#memory[at + COUNTS]!;
    this.#memory[at + COUNTS] = now;
  }

  /** At most once a second of the site's time: with all quiet, `below … on all sensors` holds for days. */
  #discountSilent(rule: number): void {
    const rules = this.#rules;
    if (rules[rule + HOLDS] === 1 && this.#nowMs < rules[rule + NEXT_SILENCE_CHECK_MS]!) return;
    rules[rule + NEXT_SILENCE_CHECK_MS] = this.#nowMs + 1_000;
    const memory = this.#memory;
    const moved = (rule / OF_A_RULE) * OF_A_CONDITION;
    for (let own = 0; own < memory.length; own += this.#stride) {
      const silentForMs = this.#nowMs - memory[own + LAST]!;
      if (memory[own + moved + COUNTS] === 1 && silentForMs > memory[own + SILENT_AFTER]!) {
        this.#setCounts(own + moved, rule, false);
      }
    }
  }

  #evidence(
    rule: number,
    receivedAtMs: EpochMs,
    aheadMs: DurationMs,
    observedAtMs: EpochMs,
  ): ReadingsEvidence {
    const { conditions, site, sensors } = this.#options;
    const { condition, leaf } = conditions[rule]!;
    const judge = this.#judges[rule];
    const holds = this.#holds(rule);
    const atMs = this.#nowMs;
    const memory = this.#memory;
    const cell = (index: number, which: number): number => memory[index * this.#stride + which]!;
    const moved = rule * OF_A_CONDITION;
    const heard = [...sensors.keys()].filter((index) => cell(index, LAST) > -Infinity);
    // The deciding sensors first: those that count when it begins, those that do not when it ends.
    const decides = (index: number): number => Number((cell(index, moved + COUNTS) === 1) !== holds);
    const digests = heard
      .sort((a, b) => decides(a) - decides(b) || a - b)
      .slice(0, SENSORS_AT_MOST)
      .map((index): SensorDigest => {
        const since = cell(index, moved + SINCE);
        const filled = judge?.filled?.(index) ?? 0;
        return {
          sensor: sensors[index]!.id,
          vendor: sensors[index]!.vendor,
          value: cell(index, VALUE),
          sinceMs: Number.isNaN(since) ? null : since,
          ...(cell(index, SUSPECTED) === 1 ? { suspect: true } : {}),
          ...(filled === 0 ? {} : { filled }),
        };
      });
    const forecast = judge?.forecast?.(heard[0]!);
    const starts = digests.map((digest) => digest.sinceMs ?? atMs);
    return {
      kind: 'readings',
      key: `${site}|${leaf}|${atMs}|${holds}`,
      atMs,
      ...(aheadMs === 0 ? {} : { observedAtMs }),
      receivedAtMs,
      site,
      leaf,
      holds,
      channel: condition.channel,
      unit: condition.unit,
      sensors: digests,
      windowStartMs: starts.reduce((first, start) => Math.min(first, start), atMs),
      windowEndMs: atMs,
      ...(forecast === undefined ? {} : { forecast }),
    };
  }
}

function ruleOf(condition: ReadingsCondition): readonly [kind: number, threshold: number] {
  if (!isComparison(condition)) return [JUDGED, NaN];
  return [condition.when === 'atLeast' ? AT_LEAST : BELOW, condition.threshold];
}

function newestOf(memory: Float64Array, stride: number): EpochMs {
  let newest = -Infinity;
  for (let at = LAST; at < memory.length; at += stride) newest = Math.max(newest, memory[at]!);
  return newest;
}
