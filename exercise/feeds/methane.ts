import { createRandom } from '../../domain/random.ts';
import type { Random } from '../../domain/random.ts';
import type { DurationMs, EpochMs } from '../../domain/units.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** One reading every 5 s: 0.2 Hz. */
const EVERY_MS = 5 * SECOND;

/** Air that nobody has touched: a catalytic sensor reads about 1 %LEL, give or take. */
const QUIET_LEL = 1;
const NOISE_LEL = 0.25;

/** One reading a sensor, all sensors of one instant. */
export interface MethaneSweep {
  readonly atMs: EpochMs;
  readonly readings: readonly { readonly sensor: string; readonly valueLel: number }[];
}

export interface MethaneScenario {
  /** In time order, every 5 s. */
  readonly sweeps: readonly MethaneSweep[];
  /** What happens, for judging: never sent. */
  readonly truth: {
    readonly cooking: Span;
    readonly leak: Span;
    /** When the gas is shut off and the air begins to clear. */
    readonly shutAtMs: EpochMs;
  };
}

interface Span {
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
}

export interface MethaneOptions {
  /** First reading. */
  readonly startMs: EpochMs;
  readonly seed: number;
  /** At least 3; the leak is at the first two, the cook stands at the last. */
  readonly sensors: readonly string[];
  /** Quiet before the cook. @default 10 minutes */
  readonly quietMs?: DurationMs;
}

/**
 * A made-up afternoon in a building with gas, after how such sensors behave: a cook's unlit burner that one sensor
 * sees for 15 seconds and that nobody should hear of; then a joint that fails beside two sensors and fills the room as a
 * well-mixed space does (exponential approach to its level), until the gas is shut off and ventilation clears it
 * (exponential decay). The same seed gives the same readings.
 */
export function methaneScenario(options: MethaneOptions): MethaneScenario {
  const { startMs, seed, sensors, quietMs = 10 * MINUTE } = options;
  const random = createRandom(seed);
  const cookFrom = startMs + quietMs + random.integer(5) * MINUTE;
  const leakFrom = cookFrom + 20 * MINUTE + random.integer(10) * MINUTE;
  const shutAtMs = leakFrom + 20 * MINUTE + random.integer(5) * MINUTE;
  const endMs = shutAtMs + 60 * MINUTE;
  const cooking = { fromMs: cookFrom, toMs: cookFrom + 15 * SECOND };
  const rooms = sensors.map((sensor, index) => roomOf(sensor, index, sensors.length, random.fork(index)));

  const sweeps: MethaneSweep[] = [];
  for (let atMs = startMs; atMs <= endMs; atMs += EVERY_MS) {
    sweeps.push({
      atMs,
      readings: rooms.map(({ sensor, leakLel, fillMs, clearMs, cooks, random: own }) => {
        const cook = cooks && atMs >= cooking.fromMs && atMs < cooking.toMs ? 14 : 0;
        const filled = leakLel * (1 - Math.exp(-Math.max(0, Math.min(atMs, shutAtMs) - leakFrom) / fillMs));
        const leak = filled * Math.exp(-Math.max(0, atMs - shutAtMs) / clearMs);
        const value = QUIET_LEL + cook + leak + own.normal() * NOISE_LEL;
        return { sensor, valueLel: Math.round(Math.min(100, Math.max(0, value)) * 100) / 100 };
      }),
    });
  }
  return { sweeps, truth: { cooking, leak: { fromMs: leakFrom, toMs: endMs }, shutAtMs } };
}

interface Room {
  readonly sensor: string;
  /** Level that the leak would reach there. */
  readonly leakLel: number;
  readonly fillMs: DurationMs;
  readonly clearMs: DurationMs;
  readonly cooks: boolean;
  readonly random: Random;
}

function roomOf(sensor: string, index: number, count: number, random: Random): Room {
  // Beside the joint it reaches a quarter of the lower explosive limit and more; elsewhere only a trace arrives.
  const near = index < 2;
  return {
    sensor,
    leakLel: near ? 28 + random.unit() * 8 : 1.5 + random.unit(),
    fillMs: (near ? 5 : 12) * MINUTE,
    clearMs: (6 + random.unit() * 2) * MINUTE,
    cooks: index === count - 1,
    random,
  };
}
