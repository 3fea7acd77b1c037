import { createHash } from 'node:crypto';
import { encodeForecaster } from '../../domain/forecast/artefact.ts';
import { trainForecaster } from '../../domain/forecast/forecaster.ts';
import type { ForecastKind } from '../../domain/forecast/learnt.ts';
import type { RegisteredForecaster } from '../../domain/forecast/trained.ts';
import { createRandom } from '../../domain/random.ts';

const MINUTE = 60_000;

/** Seven hours of a river stage in metres, a reading a minute: it wanders about 2, and a flood comes and goes in the last
 * three, up to 5. */
export function risingRiver(seed: number, startMs = 0): [atMs: number, value: number][] {
  const random = createRandom(seed);
  let wander = 0;
  return Array.from({ length: 420 }, (_, minute) => {
    wander = 0.9 * wander + 0.02 * random.normal();
    const rise = minute < 240 ? 0 : 1.5 * (1 - Math.cos((2 * Math.PI * (minute - 240)) / 180));
    return [startMs + minute * MINUTE, 2 + wander + rise];
  });
}

/** A forecaster called `river`, trained on other rises than those it will see. @param about mirrored there, for falls */
export function registered(kind: ForecastKind, about?: number): RegisteredForecaster {
  const days = [1, 2, 3, 4].flatMap((seed) => risingRiver(seed, (seed - 1) * 420 * MINUTE));
  const forecaster = trainForecaster(
    {
      timesMs: Float64Array.from(days, ([atMs]) => atMs),
      values: Float64Array.from(days, ([, value]) => (about === undefined ? value : about - value)),
    },
    {
      ...{ channel: 'stage', unit: 'm', kind, horizonMs: 30 * MINUTE },
      clean: [{ do: 'resample', everyMs: 5 * MINUTE }],
    },
  );
  const hash = createHash('sha256').update(encodeForecaster(forecaster)).digest('hex');
  const { everyMs, steps } = forecaster;
  return { name: 'river', hash, channel: 'stage', unit: 'm', everyMs, steps, forecaster };
}
