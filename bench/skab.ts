import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { judgeRecording, readSkabCorpus } from '../bin/detect/skab-corpus.ts';
import type { SkabRecording } from '../bin/detect/skab-corpus.ts';
import { detectorNamed } from '../domain/detect/detectors.ts';
import {
  CHANGE_PROFILES,
  metronome,
  scoreChanges,
  scoreOutliers,
} from '../domain/detect/multi/skab-score.ts';
import type { ScoredRecording } from '../domain/detect/multi/skab-score.ts';
import { createRandom, shuffle } from '../domain/random.ts';
import { median, report, skip } from './harness.ts';

/**
 * Q4, Q5: detectors on the Skoltech recordings. `held-out`: the limits are chosen on a random half of the files and
 * judged on the other, over 10 halvings.
 */
const TRAINING = 400;
const HALVINGS = 10;
const MOST_FALSE_ALARMS = 0.2;
const LIMITS = [15, 20, 25, 30, 40, 50, 60, 80];
const CHANGE_LIMITS = [4, 6, 8, 10, 14];
const folder = fileURLToPath(new URL('../../shared/data/skab', import.meta.url));

if (!existsSync(folder)) skip('Q4-Q5/skab', 'data ../shared/data/skab is absent');
else await measure();

async function measure(): Promise<void> {
  const corpus = (await readSkabCorpus(folder)).filter(({ truth }) => truth !== null);
  const usual = run(corpus, {}, {});
  const outliers = scoreOutliers(usual);
  // The convolutional autoencoder of the benchmark's own table.
  report(quality('Q4/skab-f1', outliers.f1, 0.784, { floor: 0.72 / 0.784, goal: 0.78 / 0.784 }));
  report({
    ...quality('Q4/skab-false-alarm-rate', outliers.falseAlarmRate, 0.136, { floor: 0.136 / 0.2, goal: 1 }),
    better: 'lower',
  });
  report(quality('Q5/skab-change-points', changes(usual), 32.4, { floor: 20 / 32.4, goal: 27 / 32.4 }));
  const blind = usual.map((each) => ({ ...each, named: metronome(each.timesMs, 60_000) }));
  report(
    quality('Q5/skab-change-points-vs-every-minute', changes(usual), changes(blind), { floor: 0, goal: 1 }),
  );
  heldOut(corpus);
}

function heldOut(corpus: readonly SkabRecording[]): void {
  const sets = LIMITS.map((limit) => run(corpus, { limit }, {}));
  const changeSets = CHANGE_LIMITS.map((limit) => run(corpus, {}, { limit }));
  const random = createRandom(1);
  const f1: number[] = [];
  const falseAlarms: number[] = [];
  const changeScores: number[] = [];
  for (let i = 0; i < HALVINGS; i++) {
    const order = shuffle(
      corpus.map((_, k) => k),
      random,
    );
    const half = order.length >> 1;
    const [tuned, judged] = [order.slice(0, half), order.slice(half)];
    const at = (set: readonly ScoredRecording[], rows: readonly number[]): ScoredRecording[] =>
      rows.map((k) => set[k]!);
    const best = sets.reduce((a, b) => (worth(at(b, tuned)) > worth(at(a, tuned)) ? b : a));
    const bestChanges = changeSets.reduce((a, b) => (changes(at(b, tuned)) > changes(at(a, tuned)) ? b : a));
    const outliers = scoreOutliers(at(best, judged));
    f1.push(outliers.f1);
    falseAlarms.push(outliers.falseAlarmRate);
    changeScores.push(changes(at(bestChanges, judged)));
  }
  spread('Q4/skab-f1-held-out', f1, 0.784, { floor: 0.72 / 0.784, goal: 0.78 / 0.784 });
  spread('Q4/skab-false-alarm-rate-held-out', falseAlarms, 0.136, { floor: 0.136 / 0.2, goal: 1 }, 'lower');
  spread('Q5/skab-change-points-held-out', changeScores, 32.4, { floor: 20 / 32.4, goal: 27 / 32.4 });
}

/** F1, or less than any when there are too many false alarms. */
function worth(recordings: readonly ScoredRecording[]): number {
  const { f1, falseAlarmRate } = scoreOutliers(recordings);
  return falseAlarmRate > MOST_FALSE_ALARMS ? -falseAlarmRate : f1;
}

function changes(recordings: readonly ScoredRecording[]): number {
  return scoreChanges(recordings, { windowMs: 60_000, profile: CHANGE_PROFILES.standard });
}

function run(
  corpus: readonly SkabRecording[],
  outlierParameters: Readonly<Record<string, number>>,
  changeParameters: Readonly<Record<string, number>>,
): ScoredRecording[] {
  const detectors = {
    outliers: detectorNamed('pca', { training: TRAINING, ...outlierParameters }),
    changes: detectorNamed('level-change', { training: TRAINING, ...changeParameters }),
  };
  return corpus.map((recording) => judgeRecording(recording, detectors, TRAINING));
}

interface Bounds {
  readonly floor: number;
  readonly goal: number;
}

function quality(id: string, ours: number, reference: number, bounds: Bounds): Parameters<typeof report>[0] {
  return { id, ours, reference, unit: id.startsWith('Q5') ? 'points' : 'share', better: 'higher', ...bounds };
}

function spread(
  id: string,
  ours: readonly number[],
  reference: number,
  bounds: Bounds,
  better: 'lower' | 'higher' = 'higher',
): void {
  const ratios = ours.map((value) => (better === 'lower' ? reference / value : value / reference));
  report({
    ...quality(id, median(ours), reference, bounds),
    better,
    min: Math.min(...ratios),
    max: Math.max(...ratios),
    n: ours.length,
  });
}
