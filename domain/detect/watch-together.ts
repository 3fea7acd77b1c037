import { SENSORS_AT_MOST } from '../evidence.ts';
import type { ReadingsEvidence, SensorDigest } from '../evidence.ts';
import type { TogetherCondition } from '../plan/document.ts';
import type { EpochMs } from '../units.ts';
import type { Detector, DetectorState } from './detector.ts';
import { detectorNamed } from './detectors.ts';
import { NO_TURNS } from './turns.ts';

export interface TogetherWatchOptions {
  readonly condition: TogetherCondition;
  /** Path of the condition in the plan document. */
  readonly leaf: string;
  readonly site: string;
  /** All sensors of the site that measure one of the condition's channels; their order is that of the columns. */
  readonly sensors: readonly { readonly id: string; readonly vendor: string }[];
  readonly state?: TogetherWatchState;
}

/** Everything it must remember, as JSON; null stands for what was not heard. */
export interface TogetherWatchState {
  readonly holds: boolean;
  readonly sinceMs: EpochMs | null;
  readonly rowAtMs: EpochMs | null;
  readonly row: readonly (number | null)[];
  readonly last: readonly (number | null)[];
  readonly detector: DetectorState;
}

/**
 * Watches the sensors of a site together: what each measures may be as ever, and all of them as never before. A row
 * holds one value a sensor. It is judged as soon as every sensor has spoken, or when one speaks again before the
 * others did, and then without them.
 */
export class TogetherWatch {
  readonly #options: TogetherWatchOptions;
  readonly #detector: Detector;
  readonly #row: Float64Array;
  readonly #last: Float64Array;
  #heard = 0;
  #rowAtMs = -Infinity;
  #sinceMs: EpochMs | null = null;
  #holds = false;

  constructor(options: TogetherWatchOptions) {
    const { condition, sensors, state } = options;
    this.#options = options;
    this.#detector = detectorNamed(condition.detector, condition.parameters).create(
      sensors.length,
      state?.detector,
    );
    this.#row = new Float64Array(sensors.length).fill(NaN);
    this.#last = new Float64Array(sensors.length).fill(NaN);
    if (state === undefined) return;
    this.#holds = state.holds;
    this.#sinceMs = state.sinceMs;
    this.#rowAtMs = state.rowAtMs ?? -Infinity;
    state.row.forEach((value, n) => (this.#row[n] = value ?? NaN));
    state.last.forEach((value, n) => (this.#last[n] = value ?? NaN));
    this.#heard = state.row.filter((value) => value !== null).length;
  }

  /** Takes one reading, oldest first. Answers evidence when the condition begins or ceases to hold. */
  push(sensor: number, atMs: EpochMs, value: number, receivedAtMs: EpochMs): readonly ReadingsEvidence[] {
    let turn: ReadingsEvidence | null = null;
    if (!Number.isNaN(this.#row[sensor]!)) turn = this.#judge(receivedAtMs);
    this.#row[sensor] = value;
    this.#last[sensor] = value;
    this.#heard++;
    this.#rowAtMs = Math.max(this.#rowAtMs, atMs);
    if (this.#heard === this.#row.length) turn = this.#judge(receivedAtMs) ?? turn;
    return turn === null ? NO_TURNS : [turn];
  }

  /** Copies what is remembered, by leaf. */
  capture(): () => Record<string, TogetherWatchState> {
    const state = this.#state();
    return () => ({ [this.#options.leaf]: state });
  }

  #state(): TogetherWatchState {
    const plain = (values: Float64Array): (number | null)[] =>
      Array.from(values, (value) => (Number.isNaN(value) ? null : value));
    return {
      holds: this.#holds,
      sinceMs: this.#sinceMs,
      rowAtMs: this.#rowAtMs === -Infinity ? null : this.#rowAtMs,
      row: plain(this.#row),
      last: plain(this.#last),
      detector: this.#detector.save(),
    };
  }

  #judge(receivedAtMs: EpochMs): ReadingsEvidence | null {
    const atMs = this.#rowAtMs;
    const { alarm } = this.#detector.push(atMs, this.#row);
    this.#row.fill(NaN);
    this.#heard = 0;
    this.#sinceMs = alarm ? (this.#sinceMs ?? atMs) : null;
    const holds = this.#sinceMs !== null && atMs - this.#sinceMs >= this.#options.condition.forMs;
    if (holds === this.#holds) return null;
    this.#holds = holds;
    return this.#evidence(atMs, receivedAtMs);
  }

  #evidence(atMs: EpochMs, receivedAtMs: EpochMs): ReadingsEvidence {
    const { condition, leaf, site, sensors } = this.#options;
    const digests = sensors
      .map(({ id, vendor }, n): SensorDigest => ({
        sensor: id,
        vendor,
        value: this.#last[n]!,
        sinceMs: this.#sinceMs,
      }))
      .filter(({ value }) => !Number.isNaN(value))
      .slice(0, SENSORS_AT_MOST);
    return {
      kind: 'readings',
      key: `${site}|${leaf}|${atMs}|${this.#holds}`,
      atMs,
      receivedAtMs,
      site,
      leaf,
      holds: this.#holds,
      channel: condition.channels.join('+'),
      unit: '',
      sensors: digests,
      windowStartMs: this.#sinceMs ?? atMs,
      windowEndMs: atMs,
    };
  }
}
