import { TocsinError } from '../errors.ts';
import type { EpochMs, Text } from '../units.ts';
import { calibrate, type Calibration, type Reliability } from './calibration.ts';
import { RECOGNISER_INPUT_INVALID } from './codes.ts';
import { encodeRow, outOfRange, type OutOfRange, type Preprocessing, type Row } from './features.ts';
import { forestLabel, forestShares, type Forest } from './forest.ts';
import { logisticShares, type Logistic } from './logistic.ts';
import { argmax } from './matrix.ts';
import type { Interval, Score } from './metrics.ts';
import { mlpShares, type Mlp } from './mlp.ts';
import { svmShares, type Svm } from './svm.ts';

export const RECOGNISER_SCHEMA = 'tocsin/recogniser/v1';

export type RecogniserKind = MemberKind | 'vote';

/** Kinds that answer alone, and may be members of a vote. */
export type MemberKind = 'forest' | 'tree' | 'svm' | 'logistic' | 'mlp';

/**
 * How probabilities become a label. `most-probable`: the likeliest class. `balanced`: the class whose probability has
 * grown most against its share in training, which is best for balanced accuracy: rare classes are named as soon as
 * they are more likely than usual. The probabilities are the same under both.
 */
export type DecisionRule = 'most-probable' | 'balanced';

/** What training learnt, by kind. A tree is a forest of one. */
export type Learnt = MemberLearnt | { readonly kind: 'vote'; readonly members: readonly Member[] };

/** A voter with its own calibration; all members of a vote see the same columns. */
export interface Member {
  readonly learnt: MemberLearnt;
  readonly calibration: Calibration;
}

export type MemberLearnt =
  | { readonly kind: 'forest' | 'tree'; readonly forest: Forest }
  | { readonly kind: 'svm'; readonly svm: Svm }
  | { readonly kind: 'logistic'; readonly logistic: Logistic }
  | { readonly kind: 'mlp'; readonly mlp: Mlp };

/**
 * A trained classifier: everything needed to answer for a row, and nothing else. Its bytes (`encodeRecogniser`) have
 * a hash, and the hash stands beside every decision it had a part in.
 */
export interface Recogniser {
  readonly schema: typeof RECOGNISER_SCHEMA;
  /** Slug under which plans vote with it: `notice-forest`. */
  readonly name: string;
  readonly kind: RecogniserKind;
  /** Class slugs; their order is the order of every class index. */
  readonly classes: readonly string[];
  /** Class names for people, by slug. */
  readonly classTexts: Readonly<Record<string, Text>>;
  readonly preprocessing: Preprocessing;
  readonly learnt: Learnt;
  readonly calibration: Calibration;
  readonly decision: DecisionRule;
  /** Share of each class in the training rows, by class index. */
  readonly trainingShares: readonly number[];
  /**
   * A few training rows, spread over the classes, with their true label and the answer given to them when the
   * recogniser was trained (`uncalibratedAnswer`): activation answers them again and compares.
   */
  readonly canary: readonly { readonly row: Row; readonly label: string; readonly answer: string }[];
  /** Rows to compare new ones with; absent in artefacts of the first release. */
  readonly past?: PastRows;
  /** The table it was trained from; absent when its rows came from elsewhere. */
  readonly table?: { readonly target: string; readonly leftOut: readonly string[] };
  readonly seed: number;
}

/** A sample of the training rows, every class in its share, as the recogniser sees them. */
export interface PastRows {
  /** Row-major, `columns.length` numbers a row. */
  readonly x: Float64Array;
  /** Class index of each row. */
  readonly y: Int16Array;
  /** Where each row stood among the training rows, from 1. */
  readonly at: Int32Array;
}

/** What is known about a recogniser: shown to people, stored beside the artefact. Plain JSON. */
export interface RecogniserCard {
  readonly schema: 'tocsin/recogniser-card/v1';
  readonly name: string;
  readonly kind: RecogniserKind;
  /** SHA-256 of the artefact's bytes. */
  readonly hash: string;
  /** SHA-256 of the training rows and labels as canonical JSON lines. */
  readonly trainingDataSha256: string;
  readonly rowsPerClass: Readonly<Record<string, { readonly trained: number; readonly judged: number }>>;
  /** How training and judging rows were parted, in words. */
  readonly split: Text;
  /** On the judged rows, none of which was trained on. */
  readonly judged: Judgement;
  /** Repeated stratified cross-validation over all rows, beside the two baselines; null when it was not asked for. */
  readonly crossValidation: CrossValidation | null;
  /** Loss of balanced accuracy when one feature is shuffled, most important first. */
  readonly importance: readonly { readonly feature: string; readonly loss: number }[];
  /** Bounds of the numeric training inputs. */
  readonly bounds: Readonly<
    Record<string, { readonly low: number; readonly high: number; readonly unit: string }>
  >;
  readonly seed: number;
  readonly versions: Readonly<Record<string, string>>;
  /** How it came from closed incidents; absent when it did not. */
  readonly retraining?: RetrainingCard;
}

/** What a retraining added to the rows of the first training, and what that changed. */
export interface RetrainingCard {
  /** Run id of the workflow. */
  readonly run: string;
  /** Principal id, or the job. */
  readonly by: string;
  /** Labels up to here count. */
  readonly asOfMs: EpochMs;
  readonly incidents: { readonly labelled: number; readonly usable: number; readonly taught: number };
  readonly taughtPerClass: Readonly<Record<string, number>>;
  readonly vendors: Readonly<Record<string, { readonly offered: number; readonly kept: number }>>;
  readonly vendorShareAtMost: number;
  /** Labelled incidents that did not teach, by reason; reasons that never held are absent. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** On the judged rows, beside the version that voted then. */
  readonly versus: Versus;
  /** What the gate said, in words. */
  readonly findings: readonly string[];
}

export interface Versus {
  readonly hash: string;
  readonly accuracy: BeforeAfter;
  readonly balancedAccuracy: BeforeAfter;
  /** By class; severe classes must not be recognised less often. */
  readonly recall: Readonly<Record<string, BeforeAfter>>;
}

export interface BeforeAfter {
  /** 0..1; null when no judged row is of the class. */
  readonly before: number | null;
  readonly after: number | null;
}

/** How a recogniser did on rows it was not trained on. */
export interface Judgement extends Score {
  readonly classes: readonly string[];
  /** The rule behind the labels of this judgement. */
  readonly decision: DecisionRule;
  /** 95 % parametric bootstrap over the judged rows of each class. */
  readonly balancedAccuracyInterval: Interval;
  /** The same rows labelled by the `balanced` rule: what it would find if told to name rare classes early. */
  readonly balancedRule: Score;
  readonly reliability: Reliability;
  /** Share of rows whose best probability is below 0.8, where a plan asks a human. */
  readonly belowAskLimit: number;
}

export interface CrossValidation {
  readonly folds: number;
  readonly repeats: number;
  /** By the rule that names the likeliest class, and by the one that weighs all classes alike. */
  readonly rules: Readonly<Record<DecisionRule, CrossValidatedRule>>;
  readonly expectedCalibrationError: number;
}

export interface CrossValidatedRule {
  readonly balancedAccuracy: Interval;
  readonly accuracy: Interval;
  /** 95 % interval of the mean over all folds, corrected for their overlap; absent in cards of the first release. */
  readonly interval?: { readonly balancedAccuracy: Interval; readonly accuracy: Interval };
  /** Mean recall of each class over the repeats. */
  readonly recall: Readonly<Record<string, number>>;
  /** Always answering the commonest class. */
  readonly majority: { readonly balancedAccuracy: number; readonly accuracy: number };
  /** Logistic regression on the same folds and by the same rule. */
  readonly logistic: { readonly balancedAccuracy: Interval; readonly accuracy: Interval };
}

export interface Prediction {
  readonly recogniser: string;
  readonly label: string;
  /** Calibrated, 0..1, sums to 1. */
  readonly probabilities: Readonly<Record<string, number>>;
  /** Inputs outside the training range; empty when all are inside. */
  readonly outOfRange: readonly OutOfRange[];
}

/**
 * Answers for one row. Refuses rows it cannot read (missing or unknown fields, text in a number, NaN) with
 * RECOGNISER_INPUT_INVALID; a row outside the training range is answered and flagged.
 */
export function predict(recogniser: Recogniser, row: Row): Prediction {
  refuseUnknownFields(recogniser, row);
  const calibrated = calibratedShares(recogniser, encodeRow(recogniser.preprocessing, row));
  return {
    recogniser: recogniser.name,
    label: recogniser.classes[decide(calibrated, recogniser.trainingShares, recogniser.decision)]!,
    probabilities: Object.fromEntries(recogniser.classes.map((name, k) => [name, calibrated[k]!])),
    outOfRange: outOfRange(recogniser.preprocessing, row),
  };
}

/** Class index of the label for calibrated probabilities. */
export function decide(
  probabilities: Float64Array,
  trainingShares: readonly number[],
  decision: DecisionRule,
): number {
  return argmax(
    decision === 'balanced' ? probabilities.map((p, k) => p / trainingShares[k]!) : probabilities,
  );
}

/** Calibrated class probabilities of an encoded row, by class index. */
export function calibratedShares(recogniser: Recogniser, x: ArrayLike<number>): Float64Array {
  return calibrate(recogniser.calibration, rawShares(recogniser.learnt, x, recogniser.classes.length));
}

/** Class shares before calibration, by class index; sums to 1. */
export function rawShares(learnt: Learnt, x: ArrayLike<number>, classes: number): Float64Array {
  switch (learnt.kind) {
    case 'forest':
    case 'tree':
      return forestShares(learnt.forest, x);
    case 'svm':
      return svmShares(learnt.svm, x, classes);
    case 'logistic':
      return logisticShares(learnt.logistic, x);
    case 'mlp':
      return mlpShares(learnt.mlp, x);
    case 'vote': {
      const shares = new Float64Array(classes);
      for (const member of learnt.members) {
        const own = calibrate(member.calibration, rawShares(member.learnt, x, classes));
        for (let k = 0; k < classes; k++) shares[k]! += own[k]! / learnt.members.length;
      }
      return shares;
    }
    default:
      return learnt satisfies never;
  }
}

/** Class index before calibration: the trees' vote for forests and trees, the largest share for the rest. */
export function uncalibratedAnswer(learnt: Learnt, x: ArrayLike<number>, classes: number): number {
  return learnt.kind === 'forest' || learnt.kind === 'tree'
    ? forestLabel(learnt.forest, x)
    : argmax(rawShares(learnt, x, classes));
}

function refuseUnknownFields(recogniser: Recogniser, row: Row): void {
  const known = recogniser.preprocessing.features;
  for (const field of Object.keys(row)) {
    if (!known.some(({ spec }) => spec.name === field)) {
      throw new TocsinError(
        RECOGNISER_INPUT_INVALID,
        `Recogniser ${recogniser.name} knows no input "${field}".`,
        {
          details: { feature: field, known: known.map(({ spec }) => spec.name) },
        },
      );
    }
  }
}
