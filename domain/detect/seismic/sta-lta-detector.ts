import { defineDetector } from '../detector.ts';
import { ReusedVerdict, scoreOf } from '../stream/verdict.ts';
import { createRecursiveStaLta } from './sta-lta.ts';

/**
 * Alarms when the power of the last rows is many times that of the rows before, and ends when it is back: shaking,
 * knocking, a burst of any kind. Each channel is taken less its own slow mean; channels count together, so that three
 * axes are one motion. A missing value says nothing and is left out.
 */
export const staLta = defineDetector({
  name: 'sta-lta',
  summary: 'the power of the last rows is many times that of the rows before (recursive STA/LTA)',
  channels: { minimum: 1, maximum: 3 },
  parameters: {
    staRows: { meaning: 'length of the short average', default: 10, minimum: 1, maximum: 1e6, unit: 'rows' },
    ltaRows: {
      meaning: 'length of the long average; nothing alarms before it is full',
      default: 200,
      minimum: 2,
      maximum: 1e8,
      unit: 'rows',
    },
    on: { meaning: 'alarms above this ratio of power', default: 4, minimum: 1, maximum: 1e6 },
    off: { meaning: 'ends below this ratio', default: 1.5, minimum: 0, maximum: 1e6 },
  },
  create({ parameters: { staRows, ltaRows, on, off }, channels, state }) {
    const ratio = createRecursiveStaLta({ sta: Math.min(staRows, ltaRows - 1), lta: ltaRows });
    const verdict = new ReusedVerdict();
    const means = new Float64Array(channels);
    let rows = 0;
    let lastMs = Number.NEGATIVE_INFINITY;
    if (state !== undefined) {
      const saved = state as unknown as Saved;
      means.set(saved.means);
      ratio.restore(saved.ratio);
      rows = saved.rows;
      lastMs = saved.lastMs ?? lastMs;
      verdict.alarm = saved.alarm;
    }
    return {
      channels,
      push(timeMs, row) {
        if (timeMs < lastMs) return verdict.unchanged();
        lastMs = timeMs;
        let power = 0;
        for (let c = 0; c < channels; c++) {
          const value = row[c]!;
          if (!Number.isFinite(value)) return verdict.unchanged();
        }
        rows++;
        for (let c = 0; c < channels; c++) {
          means[c]! += (row[c]! - means[c]!) / Math.min(rows, ltaRows);
          power += (row[c]! - means[c]!) ** 2;
        }
        const now = ratio.push(Math.sqrt(power));
        return verdict.set(scoreOf(now, on), verdict.alarm ? now >= off : now > on, now);
      },
      save: () => ({
        means: [...means],
        ratio: ratio.save(),
        rows,
        lastMs: Number.isFinite(lastMs) ? lastMs : null,
        alarm: verdict.alarm,
      }),
    };
  },
});

interface Saved {
  readonly means: readonly number[];
  readonly ratio: readonly [number, number, number];
  readonly rows: number;
  readonly lastMs: number | null;
  readonly alarm: boolean;
}
