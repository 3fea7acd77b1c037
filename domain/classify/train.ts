import { TocsinError } from '../errors.ts';
import { createRandom, shuffle, type Random } from '../random.ts';
import type { Text } from '../units.ts';
import { calibrate, fitCalibration, fitSigmoid, type Calibration, type Sigmoid } from './calibration.ts';
import { TRAINING_DATA_INVALID } from './codes.ts';
import { encodeRow, fitPreprocessing, type FeatureSpec, type Row } from './features.ts';
import { trainForest, type ForestOptions } from './forest.ts';
import { trainLogistic, type LogisticOptions } from './logistic.ts';
import { matrixOf, rowOf, rowsOf, type Matrix } from './matrix.ts';
import { trainMlp, type MlpOptions } from './mlp.ts';
import {
  rawShares,
  RECOGNISER_SCHEMA,
  uncalibratedAnswer,
  type DecisionRule,
  type Learnt,
  type Member,
  type MemberKind,
  type MemberLearnt,
  type PastRows,
  type Recogniser,
  type RecogniserKind,
} from './recogniser.ts';
import { coupleSigmoids, decisionValues, parseSvm, type Svm } from './svm.ts';

/** Trains a C-SVC with an RBF kernel and answers with libsvm's text. Handed in, because libsvm is not pure. */
export type FitSvm = (x: Matrix, y: Uint8Array, options: SvmOptions & { readonly gamma: number }) => string;

export interface SvmOptions {
  /** @default 1 */
  readonly cost?: number;
  /** @default 1 / columns */
  readonly gamma?: number;
  /** @default all 1 */
  readonly classWeights?: readonly number[];
}

export interface TrainingRequest {
  readonly name: string;
  readonly kind: RecogniserKind;
  readonly features: readonly FeatureSpec[];
  readonly rows: readonly Row[];
  /** Label of each row; one of `classes`. */
  readonly labels: readonly string[];
  readonly classes: readonly string[];
  /** @default the slugs */
  readonly classTexts?: Readonly<Record<string, Text>>;
  /** `balanced`: every class weighs the same however rare. @default 'balanced' */
  readonly weights?: 'balanced' | 'none';
  /** @default 'most-probable' */
  readonly decision?: DecisionRule;
  /** `auto`: isotonic from 1,000 rows of the rarest class on, else Platt. @default 'auto' */
  readonly calibration?: 'auto' | 'platt' | 'isotonic' | 'none';
  /** Folds for calibrating kinds that have no out-of-bag rows. @default 5 */
  readonly calibrationFolds?: number;
  /** `minimumLeaf: 'auto'`: the one of 1, 5 and 20 with the least out-of-bag log-loss. */
  readonly forest?: Omit<ForestOptions, 'seed' | 'classWeights' | 'minimumLeaf'> & {
    readonly minimumLeaf?: number | 'auto';
  };
  readonly svm?: Omit<SvmOptions, 'classWeights'>;
  readonly logistic?: Omit<LogisticOptions, 'classWeights'>;
  readonly mlp?: Omit<MlpOptions, 'seed' | 'classWeights'>;
  /** Who votes, for kind `vote`. @default forest, svm, logistic */
  readonly members?: readonly MemberKind[];
  /** Needed for kind `svm`, also as a member of a vote. */
  readonly fitSvm?: FitSvm;
  /** The table the rows come from, for the artefact. */
  readonly table?: Recogniser['table'];
  readonly seed: number;
}

const ISOTONIC_FROM_ROWS = 1000;
/** Rows kept in the artefact for each class. */
const CANARY_PER_CLASS = 8;

/**
 * Learns preprocessing, classifier and calibration from labelled rows. The same request gives the same bytes.
 * Refuses data that cannot teach anything with TRAINING_DATA_INVALID.
 */
export function trainRecogniser(request: TrainingRequest): Recogniser {
  const y = labelIndices(request);
  const scaled = request.kind !== 'forest' && request.kind !== 'tree';
  const preprocessing = fitPreprocessing(request.features, request.rows, { scaled });
  const x = matrixOf(
    request.rows.map((row) => encodeRow(preprocessing, row)),
    preprocessing.columns.length,
  );
  const { learnt, calibration } = learnAndCalibrate(request, x, y);
  return {
    schema: RECOGNISER_SCHEMA,
    name: request.name,
    kind: request.kind,
    classes: request.classes,
    classTexts:
      request.classTexts ?? Object.fromEntries(request.classes.map((name) => [name, { en: name, zh: name }])),
    preprocessing,
    learnt,
    calibration,
    decision: request.decision ?? 'most-probable',
    trainingShares: request.classes.map((_, k) => y.filter((value) => value === k).length / y.length),
    canary: chooseCanary(request).map((one) => {
      const answer = uncalibratedAnswer(learnt, encodeRow(preprocessing, one.row), request.classes.length);
      return { ...one, answer: request.classes[answer]! };
    }),
    past: samplePast(x, y, request.classes.length),
    ...(request.table === undefined ? {} : { table: request.table }),
    seed: request.seed,
  };
}

function labelIndices({ rows, labels, classes }: TrainingRequest): Uint8Array {
  const refuse = (reason: string, details: Record<string, unknown> = {}): never => {
    throw new TocsinError(TRAINING_DATA_INVALID, `Cannot train: ${reason}.`, { details });
  };
  if (rows.length === 0) refuse('there are no rows');
  if (rows.length !== labels.length) refuse(`${rows.length} rows have ${labels.length} labels`);
  if (classes.length > 255) refuse(`${classes.length} classes are more than 255`);
  const y = new Uint8Array(labels.length);
  const counts = new Map<string, number>();
  for (const [r, label] of labels.entries()) {
    const k = classes.indexOf(label);
    if (k < 0)
      refuse(`row ${r + 1} has the label "${label}", which is not one of ${classes.join(', ')}`, {
        row: r + 1,
        label,
      });
    y[r] = k;
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  if (counts.size < 2) refuse(`all rows are "${labels[0]}"; at least two classes are needed`);
  for (const name of classes) {
    if ((counts.get(name) ?? 0) < 2) refuse(`class "${name}" has fewer than two rows`, { class: name });
  }
  return y;
}

function classWeights(y: Uint8Array, classes: number, weights: 'balanced' | 'none'): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const k of y) counts[k]!++;
  return counts.map((count) => (weights === 'none' || count === 0 ? 1 : y.length / (classes * count)));
}

function learnAndCalibrate(
  request: TrainingRequest,
  x: Matrix,
  y: Uint8Array,
): { readonly learnt: Learnt; readonly calibration: Calibration } {
  const classes = request.classes.length;
  const rarest = Math.min(...request.classes.map((_, k) => y.filter((value) => value === k).length));
  const wanted = request.calibration ?? 'auto';
  const method = wanted === 'auto' ? (rarest >= ISOTONIC_FROM_ROWS ? 'isotonic' : 'platt') : wanted;
  const calibrationOf = (unseen: Float64Array): Calibration =>
    method === 'none' ? { method } : fitOnUnseen(method, unseen, y, classes);
  if (request.kind !== 'vote') {
    const { learnt, unseen } = learn(request.kind, request, x, y, rarest, method !== 'none');
    return { learnt, calibration: calibrationOf(unseen) };
  }
  const voted = new Float64Array(y.length * classes);
  const kinds = request.members ?? (['forest', 'svm', 'logistic'] as const);
  const members = kinds.map((kind): Member => {
    const { learnt, unseen } = learn(kind, request, x, y, rarest, method !== 'none');
    const calibration = calibrationOf(unseen);
    for (let r = 0; r < y.length; r++) {
      const own = calibrate(calibration, unseen.subarray(r * classes, (r + 1) * classes));
      for (let k = 0; k < classes; k++) voted[r * classes + k]! += own[k]! / kinds.length;
    }
    return { learnt, calibration };
  });
  return { learnt: { kind: 'vote', members }, calibration: calibrationOf(voted) };
}

/** Rows that every tree saw have no share of their own (NaN) and are left out. */
function fitOnUnseen(
  method: 'platt' | 'isotonic',
  unseen: Float64Array,
  y: Uint8Array,
  classes: number,
): Calibration {
  const known = Array.from(y.keys()).filter((r) => Number.isFinite(unseen[r * classes]!));
  const shares = new Float64Array(known.length * classes);
  for (const [i, r] of known.entries()) {
    shares.set(unseen.subarray(r * classes, (r + 1) * classes), i * classes);
  }
  return fitCalibration(
    method,
    shares,
    known.map((r) => y[r]!),
    classes,
  );
}

interface Learning {
  readonly learnt: MemberLearnt;
  /** Class shares of every training row from a learner that had not seen it; empty when they were not asked for. */
  readonly unseen: Float64Array;
}

function learn(
  kind: MemberKind,
  request: TrainingRequest,
  x: Matrix,
  y: Uint8Array,
  rarest: number,
  withUnseen: boolean,
): Learning {
  const classes = request.classes.length;
  if (kind === 'forest') {
    const { forest, outOfBag } = trainForest(x, y, classes, {
      ...request.forest,
      minimumLeaf: leafFor(request, x, y),
      classWeights: forestWeights(request, y, classes),
      seed: request.seed,
    });
    return { learnt: { kind, forest }, unseen: outOfBag };
  }
  const folds = stratifiedFolds(
    y,
    Math.min(request.calibrationFolds ?? 5, rarest),
    createRandom(request.seed).fork(1),
  );
  const unseen = new Float64Array(x.rows * classes);
  if (kind === 'svm') {
    const decisions = unseenDecisions(request, x, y, folds);
    const svm: Svm = { ...fitSvmOn(request, x, y), sigmoids: fitPairSigmoids(decisions, y) };
    for (const [r, values] of decisions.values.entries()) {
      const coupled = coupleSigmoids(values, svm.sigmoids, svm.labels.length);
      for (const [position, label] of svm.labels.entries()) unseen[r * classes + label] = coupled[position]!;
    }
    return { learnt: { kind, svm }, unseen };
  }
  const learnt = learnPlain(kind, request, x, y);
  for (const held of withUnseen ? folds : []) {
    const part = restOf(x, y, held);
    const partial = learnPlain(kind, request, part.x, part.y);
    for (const r of held) unseen.set(rawShares(partial, rowOf(x, r), classes), r * classes);
  }
  return { learnt, unseen };
}

const LEAVES_TRIED = [1, 5, 20] as const;
const TREES_TO_CHOOSE = 60;

function leafFor(request: TrainingRequest, x: Matrix, y: Uint8Array): number {
  const asked = request.forest?.minimumLeaf ?? 1;
  if (asked !== 'auto') return asked;
  const classes = request.classes.length;
  const weights = classWeights(y, classes, request.weights ?? 'balanced');
  const losses = LEAVES_TRIED.map((minimumLeaf) => {
    const { outOfBag } = trainForest(x, y, classes, {
      ...request.forest,
      trees: TREES_TO_CHOOSE,
      minimumLeaf,
      classWeights: forestWeights(request, y, classes),
      seed: request.seed,
    });
    let loss = 0;
    for (let r = 0; r < y.length; r++) {
      const own = outOfBag[r * classes + y[r]!]!;
      if (Number.isFinite(own)) loss -= weights[y[r]!]! * Math.log(Math.max(own, 0.01));
    }
    return loss;
  });
  return LEAVES_TRIED[losses.indexOf(Math.min(...losses))]!;
}

function forestWeights(request: TrainingRequest, y: Uint8Array, classes: number): number[] {
  // A balanced bootstrap already draws every class equally often: weights on top would count twice.
  const balanced = request.forest?.bootstrap === 'balanced';
  return classWeights(y, classes, balanced ? 'none' : (request.weights ?? 'balanced'));
}

function learnPlain(
  kind: Exclude<MemberKind, 'forest' | 'svm'>,
  request: TrainingRequest,
  x: Matrix,
  y: Uint8Array,
): MemberLearnt {
  const classes = request.classes.length;
  const weights = classWeights(y, classes, request.weights ?? 'balanced');
  switch (kind) {
    case 'tree': {
      const { forest } = trainForest(x, y, classes, {
        ...request.forest,
        minimumLeaf: typeof request.forest?.minimumLeaf === 'number' ? request.forest.minimumLeaf : 5,
        trees: 1,
        bootstrap: 'none',
        columnsPerNode: x.columns,
        classWeights: weights,
        seed: request.seed,
      });
      return { kind: 'tree', forest };
    }
    case 'logistic':
      return {
        kind: 'logistic',
        logistic: trainLogistic(x, y, classes, { ...request.logistic, classWeights: weights }),
      };
    case 'mlp':
      return {
        kind: 'mlp',
        mlp: trainMlp(x, y, classes, { ...request.mlp, classWeights: weights, seed: request.seed }),
      };
    default:
      return kind satisfies never;
  }
}

function fitSvmOn(request: TrainingRequest, x: Matrix, y: Uint8Array): Svm {
  if (request.fitSvm === undefined) {
    throw new TocsinError(
      TRAINING_DATA_INVALID,
      'Cannot train a support vector machine: no solver was handed in.',
    );
  }
  const text = request.fitSvm(x, y, {
    cost: request.svm?.cost ?? 1,
    gamma: request.svm?.gamma ?? 1 / x.columns,
    classWeights: classWeights(y, request.classes.length, request.weights ?? 'balanced'),
  });
  return parseSvm(text, x.columns);
}

interface UnseenDecisions {
  /** Class indices in libsvm's order for the whole data. */
  readonly order: readonly number[];
  /** Decision values of each row, pairs in that order, from a machine that had not seen the row. */
  readonly values: readonly Float64Array[];
}

function unseenDecisions(
  request: TrainingRequest,
  x: Matrix,
  y: Uint8Array,
  folds: readonly Int32Array[],
): UnseenDecisions {
  const order = libsvmOrder(y);
  const k = order.length;
  const values = Array.from({ length: x.rows }, () => new Float64Array((k * (k - 1)) / 2));
  for (const held of folds) {
    const part = restOf(x, y, held);
    const svm = fitSvmOn(request, part.x, part.y);
    const position = order.map((label) => svm.labels.indexOf(label));
    for (const r of held) {
      const found = decisionValues(svm, rowOf(x, r));
      for (let i = 0; i < k; i++) {
        for (let j = i + 1; j < k; j++) {
          const a = position[i]!;
          const b = position[j]!;
          // A part can meet the classes in another order; its pair then points the other way.
          values[r]![pairIndex(i, j, k)] = a < b ? found[pairIndex(a, b, k)]! : -found[pairIndex(b, a, k)]!;
        }
      }
    }
  }
  return { order, values };
}

/**
 * One sigmoid a pair, both classes of a pair weighing the same; the calibration after the coupling puts their real
 * shares back. libsvm's own (`-b 1`) shuffles with an unseeded generator: these are reproducible.
 */
function fitPairSigmoids({ order, values }: UnseenDecisions, y: Uint8Array): Sigmoid[] {
  const sigmoids: Sigmoid[] = [];
  for (const [i, first] of order.entries()) {
    for (const second of order.slice(i + 1)) {
      const pair = sigmoids.length;
      const rows = Array.from(y.keys()).filter((r) => y[r] === first || y[r] === second);
      const isFirst = rows.map((r) => y[r] === first);
      const firsts = isFirst.filter(Boolean).length;
      const weights = isFirst.map((own) => rows.length / (2 * (own ? firsts : rows.length - firsts)));
      sigmoids.push(
        fitSigmoid(
          rows.map((r) => values[r]![pair]!),
          isFirst,
          weights,
        ),
      );
    }
  }
  return sigmoids;
}

/** libsvm numbers classes in the order in which they first occur. */
function libsvmOrder(y: Uint8Array): number[] {
  return [...new Set(y)];
}

function pairIndex(i: number, j: number, k: number): number {
  return i * k - (i * (i + 1)) / 2 + (j - i - 1);
}

/** Row indices of each fold; every class is spread over the folds as evenly as it can be. */
export function stratifiedFolds(y: Uint8Array, folds: number, random: Random): Int32Array[] {
  const members: number[][] = Array.from({ length: folds }, () => []);
  let at = 0;
  for (const k of [...new Set(y)].sort((a, b) => a - b)) {
    const rows = Int32Array.from(Array.from(y.keys()).filter((r) => y[r] === k));
    for (const r of shuffle(rows, random)) members[at++ % folds]!.push(r);
  }
  return members.map((rows) => Int32Array.from(rows).sort());
}

function restOf(x: Matrix, y: Uint8Array, held: Int32Array): { readonly x: Matrix; readonly y: Uint8Array } {
  const out = new Set(held);
  const kept = Array.from(y.keys()).filter((r) => !out.has(r));
  return { x: rowsOf(x, kept), y: Uint8Array.from(kept, (r) => y[r]!) };
}

/** The same few rows for the same data: the first, the last and evenly between for each class. */
function chooseCanary({ rows, labels, classes }: TrainingRequest): { row: Row; label: string }[] {
  return classes.flatMap((label) => {
    const own = rows.filter((_, r) => labels[r] === label);
    const count = Math.min(CANARY_PER_CLASS, own.length);
    return Array.from({ length: count }, (_, i) => ({
      row: own[count === 1 ? 0 : Math.round((i * (own.length - 1)) / (count - 1))]!,
      label,
    }));
  });
}

const PAST_ROWS = 512;
const PAST_ROWS_PER_CLASS = 8;

/** Evenly spaced rows of every class, as many as its share, a few of the rarest in any case. */
function samplePast(x: Matrix, y: Uint8Array, classes: number): PastRows {
  const chosen: number[] = [];
  for (let k = 0; k < classes; k++) {
    const own = Array.from(y.keys()).filter((r) => y[r] === k);
    const fair = Math.round((PAST_ROWS * own.length) / Math.max(PAST_ROWS, y.length));
    const count = Math.min(own.length, Math.max(fair, PAST_ROWS_PER_CLASS));
    for (let i = 0; i < count; i++) chosen.push(own[Math.floor((i * own.length) / count)]!);
  }
  chosen.sort((a, b) => a - b);
  return {
    x: rowsOf(x, chosen).values,
    y: Int16Array.from(chosen, (r) => y[r]!),
    at: Int32Array.from(chosen, (r) => r + 1),
  };
}
