/*
 * npm run bench -- detect: four detectors a reading over many sensors against a scalar loop that does one EWMA (P4),
 * and what they allocate. `--sensors N` and `--batch N` change the shape.
 */
import { parseArgs } from 'node:util';
import { DetectorBank } from '../domain/detect/kernel.ts';
import { createRandom } from '../domain/random.ts';
import { compare, report, timed } from './harness.ts';

const { values: given } = parseArgs({
  options: {
    sensors: { type: 'string' },
    batch: { type: 'string' },
    json: { type: 'boolean' },
  },
});
const SENSORS = given.sensors === undefined ? [17, 5000, 50_000] : [Number(given.sensors)];
const BATCHES = given.batch === undefined ? [7, 1000] : [Number(given.batch)];
/** A few milliseconds of work: short enough to run between two turns of other programs. */
const READINGS = 200_000;

const random = createRandom(1);
const readings = Float64Array.from({ length: READINGS }, () => 20 + random.normal());
/** Keeps the loops from being thought away. */
let kept = 0;

for (const sensors of SENSORS) {
  for (const batch of BATCHES) {
    const bank = new DetectorBank(sensors);
    const order = Uint32Array.from({ length: READINGS }, (_, i) => i % sensors);
    const masks = new Uint8Array(batch);
    // Views are made before the clock starts: a feed hands over its own columns.
    const columns = Array.from({ length: Math.floor(READINGS / batch) }, (_, i) => ({
      ids: order.subarray(i * batch, (i + 1) * batch),
      values: readings.subarray(i * batch, (i + 1) * batch),
    }));
    const whole = columns.length * batch;
    const run = (): void => {
      let alarmed = 0;
      for (let i = 0; i < columns.length; i++) {
        alarmed += bank.pushColumn(columns[i]!.ids, columns[i]!.values, batch, masks);
      }
      kept += alarmed;
    };
    // Past the learning time of every sensor, whatever their number.
    for (let i = 0; i < (100 * sensors) / whole; i++) run();
    const scalar = (): void => {
      kept += scalarEwma(readings, whole);
    };
    await compare({
      id: `P4 detect.kernel ${sensors} sensors, batch ${batch}`,
      unit: 'ns/reading',
      better: 'lower',
      floor: 1 / 8,
      goal: 1 / 5,
      repetitions: 7,
      ours: () => quietest(run, whole),
      reference: () => quietest(scalar, whole),
    });
    const allocated = Math.min(...Array.from({ length: 5 }, () => allocatedBy(run))) / whole;
    report({
      id: `P4 detect.allocation ${sensors} sensors, batch ${batch}`,
      ours: allocated,
      reference: 1,
      ratio: 1 / Math.max(allocated, 0.001),
      unit: 'B/reading',
      better: 'lower',
      floor: 1,
      goal: 100,
    });
  }
}
function scalarEwma(values: Float64Array, n: number): number {
  let mean = values[0]!;
  for (let i = 0; i < n; i++) mean += 0.01 * (values[i]! - mean);
  return mean;
}

/** Nanoseconds a reading: the best of twenty, since other work on the machine only ever adds. */
function quietest(work: () => void, whole: number): number {
  return (Math.min(...Array.from({ length: 20 }, () => timed(work))) / whole) * 1e6;
}

function allocatedBy(work: () => void): number {
  const before = process.memoryUsage();
  work();
  const after = process.memoryUsage();
  return Math.max(0, after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers);
}

if (!Number.isFinite(kept)) throw new Error('The loops lost their numbers.');
