import { createRandom } from '../random.ts';
import type { Text } from '../units.ts';
import { encodeRow, type FeatureEncoding, type Row } from './features.ts';
import { columnSpreads, type Change } from './past.ts';
import { calibratedShares, decide, rawShares, type Recogniser } from './recogniser.ts';
import { treeShap } from './treeshap.ts';
import { percent } from './vote.ts';

export interface Contribution {
  readonly feature: string;
  readonly value: number | string | null;
  /** How far this input moved the answer, on the explanation's scale: positive speaks for the label. */
  readonly shap: number;
}

export interface Explanation {
  readonly label: string;
  /** `tree-shap`: exact, adds up to the output. `local-surrogate`: a straight line fitted around this row (LIME). */
  readonly method: 'tree-shap' | 'local-surrogate';
  /** What contributions, baseline and output are counted in: a share of 0..1, or its natural log-odds. */
  readonly scale: 'share' | 'log-odds';
  /** Largest first, by size. */
  readonly contributions: readonly Contribution[];
  /** The answer before any input is known. */
  readonly baseline: number;
  /** The share of the label before calibration: what the contributions explain. */
  readonly output: number;
  /** `output` minus `baseline` minus all contributions: 0 for `tree-shap`, what the line cannot say otherwise. */
  readonly unexplained: number;
  readonly sentence: Text;
}

/** Why the recogniser gives the answer it gives for this row. Deterministic: the same row, the same explanation. */
export function explain(recogniser: Recogniser, row: Row): Explanation {
  const x = encodeRow(recogniser.preprocessing, row);
  const probabilities = calibratedShares(recogniser, x);
  const target = decide(probabilities, recogniser.trainingShares, recogniser.decision);
  const { learnt } = recogniser;
  const share = rawShares(learnt, x, recogniser.classes.length)[target]!;
  const byTree = learnt.kind === 'forest' || learnt.kind === 'tree';
  const { baseline, values } = byTree ? treeShap(learnt.forest, x, target) : localLine(recogniser, x, target);
  const output = byTree ? share : openLogOdds(share);

  const perFeature = byFeature(recogniser, values);
  const contributions = recogniser.preprocessing.features
    .map(({ spec }, index) => ({
      feature: spec.name,
      value: row[spec.name] ?? null,
      shap: perFeature[index]!,
    }))
    .sort((a, b) => Math.abs(b.shap) - Math.abs(a.shap));
  const label = recogniser.classes[target]!;
  return {
    label,
    method: byTree ? 'tree-shap' : 'local-surrogate',
    scale: byTree ? 'share' : 'log-odds',
    contributions,
    baseline,
    output,
    unexplained: output - baseline - perFeature.reduce((sum, value) => sum + value, 0),
    sentence: sentenceFor(
      recogniser,
      label,
      probabilities[target]!,
      contributions,
      baseline > (byTree ? 0.5 : 0),
    ),
  };
}

/** A sure answer is flat in its share: only its log-odds still tell what it leans on. Cut at 1 in a million. */
function openLogOdds(share: number): number {
  const cut = Math.min(Math.max(share, 1e-6), 1 - 1e-6);
  return Math.log(cut / (1 - cut));
}

const SURROGATE_SAMPLES = 400;
/** Width of the neighbourhood in standard deviations of the training inputs, times the root of the columns. */
const SURROGATE_WIDTH = 0.75;

/**
 * The local surrogate of any recogniser, tree or not: contributions of each input to the log-odds of the answer.
 * What it cannot say by a straight line is `unexplained`.
 */
export function explainLocally(
  recogniser: Recogniser,
  row: Row,
): {
  readonly contributions: readonly { readonly feature: string; readonly weight: number }[];
  readonly baseline: number;
  readonly output: number;
  readonly unexplained: number;
} {
  const x = encodeRow(recogniser.preprocessing, row);
  const target = decide(calibratedShares(recogniser, x), recogniser.trainingShares, recogniser.decision);
  const { baseline, values } = localLine(recogniser, x, target);
  const perFeature = byFeature(recogniser, values);
  const output = openLogOdds(rawShares(recogniser.learnt, x, recogniser.classes.length)[target]!);
  return {
    contributions: recogniser.preprocessing.features
      .map(({ spec }, index) => ({ feature: spec.name, weight: perFeature[index]! }))
      .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)),
    baseline,
    output,
    unexplained: output - baseline - perFeature.reduce((sum, value) => sum + value, 0),
  };
}

/** Columns of one feature belong together: their values add up. */
function byFeature({ preprocessing }: Recogniser, values: Float64Array): Float64Array {
  const perFeature = new Float64Array(preprocessing.features.length);
  for (const [column, feature] of preprocessing.featureOfColumn.entries()) {
    perFeature[feature]! += values[column]!;
  }
  return perFeature;
}

/**
 * A weighted straight line through the recogniser's answers around the row (LIME; Ribeiro, Singh & Guestrin, 2016).
 * Neighbours take each column from the row or from the training mean plus noise; nearer ones weigh more.
 * The contribution of a column is its slope times the row's distance from the training mean.
 */
function localLine(
  recogniser: Recogniser,
  x: Float64Array,
  target: number,
): { readonly baseline: number; readonly values: Float64Array } {
  const columns = x.length;
  const classes = recogniser.classes.length;
  const random = createRandom(recogniser.seed);
  const { centre, deviation } = columnSpreads(recogniser);
  const z = x.map((value, c) => (value - centre[c]!) / deviation[c]!);
  const seen = new Float64Array(columns);
  const width = SURROGATE_WIDTH * Math.sqrt(columns);
  const size = columns + 1;
  const normal = new Float64Array(size * size);
  const right = new Float64Array(size);
  const sample = new Float64Array(size);
  sample[columns] = 1;
  for (let s = 0; s < SURROGATE_SAMPLES; s++) {
    let distance = 0;
    for (let c = 0; c < columns; c++) {
      const replaced = s > 0 && random.unit() < 0.5;
      const noise = random.normal();
      sample[c] = replaced ? noise : z[c]!;
      seen[c] = replaced ? centre[c]! + noise * deviation[c]! : x[c]!;
      distance += (sample[c]! - z[c]!) ** 2;
    }
    const answer = openLogOdds(rawShares(recogniser.learnt, seen, classes)[target]!);
    const weight = Math.exp(-distance / (width * width));
    for (let i = 0; i < size; i++) {
      right[i]! += weight * sample[i]! * answer;
      for (let j = 0; j <= i; j++) normal[i * size + j]! += weight * sample[i]! * sample[j]!;
    }
  }
  for (let c = 0; c < columns; c++) normal[c * size + c]! += 1e-3;
  normal[size * size - 1]! += 1e-9;
  const line = solveSymmetric(normal, right);
  const values = new Float64Array(columns);
  for (let c = 0; c < columns; c++) values[c] = line[c]! * z[c]!;
  return { baseline: line[columns]!, values };
}

/** Solves a positive definite system by Cholesky; `matrix` holds its lower triangle and is overwritten. */
function solveSymmetric(matrix: Float64Array, right: Float64Array): Float64Array {
  const n = right.length;
  const out = Float64Array.from(right);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= matrix[i * n + k]! * matrix[j * n + k]!;
      matrix[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / matrix[j * n + j]!;
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) out[i]! -= matrix[i * n + k]! * out[k]!;
    out[i]! /= matrix[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) out[i]! -= matrix[k * n + i]! * out[k]!;
    out[i]! /= matrix[i * n + i]!;
  }
  return out;
}

/** An input this much weaker than the strongest one is not worth a word. */
const SHARE_OF_LARGEST = 0.1;

function sentenceFor(
  recogniser: Recogniser,
  label: string,
  probability: number,
  contributions: readonly Contribution[],
  usual: boolean,
): Text {
  const features = new Map(recogniser.preprocessing.features.map((feature) => [feature.spec.name, feature]));
  const least = SHARE_OF_LARGEST * Math.abs(contributions[0]?.shap ?? 0);
  const top = (sign: 1 | -1, count: number): readonly Contribution[] =>
    contributions.filter(({ shap }) => shap * sign > least).slice(0, count);
  const words = (language: keyof Text, items: readonly Contribution[]): string =>
    items
      .map((item) => valueInWords(features.get(item.feature)!, item.value, language))
      .join(language === 'zh' ? '、' : ', ');
  const support = top(1, 3);
  const against = top(-1, 2);
  const name = recogniser.classTexts[label] ?? { en: label, zh: label };
  return {
    en: [
      `${name.en} with ${percent(probability)}`,
      support.length > 0
        ? `: mainly because of ${words('en', support)}`
        : usual
          ? ', as most it learnt from'
          : '',
      against.length > 0 ? `; against it: ${words('en', against)}` : '',
      '.',
    ].join(''),
    zh: [
      `${name.zh},置信度 ${percent(probability)}`,
      support.length > 0 ? `:主要依据是${words('zh', support)}` : usual ? ',与多数训练样本相同' : '',
      against.length > 0 ? `;不利依据:${words('zh', against)}` : '',
      '。',
    ].join(''),
  };
}

/** `It would be Explosion (61.2 %) with depth 0 km instead of depth 12 km.` */
export function describeChange(recogniser: Recogniser, { inputs, label, probability }: Change): Text {
  const features = new Map(recogniser.preprocessing.features.map((feature) => [feature.spec.name, feature]));
  const name = recogniser.classTexts[label] ?? { en: label, zh: label };
  const part = (language: keyof Text, between: string): string =>
    inputs
      .map(({ feature, from, to }) => {
        const words = (value: number | string | null): string =>
          valueInWords(features.get(feature)!, value, language);
        return `${words(to)}${between}${words(from)}`;
      })
      .join(language === 'zh' ? '、' : ' and ');
  return {
    en: `It would be ${name.en} (${percent(probability)}) with ${part('en', ' instead of ')}.`,
    zh: `若${part('zh', '而不是')},则为${name.zh}(${percent(probability)})。`,
  };
}

/** `depth 10.6 km`, `station count not given`. */
function valueInWords(
  { spec }: FeatureEncoding,
  value: number | string | null,
  language: keyof Text,
): string {
  const label = spec.label[language];
  if (value === null) return language === 'zh' ? `${label}未给出` : `${label} not given`;
  if (typeof value === 'number' && spec.kind === 'cycle' && spec.unit === 'h')
    return `${label} ${clockTime(value)}`;
  const shown = typeof value === 'number' ? String(Number(value.toPrecision(4))) : value;
  return `${label} ${shown}${spec.unit === '' ? '' : ` ${spec.unit}`}`;
}

/** 23.85 hours are `23:51`. */
function clockTime(hours: number): string {
  const minutes = Math.floor(hours * 60) % 1440;
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}
