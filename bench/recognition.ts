import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { RandomForestClassifier } from 'ml-random-forest';
import { decodeRecogniser, encodeRecogniser } from '../domain/classify/artefact.ts';
import { shareLeaves, trainForest, type Forest } from '../domain/classify/forest.ts';
import { toLibraryJson, fromLibraryJson, type LibraryForest } from '../domain/classify/forest-json.ts';
import { createForestVoter } from '../domain/classify/forest-voter.ts';
import { matrixOf, rowOf, type Matrix } from '../domain/classify/matrix.ts';
import { RECOGNISER_SCHEMA, type Recogniser } from '../domain/classify/recogniser.ts';
import { createSvmVoter, parseSvm } from '../domain/classify/svm.ts';
import { createFitSvm, loadLibsvm } from '../activities/recognition/libsvm.ts';
import { loadWeekOfNotices } from '../activities/recognition/week-of-notices.ts';
import { NOTICE_CLASSES, NOTICE_FEATURES, noticeRow } from '../domain/classify/notices.ts';
import { stratifiedFolds } from '../domain/classify/train.ts';
import { crossValidate } from '../domain/classify/validate.ts';
import { createRandom } from '../domain/random.ts';
import { compare as compareOnce, median, report, skip, timed } from './harness.ts';

/**
 * Speed of recognisers beside ml-random-forest, libsvm (WebAssembly) and, where `python3` has it, scikit-learn on one
 * thread. `--quick` leaves out the slow library training. Another Python: `TOCSIN_BENCH_PYTHON`.
 */
const TREES = 100;
const FOLDS = 10;
const REPEATS = 10;
const quick = process.argv.includes('--quick');

const TRIES = 3;

/** A void run is taken again: the machine may be busy for a moment. */
async function compare(comparison: Parameters<typeof compareOnce>[0]): Promise<void> {
  for (let left = TRIES - 1; ; left--) {
    try {
      await compareOnce(comparison);
      return;
    } catch (error) {
      if (left === 0 || !(error instanceof Error && error.message.includes(': void,'))) throw error;
      process.stderr.write(`${error.message}\n`);
    }
  }
}

interface SplitData {
  readonly Xa: number[][];
  readonly ya: number[];
  readonly Xb: number[][];
  readonly yb: number[];
}

const python = await startPython();
for (const name of ['digits', 'breast_cancer'] as const) {
  const file = fileURLToPath(new URL(`../../shared/data/tabular/${name}.split.json`, import.meta.url));
  if (!existsSync(file)) {
    skip(`P6-P11/${name}`, 'data ../shared/data/tabular is absent');
    continue;
  }
  await measure(name, JSON.parse(readFileSync(file, 'utf8')) as SplitData, file);
}
await algerianFires();
await weekOfNotices();
python?.stop();

async function measure(name: 'digits' | 'breast_cancer', data: SplitData, file: string): Promise<void> {
  const train = matrixOf(data.Xa);
  const y = Uint8Array.from(data.ya);
  const classes = Math.max(...data.ya) + 1;
  const test = matrixOf(data.Xb);
  const rows = Array.from({ length: test.rows }, (_, r) => rowOf(test, r));
  await python?.ask({ do: 'load', file });

  // P6: one row at a time, the same forest in both.
  // The library would take six minutes to grow 100 trees on digits: there it gets ours in its own format.
  const forest =
    quick || name === 'digits' ? trainForest(train, y, classes, { trees: TREES, seed: 1 }).forest : null;
  const library =
    forest === null
      ? trainLibrary(data)
      : RandomForestClassifier.load(toLibraryJson(forest, 1) as unknown as LibraryInput);
  const json = JSON.parse(JSON.stringify(library.toJSON())) as LibraryForest;
  const same = fromLibraryJson(json, classes, train.columns);
  const voter = createForestVoter(same);
  const theirs = library.predict(data.Xb);
  equal(
    rows.map((x) => voter.label(x)),
    theirs,
    `P6/${name}`,
  );
  await compare({
    id: `P6/forest-single-vs-ml-random-forest/${name}`,
    unit: 'us/row',
    better: 'lower',
    floor: name === 'digits' ? 6 : 15,
    goal: name === 'digits' ? 10 : 20,
    reference: () => (timed(() => data.Xb.forEach((row) => library.predict([row]))) * 1000) / rows.length,
    ours: () =>
      (timed(() => repeat(20, () => rows.forEach((x) => voter.label(x)))) * 1000) / (20 * rows.length),
  });

  await forestAgainstSklearn(name, data, train, y, classes, test);
  await trainingAgainstLibrary(name, data, train, y, classes);
  await svmAgainstLibsvm(name, data);
  if (name === 'digits') await loadingAgainstLibrary(forest ?? same, json);
}

type LibraryInput = Parameters<typeof RandomForestClassifier.load>[0];

function trainLibrary(data: SplitData): RandomForestClassifier {
  const library = new RandomForestClassifier({
    nEstimators: TREES,
    seed: 1,
    maxFeatures: 0.2,
    replacement: false,
    useSampleBagging: true,
    noOOB: true,
    treeOptions: {},
  } as unknown as ConstructorParameters<typeof RandomForestClassifier>[0]);
  library.train(data.Xa, data.ya);
  return library;
}

/** P7, P8: scikit-learn's own forest on both sides; P9: training. */
async function forestAgainstSklearn(
  name: string,
  data: SplitData,
  train: Matrix,
  y: Uint8Array,
  classes: number,
  test: Matrix,
): Promise<void> {
  const ids = ['P7/forest-single-vs-sklearn', 'P8/forest-batch-vs-sklearn', 'P9/forest-training-vs-sklearn'];
  if (python === undefined) {
    for (const id of ids) skip(`${id}/${name}`, 'python3 has no scikit-learn');
    return;
  }
  await python.ask({ do: 'train-forest', trees: TREES, seed: 1 });
  const exported = (await python.ask({ do: 'export-forest' })) as { trees: SklearnTree[]; labels: number[] };
  const theirs = forestOfSklearn(exported.trees, classes, train.columns);
  const voter = createForestVoter(theirs);
  // scikit-learn looks at 32-bit values.
  const rows32 = { ...test, values: Float64Array.from(test.values, Math.fround) };
  equal(Array.from(voter.labels(rows32)), exported.labels, `P7/${name}`);
  await compare({
    id: `${ids[0]}/${name}`,
    unit: 'us/row',
    better: 'lower',
    floor: 100,
    goal: 300,
    reference: async () =>
      ((await python.ask({ do: 'forest-single', rows: 60 })) as { ms: number }).ms * (1000 / 60),
    ours: () =>
      (timed(() => repeat(20, () => eachRow(rows32, (one) => voter.labels(one)))) * 1000) /
      (20 * rows32.rows),
  });
  const copies = Math.ceil(20_000 / test.rows);
  const many = matrixOf(Array.from({ length: copies * test.rows }, (_, r) => rowOf(rows32, r % test.rows)));
  await compare({
    id: `${ids[1]}/${name}`,
    unit: 'us/row',
    better: 'lower',
    floor: 0.6,
    goal: 1,
    reference: async () => {
      const { ms, rows } = (await python.ask({ do: 'forest-batch', copies })) as { ms: number; rows: number };
      return (ms * 1000) / rows;
    },
    ours: () => (timed(() => voter.labels(many)) * 1000) / many.rows,
  });
  const accuracies: number[] = [];
  const ownAccuracies: number[] = [];
  let seed = 0;
  await compare({
    id: `${ids[2]}/${name}`,
    unit: 'ms',
    better: 'lower',
    floor: 0.5,
    goal: 1,
    reference: async () => {
      const { ms, accuracy } = (await python.ask({ do: 'train-forest', trees: TREES, seed: ++seed })) as {
        ms: number;
        accuracy: number;
      };
      accuracies.push(accuracy);
      return ms;
    },
    ours: () => {
      let forest: Forest | undefined;
      const ms = timed(() => {
        forest = trainForest(train, y, classes, { trees: TREES, seed }).forest;
      });
      ownAccuracies.push(accuracyOf(createForestVoter(forest!).labels(test), data.yb));
      return ms;
    },
  });
  report({
    id: `Q12/forest-accuracy-vs-sklearn/${name}`,
    ours: mean(ownAccuracies),
    reference: mean(accuracies),
    unit: 'accuracy, mean of seeds',
    better: 'higher',
    floor: 0.98,
    goal: 0.995,
  });
}

/** P9: the library trains in hours what takes us a moment, so it gets fewer trees and its time is scaled. */
async function trainingAgainstLibrary(
  name: string,
  data: SplitData,
  train: Matrix,
  y: Uint8Array,
  classes: number,
): Promise<void> {
  const id = `P9/forest-training-vs-ml-random-forest/${name}`;
  if (quick) return skip(id, '--quick');
  const trees = name === 'digits' ? 2 : 20;
  const reference = timed(() => {
    const library = new RandomForestClassifier({
      nEstimators: trees,
      seed: 1,
      maxFeatures: name === 'digits' ? 0.25 : 0.2,
      replacement: false,
      useSampleBagging: true,
      noOOB: true,
      treeOptions: {},
    } as unknown as ConstructorParameters<typeof RandomForestClassifier>[0]);
    library.train(data.Xa, data.ya);
  });
  const ours = median(
    Array.from({ length: 5 }, (_, seed) =>
      timed(() => void trainForest(train, y, classes, { trees: TREES, seed })),
    ),
  );
  report({
    id,
    ours,
    reference: (reference * TREES) / trees,
    unit: `ms for ${TREES} trees (reference scaled from ${trees})`,
    better: 'lower',
    floor: name === 'digits' ? 200 : 10,
    goal: name === 'digits' ? 1000 : 50,
  });
}

/** P10: the same machine in both, standardised rows, C = 1, gamma = 1 / columns. */
async function svmAgainstLibsvm(name: string, data: SplitData): Promise<void> {
  const [train, test] = standardise(data.Xa, data.Xb);
  const fit = await createFitSvm();
  const text = fit(train, Uint8Array.from(data.ya), { cost: 1, gamma: 1 / train.columns });
  const machine = (await loadLibsvm()).load(text);
  const svm = parseSvm(text, train.columns);
  const rows = Array.from({ length: test.rows }, (_, r) => rowOf(test, r));
  const plain = rows.map((row) => Array.from(row));
  const voter = createSvmVoter(svm);
  equal(
    rows.map((row) => voter.label(row)),
    plain.map((row) => machine.predictOne(row)),
    `P10/${name}`,
  );
  await compare({
    id: `P10/svm-predict-vs-libsvm-wasm/${name}`,
    unit: 'us/row',
    better: 'lower',
    floor: 1,
    goal: 2,
    reference: () =>
      (timed(() => repeat(2, () => plain.forEach((row) => machine.predictOne(row)))) * 500) / rows.length,
    ours: () => (timed(() => repeat(2, () => rows.forEach((row) => voter.label(row)))) * 500) / rows.length,
  });
  const ours = accuracyOf(
    rows.map((row) => voter.label(row)),
    data.yb,
  );
  if (python === undefined) skip(`Q12/svm-accuracy-vs-sklearn/${name}`, 'python3 has no scikit-learn');
  else {
    const { accuracy } = (await python.ask({ do: 'train-svm' })) as { accuracy: number };
    report({
      id: `Q12/svm-accuracy-vs-sklearn/${name}`,
      ours,
      reference: accuracy,
      unit: 'accuracy',
      better: 'higher',
      floor: 0.98,
      goal: 0.995,
    });
  }
}

/** P11: opening and size. */
async function loadingAgainstLibrary(forest: Forest, json: LibraryForest): Promise<void> {
  const columns = Array.from({ length: forest.columns }, (_, c) => `c${c}`);
  const recogniser: Recogniser = {
    schema: RECOGNISER_SCHEMA,
    name: 'digits',
    kind: 'forest',
    classes: Array.from({ length: forest.classes }, (_, k) => String(k)),
    classTexts: {},
    preprocessing: {
      features: [],
      columns,
      featureOfColumn: columns.map((_, c) => c),
      centre: columns.map(() => 0),
      scale: columns.map(() => 1),
    },
    learnt: { kind: 'forest', forest },
    calibration: { method: 'none' },
    decision: 'most-probable',
    trainingShares: Array.from({ length: forest.classes }, () => 1 / forest.classes),
    canary: [],
    seed: 1,
  };
  const bytes = encodeRecogniser(recogniser);
  const text = JSON.stringify(json);
  await compare({
    id: 'P11/forest-load-vs-ml-random-forest/digits',
    unit: 'ms',
    better: 'lower',
    floor: 10,
    goal: 50,
    reference: () => timed(() => void RandomForestClassifier.load(JSON.parse(text) as LibraryInput)),
    ours: () => timed(() => repeat(10, () => void decodeRecogniser(bytes))) / 10,
  });
  report({
    id: 'P11/forest-size-vs-ml-random-forest/digits',
    ours: bytes.length,
    reference: text.length,
    unit: 'bytes',
    better: 'lower',
    floor: 8,
    goal: 12,
  });
}

/** Q12: four weather inputs, the same folds on both sides. The file holds two tables, one under the other. */
async function algerianFires(): Promise<void> {
  const ids = {
    forest: 'Q12/forest-accuracy-vs-sklearn/algerian-4',
    svm: 'Q12/svm-accuracy-vs-sklearn/algerian-4',
  };
  const file = fileURLToPath(
    new URL('../../shared/data/tabular/Algerian_forest_fires_dataset_UPDATE.csv', import.meta.url),
  );
  if (!existsSync(file) || python === undefined) {
    const reason = existsSync(file) ? 'python3 has no scikit-learn' : 'data ../shared/data/tabular is absent';
    for (const id of Object.values(ids)) skip(id, reason);
    return;
  }
  const cells = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .filter((row) => row.length === 14 && /^\d+$/.test(row[0]!) && row[13] !== '');
  const x = cells.map((row) => row.slice(3, 7).map(Number));
  const y = Uint8Array.from(cells, (row) => (row[13] === 'fire' ? 1 : 0));
  const folds = Array.from({ length: REPEATS }, (_, repeat) =>
    stratifiedFolds(y, FOLDS, createRandom(12).fork(repeat)).map((held) => Array.from(held)),
  );
  const fit = await createFitSvm();
  const accuracies: Record<'forest' | 'svm', number[]> = { forest: [], svm: [] };
  for (const [repeat, parts] of folds.entries()) {
    const right = { forest: 0, svm: 0 };
    for (const held of parts) {
      const out = new Set(held);
      const kept = x.map((_, r) => r).filter((r) => !out.has(r));
      const teaching = kept.map((r) => x[r]!);
      const labels = Uint8Array.from(kept, (r) => y[r]!);
      const truth = held.map((r) => y[r]!);
      const judging = held.map((r) => x[r]!);
      const { forest } = trainForest(matrixOf(teaching), labels, 2, { trees: TREES, seed: repeat });
      right.forest += accuracyOf(createForestVoter(forest).labels(matrixOf(judging)), truth) * held.length;
      const [train, test] = standardise(teaching, judging);
      const svm = createSvmVoter(
        parseSvm(fit(train, labels, { cost: 1, gamma: 1 / train.columns }), train.columns),
      );
      right.svm +=
        accuracyOf(
          Array.from({ length: test.rows }, (_, r) => svm.label(rowOf(test, r))),
          truth,
        ) * held.length;
    }
    accuracies.forest.push(right.forest / x.length);
    accuracies.svm.push(right.svm / x.length);
  }
  const theirs = (await python.ask({ do: 'cross-validate', x, y: Array.from(y), folds, trees: TREES })) as {
    forest: number[];
    svm: number[];
  };
  for (const kind of ['forest', 'svm'] as const) {
    const ratios = accuracies[kind].map((own, i) => own / theirs[kind][i]!);
    report({
      id: ids[kind],
      ours: mean(accuracies[kind]),
      reference: mean(theirs[kind]),
      min: Math.min(...ratios),
      max: Math.max(...ratios),
      n: REPEATS,
      unit: `accuracy, ${FOLDS} folds, mean of repeats`,
      better: 'higher',
      floor: 0.98,
      goal: 0.995,
    });
  }
}

/** The recognisers of notices, by the rule that weighs all classes alike, beside the two baselines on the same folds. */
async function weekOfNotices(): Promise<void> {
  const notices = await loadWeekOfNotices();
  const fitSvm = await createFitSvm();
  const repeats = quick ? 1 : 3;
  for (const kind of ['forest', 'svm', 'vote'] as const) {
    const { rules } = crossValidate(
      {
        name: `notice-${kind}`,
        kind,
        features: NOTICE_FEATURES,
        classes: NOTICE_CLASSES,
        rows: notices.map(noticeRow),
        labels: notices.map(({ label }) => label),
        forest: { minimumLeaf: 2 },
        svm: { cost: 3 },
        fitSvm,
        seed: 20_180_131,
      },
      { folds: 5, repeats },
    );
    const { balancedAccuracy, interval, logistic, majority } = rules.balanced;
    const baselines = {
      logistic: logistic.balancedAccuracy.mean,
      majority: majority.balancedAccuracy,
    };
    for (const [name, reference] of Object.entries(baselines)) {
      report({
        id: `notices/${kind}-vs-${name}`,
        ours: balancedAccuracy.mean,
        reference,
        min: interval!.balancedAccuracy.low / reference,
        max: interval!.balancedAccuracy.high / reference,
        n: 5 * repeats,
        unit: 'balanced accuracy, 5 folds; min and max: ends of the 95 % interval',
        better: 'higher',
        floor: name === 'majority' ? 2 : 0.97,
        goal: name === 'majority' ? 2.5 : 1,
      });
    }
  }
}

interface SklearnTree {
  readonly left: number[];
  readonly right: number[];
  readonly feature: number[];
  readonly threshold: number[];
  readonly shares: number[][];
  readonly cover: number[];
}

/** scikit-learn goes left at `value <= threshold`; that is `value < next number above threshold`. */
function forestOfSklearn(trees: readonly SklearnTree[], classes: number, columns: number): Forest {
  const roots: number[] = [];
  const feature: number[] = [];
  const threshold: number[] = [];
  const next: number[] = [];
  const distributions: number[] = [];
  for (const tree of trees) {
    const add = (i: number): void => {
      const at = feature.push(tree.left[i]! < 0 ? -1 : tree.feature[i]!) - 1;
      if (tree.left[i]! < 0) {
        threshold.push(tree.cover[i]!);
        next.push(distributions.length / classes);
        distributions.push(...tree.shares[i]!);
        return;
      }
      threshold.push(above(tree.threshold[i]!));
      next.push(0);
      add(tree.left[i]!);
      next[at] = feature.length;
      add(tree.right[i]!);
    };
    roots.push(feature.length);
    add(0);
  }
  return shareLeaves({
    classes,
    columns,
    roots: Int32Array.from(roots),
    feature: Int16Array.from(feature),
    threshold: Float64Array.from(threshold),
    next: Int32Array.from(next),
    distributions: Float64Array.from(distributions),
  });
}

function above(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  const bits = new BigInt64Array(Float64Array.of(value).buffer);
  bits[0]! += value > 0 ? 1n : -1n;
  return new Float64Array(bits.buffer)[0]!;
}

function standardise(train: number[][], test: number[][]): [Matrix, Matrix] {
  const columns = train[0]!.length;
  const means = Array.from({ length: columns }, (_, c) => mean(train.map((row) => row[c]!)));
  const deviations = means.map((m, c) => Math.sqrt(mean(train.map((row) => (row[c]! - m) ** 2))) || 1);
  const scale = (rows: number[][]): Matrix =>
    matrixOf(rows.map((row) => row.map((v, c) => (v - means[c]!) / deviations[c]!)));
  return [scale(train), scale(test)];
}

function eachRow(rows: Matrix, see: (row: Matrix) => void): void {
  for (let r = 0; r < rows.rows; r++) see({ rows: 1, columns: rows.columns, values: rowOf(rows, r) });
}

function repeat(times: number, work: () => void): void {
  for (let i = 0; i < times; i++) work();
}

function equal(ours: readonly number[], theirs: readonly number[], id: string): void {
  const differs = ours.findIndex((label, i) => label !== theirs[i]);
  if (differs >= 0)
    throw new Error(`${id}: row ${differs} is ${ours[differs]}, the reference says ${theirs[differs]}`);
}

function accuracyOf(labels: ArrayLike<number>, truth: readonly number[]): number {
  return truth.filter((label, i) => labels[i] === label).length / truth.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

interface Python {
  ask(request: object): Promise<unknown>;
  stop(): void;
}

async function startPython(): Promise<Python | undefined> {
  const script = fileURLToPath(new URL('./recognition-sklearn.py', import.meta.url));
  const child: ChildProcessWithoutNullStreams = spawn(
    process.env['TOCSIN_BENCH_PYTHON'] ?? 'python3',
    [script],
    {
      env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
    },
  );
  child.stderr.resume();
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const absent = new Promise<undefined>((resolve) => {
    child.once('error', () => resolve(undefined));
    child.once('exit', () => resolve(undefined));
  });
  const next = async (): Promise<unknown> => {
    const line = await Promise.race([lines.next(), absent]);
    return line === undefined || line.done === true ? undefined : (JSON.parse(line.value) as unknown);
  };
  if ((await next()) === undefined) return undefined;
  return {
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const answer = await next();
      if (answer === undefined) throw new Error('scikit-learn stopped answering');
      return answer;
    },
    stop: () => child.stdin.end(),
  };
}
