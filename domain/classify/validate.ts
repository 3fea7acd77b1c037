import { TocsinError } from '../errors.ts';
import { createRandom, shuffle } from '../random.ts';
import { reliability } from './calibration.ts';
import { TRAINING_DATA_INVALID } from './codes.ts';
import { encodeRow, type Row } from './features.ts';
import { argmax } from './matrix.ts';
import { score, spread, type Interval, type Score } from './metrics.ts';
import {
  calibratedShares,
  decide,
  predict,
  type CrossValidatedRule,
  type CrossValidation,
  type DecisionRule,
  type Judgement,
  type Recogniser,
} from './recogniser.ts';
import { stratifiedFolds, trainRecogniser, type TrainingRequest } from './train.ts';
import { vote } from './vote.ts';

const BOOTSTRAPS = 1000;
/** Confidence below which the card counts a row as one for a human. */
const ASK_BELOW = 0.8;

/** How the recogniser does on rows it was not trained on. */
export function judge(recogniser: Recogniser, rows: readonly Row[], labels: readonly string[]): Judgement {
  const { classes, decision, trainingShares } = recogniser;
  const truth = labels.map((label) => classes.indexOf(label));
  const shares = rows.map((row) => calibratedShares(recogniser, encodeRow(recogniser.preprocessing, row)));
  const scored = (rule: DecisionRule): Score =>
    score(
      truth,
      shares.map((p) => decide(p, trainingShares, rule)),
      classes.length,
    );
  const best = shares.map(argmax);
  const own = scored(decision);
  return {
    ...own,
    classes,
    decision,
    balancedAccuracyInterval: bootstrapBalancedAccuracy(own, recogniser.seed),
    balancedRule: scored('balanced'),
    reliability: reliability(
      shares.map((p, i) => p[best[i]!]!),
      best.map((k, i) => k === truth[i]),
    ),
    belowAskLimit: shares.filter((p, i) => p[best[i]!]! < ASK_BELOW).length / Math.max(1, rows.length),
  };
}

/** Rows are drawn again within each class, so that rare classes keep their count. */
function bootstrapBalancedAccuracy({ recall, confusion }: Score, seed: number): Interval {
  const random = createRandom(seed).fork(2);
  const values: number[] = [];
  for (let b = 0; b < BOOTSTRAPS; b++) {
    let sum = 0;
    let known = 0;
    for (const [k, share] of recall.entries()) {
      if (share === null) continue;
      const cases = confusion[k]!.reduce((total, n) => total + n, 0);
      let hits = 0;
      for (let i = 0; i < cases; i++) if (random.unit() < share) hits++;
      sum += hits / cases;
      known++;
    }
    values.push(known === 0 ? 0 : sum / known);
  }
  return spread(values);
}

/** Repeated stratified cross-validation: every row is judged once a repeat, by a recogniser that never saw it. */
export function crossValidate(
  request: TrainingRequest,
  options: {
    readonly folds: number;
    readonly repeats: number;
    /** Told after every fold how many are done. */
    readonly onFold?: (done: number) => void;
  },
): CrossValidation {
  const { classes, labels } = request;
  const { folds: foldCount, repeats } = options;
  refuseFewRows(request, foldCount);
  let done = 0;
  const byFold: Record<DecisionRule, Score[]> = { 'most-probable': [], balanced: [] };
  const truth = Uint8Array.from(labels, (label) => classes.indexOf(label));
  const rules: readonly DecisionRule[] = ['most-probable', 'balanced'];
  const own: Record<DecisionRule, Score[]> = { 'most-probable': [], balanced: [] };
  const baseline: Record<DecisionRule, Score[]> = { 'most-probable': [], balanced: [] };
  const errors: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const folds = stratifiedFolds(truth, foldCount, createRandom(request.seed).fork(100 + repeat));
    const ours = unseenAnswers(request, truth, folds, () => options.onFold?.(++done));
    const right = ours['most-probable'].map((k, r) => (k === truth[r] ? 1 : 0));
    errors.push(reliability(ours.confidences, Array.from(right, Boolean)).expectedCalibrationError);
    // Fitted without weights, logistic regression is calibrated as it is.
    const plain = unseenAnswers(
      { ...request, kind: 'logistic', weights: 'none', calibration: 'none' },
      truth,
      folds,
    );
    for (const rule of rules) {
      for (const held of folds) {
        const answered = Array.from(held, (r) => ours[rule][r]!);
        byFold[rule].push(
          score(
            Array.from(held, (r) => truth[r]!),
            answered,
            classes.length,
          ),
        );
      }
      own[rule].push(score(truth, ours[rule], classes.length));
      baseline[rule].push(score(truth, plain[rule], classes.length));
    }
  }
  const commonest = argmax(classes.map((_, k) => truth.filter((value) => value === k).length));
  const majority = score(truth, new Uint8Array(truth.length).fill(commonest), classes.length);
  const summary = (rule: DecisionRule): CrossValidatedRule => ({
    balancedAccuracy: spread(own[rule].map((s) => s.balancedAccuracy)),
    accuracy: spread(own[rule].map((s) => s.accuracy)),
    interval: {
      balancedAccuracy: correctedInterval(
        mean(own[rule].map((s) => s.balancedAccuracy)),
        byFold[rule].map((s) => s.balancedAccuracy),
        foldCount,
      ),
      accuracy: correctedInterval(
        mean(own[rule].map((s) => s.accuracy)),
        byFold[rule].map((s) => s.accuracy),
        foldCount,
      ),
    },
    recall: Object.fromEntries(
      classes.map((name, k) => [name, mean(own[rule].map((s) => s.recall[k] ?? 0))]),
    ),
    majority: { balancedAccuracy: majority.balancedAccuracy, accuracy: majority.accuracy },
    logistic: {
      balancedAccuracy: spread(baseline[rule].map((s) => s.balancedAccuracy)),
      accuracy: spread(baseline[rule].map((s) => s.accuracy)),
    },
  });
  return {
    folds: foldCount,
    repeats,
    rules: { 'most-probable': summary('most-probable'), balanced: summary('balanced') },
    expectedCalibrationError: mean(errors),
  };
}

/** Every fold's training part must still hold two rows of every class. */
function refuseFewRows({ classes, labels, rows }: TrainingRequest, folds: number): void {
  const refuse = (problem: string): never => {
    throw new TocsinError(TRAINING_DATA_INVALID, `Cannot cross-validate: ${problem}.`, {
      details: { folds },
    });
  };
  if (folds < 2 || folds > rows.length) refuse(`${rows.length} rows cannot make ${folds} folds`);
  for (const name of classes) {
    const count = labels.filter((label) => label === name).length;
    if (count - Math.ceil(count / folds) < 2) {
      refuse(`class "${name}" has ${count} rows, too few to learn from when a fold is held out`);
    }
  }
}

/**
 * 95 % interval of the mean over folds. Training parts overlap, so the plain variance is too small: it is corrected
 * by the share of judged to training rows (Nadeau & Bengio, 2003).
 */
function correctedInterval(centre: number, values: readonly number[], folds: number): Interval {
  const average = mean(values);
  const variance = values.reduce((sum, v) => sum + (v - average) ** 2, 0) / Math.max(1, values.length - 1);
  const half = 1.96 * Math.sqrt((1 / values.length + 1 / (folds - 1)) * variance);
  return { mean: centre, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

type UnseenAnswers = Readonly<Record<DecisionRule, Uint8Array>> & {
  /** Probability of the most probable class. */
  readonly confidences: Float64Array;
};

function unseenAnswers(
  request: TrainingRequest,
  truth: Uint8Array,
  folds: readonly Int32Array[],
  onFold: () => void = () => undefined,
): UnseenAnswers {
  const { rows, labels } = request;
  const answers = {
    'most-probable': new Uint8Array(truth.length),
    balanced: new Uint8Array(truth.length),
    confidences: new Float64Array(truth.length),
  };
  for (const held of folds) {
    const out = new Set(held);
    const kept = rows.map((_, r) => r).filter((r) => !out.has(r));
    const recogniser = trainRecogniser({
      ...request,
      rows: kept.map((r) => rows[r]!),
      labels: kept.map((r) => labels[r]!),
    });
    for (const r of held) {
      const p = calibratedShares(recogniser, encodeRow(recogniser.preprocessing, rows[r]!));
      answers['most-probable'][r] = argmax(p);
      answers.balanced[r] = decide(p, recogniser.trainingShares, 'balanced');
      answers.confidences[r] = Math.max(...p);
    }
    onFold();
  }
  return answers;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
}

/**
 * Balanced accuracy, by the `balanced` rule, lost when one feature's values are shuffled among the rows
 * (Breiman, 2001); largest first.
 */
export function permutationImportance(
  recogniser: Recogniser,
  rows: readonly Row[],
  labels: readonly string[],
  options: { readonly repeats?: number } = {},
): { feature: string; loss: number }[] {
  const repeats = options.repeats ?? 5;
  const { classes, preprocessing, trainingShares } = recogniser;
  const truth = labels.map((label) => classes.indexOf(label));
  const quality = (changed: readonly Row[]): number => {
    const answers = changed.map((row) =>
      decide(calibratedShares(recogniser, encodeRow(preprocessing, row)), trainingShares, 'balanced'),
    );
    return score(truth, answers, classes.length).balancedAccuracy;
  };
  const whole = quality(rows);
  return preprocessing.features
    .map(({ spec }, index) => {
      const lost = Array.from({ length: repeats }, (_, repeat) => {
        const random = createRandom(recogniser.seed).fork(1000 + index * repeats + repeat);
        const order = shuffle(
          rows.map((_row, r) => r),
          random,
        );
        return (
          whole -
          quality(rows.map((row, r) => ({ ...row, [spec.name]: rows[order[r]!]![spec.name] ?? null })))
        );
      });
      return { feature: spec.name, loss: mean(lost) };
    })
    .sort((a, b) => b.loss - a.loss);
}

export interface Abstentions {
  readonly minConfidence: number;
  /** Share of rows on which it would rather ask a person. */
  readonly share: number;
  /** Rows with an input outside the training range. */
  readonly outOfRange: number;
  /** Share of the other rows that it got right; null when there are none. */
  readonly accuracyWhenAnswered: number | null;
}

/** How often a recogniser abstains, for too little confidence or an input outside the training range. */
export function abstentions(
  recogniser: Recogniser,
  rows: readonly Row[],
  labels: readonly string[],
  minConfidence: number,
): Abstentions {
  let abstained = 0;
  let outside = 0;
  let right = 0;
  for (const [r, row] of rows.entries()) {
    const prediction = predict(recogniser, row);
    if (prediction.outOfRange.length > 0) outside++;
    if (vote([prediction], { minConfidence }).label === undefined) abstained++;
    else if (prediction.label === labels[r]) right++;
  }
  const answered = rows.length - abstained;
  return {
    minConfidence,
    share: abstained / Math.max(1, rows.length),
    outOfRange: outside,
    accuracyWhenAnswered: answered === 0 ? null : right / answered,
  };
}
