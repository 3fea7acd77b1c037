import { TocsinError } from '../errors.ts';
import { RECOGNISER_DAMAGED } from './codes.ts';

/**
 * A C-SVC with a radial kernel as libsvm writes it, one machine for each pair of classes.
 * Support vectors lie class after class, in the order of `labels`.
 */
export interface Svm {
  /** Class index of each block of support vectors, in libsvm's own order. */
  readonly labels: readonly number[];
  readonly gamma: number;
  /** Columns of a support vector. */
  readonly columns: number;
  /** How many support vectors each block has. */
  readonly counts: readonly number[];
  /** Row-major, support vectors x columns. */
  readonly vectors: Float64Array;
  /** Row-major, (classes - 1) x support vectors: libsvm's `sv_coef` transposed. */
  readonly coefficients: Float64Array;
  /** One offset for each pair (0,1), (0,2) .. (1,2) .. */
  readonly offsets: readonly number[];
  /** Sigmoid of each pair, `1 / (1 + exp(a f + b))`; empty when the machine has no probabilities. */
  readonly sigmoids: readonly { readonly a: number; readonly b: number }[];
}

/**
 * Reads libsvm's text format. Only what Tocsin trains is read: C-SVC with an RBF kernel.
 * @param columns width of an input row; the text leaves out zeros and cannot tell.
 */
export function parseSvm(text: string, columns: number): Svm {
  const lines = text.split('\n');
  const header = new Map<string, string>();
  let at = 0;
  for (; at < lines.length && lines[at]!.trim() !== 'SV'; at++) {
    const space = lines[at]!.indexOf(' ');
    if (space > 0) header.set(lines[at]!.slice(0, space), lines[at]!.slice(space + 1).trim());
  }
  const field = (name: string): string => {
    const value = header.get(name);
    if (value === undefined) throw damaged(`the line "${name}" is missing`);
    return value;
  };
  const numbers = (name: string): number[] =>
    field(name)
      .split(/\s+/)
      .map((word) => finite(word, name));
  if (field('svm_type') !== 'c_svc' || field('kernel_type') !== 'rbf') {
    throw damaged(`expected c_svc with an rbf kernel, got ${field('svm_type')} with ${field('kernel_type')}`);
  }
  const labels = numbers('label');
  const counts = numbers('nr_sv');
  const offsets = numbers('rho');
  const total = numbers('total_sv')[0]!;
  const probA = header.has('probA') ? numbers('probA') : [];
  const probB = header.has('probB') ? numbers('probB') : [];
  const machines = labels.length - 1;
  const vectors = new Float64Array(total * columns);
  const coefficients = new Float64Array(machines * total);
  for (let v = 0; v < total; v++) {
    const words = (lines[at + 1 + v] ?? '').trim().split(/\s+/);
    if (words.length < machines) throw damaged(`support vector ${v + 1} of ${total} is missing`);
    for (let m = 0; m < machines; m++) coefficients[m * total + v] = finite(words[m]!, 'coefficient');
    for (const word of words.slice(machines)) {
      const colon = word.indexOf(':');
      const column = Number(word.slice(0, colon)) - 1;
      if (!(column >= 0 && column < columns)) throw damaged(`support vector ${v + 1} has column ${word}`);
      vectors[v * columns + column] = finite(word.slice(colon + 1), 'support vector');
    }
  }
  return {
    labels,
    gamma: numbers('gamma')[0]!,
    columns,
    counts,
    vectors,
    coefficients,
    offsets,
    sigmoids: probA.map((a, p) => ({ a, b: probB[p]! })),
  };
}

function finite(word: string, what: string): number {
  const value = Number(word);
  if (word === '' || !Number.isFinite(value)) throw damaged(`${what}: "${word}" is not a number`);
  return value;
}

function damaged(reason: string): TocsinError {
  return new TocsinError(
    RECOGNISER_DAMAGED,
    `Not a support vector machine of the expected form: ${reason}.`,
    {
      details: { reason },
    },
  );
}

/** Kernel values of a row against every support vector. */
function kernelRow(svm: Svm, x: ArrayLike<number>): Float64Array {
  const { columns, vectors, gamma } = svm;
  const total = vectors.length / columns;
  const kernel = new Float64Array(total);
  for (let v = 0, at = 0; v < total; v++) {
    let distance = 0;
    for (let c = 0; c < columns; c++, at++) {
      const difference = x[c]! - vectors[at]!;
      distance += difference * difference;
    }
    kernel[v] = Math.exp(-gamma * distance);
  }
  return kernel;
}

/**
 * Decision values of all pairs of classes, in libsvm's order: positive speaks for the first of the pair.
 * Equal to libsvm's within 1e-9.
 */
export function decisionValues(svm: Svm, x: ArrayLike<number>): Float64Array {
  const { counts, coefficients, offsets } = svm;
  const kernel = kernelRow(svm, x);
  const total = kernel.length;
  const classes = counts.length;
  const starts = new Int32Array(classes + 1);
  for (let k = 0; k < classes; k++) starts[k + 1] = starts[k]! + counts[k]!;
  // Each block of support vectors is summed once for every row of coefficients and then shared by the pairs.
  const values = new Float64Array(offsets.length);
  let pair = 0;
  for (let i = 0; i < classes; i++) {
    for (let j = i + 1; j < classes; j++, pair++) {
      let sum = 0;
      const rowI = (j - 1) * total;
      for (let v = starts[i]!; v < starts[i + 1]!; v++) sum += coefficients[rowI + v]! * kernel[v]!;
      const rowJ = i * total;
      for (let v = starts[j]!; v < starts[j + 1]!; v++) sum += coefficients[rowJ + v]! * kernel[v]!;
      values[pair] = sum - offsets[pair]!;
    }
  }
  return values;
}

/** Class index by one vote a pair; of equals the one that comes first in libsvm's order, as libsvm has it. */
export function svmLabel(svm: Svm, x: ArrayLike<number>): number {
  const values = decisionValues(svm, x);
  const votes = new Int32Array(svm.labels.length);
  let pair = 0;
  for (let i = 0; i < votes.length; i++) {
    for (let j = i + 1; j < votes.length; j++, pair++) votes[values[pair]! > 0 ? i : j]!++;
  }
  let best = 0;
  for (let k = 1; k < votes.length; k++) if (votes[k]! > votes[best]!) best = k;
  return svm.labels[best]!;
}

/** Class shares by the pairs' sigmoids and pairwise coupling (Wu, Lin & Weng, 2004, second method); by class index. */
export function svmShares(svm: Svm, x: ArrayLike<number>, classes: number): Float64Array {
  const coupled = coupleSigmoids(decisionValues(svm, x), svm.sigmoids, svm.labels.length);
  const shares = new Float64Array(classes);
  for (const [position, label] of svm.labels.entries()) shares[label] = coupled[position]!;
  return shares;
}

/** Class shares in the machine's own order from its decision values. */
export function coupleSigmoids(
  values: Float64Array,
  sigmoids: readonly { readonly a: number; readonly b: number }[],
  k: number,
): Float64Array {
  const smallest = 1e-7;
  const pairwise = new Float64Array(k * k);
  let pair = 0;
  for (let i = 0; i < k; i++) {
    for (let j = i + 1; j < k; j++, pair++) {
      const { a, b } = sigmoids[pair]!;
      const p = Math.min(Math.max(1 / (1 + Math.exp(a * values[pair]! + b)), smallest), 1 - smallest);
      pairwise[i * k + j] = p;
      pairwise[j * k + i] = 1 - p;
    }
  }
  return couple(pairwise, k);
}

/**
 * Class probabilities from pairwise ones by the fixed-point iteration libsvm uses.
 * @param pairwise row-major k x k: entry (i, j) is P(i | i or j).
 */
export function couple(pairwise: Float64Array, k: number): Float64Array {
  const p = new Float64Array(k).fill(1 / k);
  const q = new Float64Array(k * k);
  const qp = new Float64Array(k);
  for (let t = 0; t < k; t++) {
    for (let j = 0; j < k; j++) {
      if (j === t) continue;
      q[t * k + t]! += pairwise[j * k + t]! ** 2;
      q[t * k + j] = -pairwise[j * k + t]! * pairwise[t * k + j]!;
    }
  }
  const tolerance = 0.005 / k;
  for (let iteration = 0; iteration < Math.max(100, k); iteration++) {
    let pqp = 0;
    for (let t = 0; t < k; t++) {
      qp[t] = 0;
      for (let j = 0; j < k; j++) qp[t]! += q[t * k + j]! * p[j]!;
      pqp += p[t]! * qp[t]!;
    }
    if (qp.every((value) => Math.abs(value - pqp) < tolerance)) break;
    for (let t = 0; t < k; t++) {
      const diagonal = q[t * k + t]!;
      const step = (-qp[t]! + pqp) / diagonal;
      p[t]! += step;
      pqp = (pqp + step * (step * diagonal + 2 * qp[t]!)) / (1 + step) / (1 + step);
      for (let j = 0; j < k; j++) {
        qp[j] = (qp[j]! + step * q[t * k + j]!) / (1 + step);
        p[j]! /= 1 + step;
      }
    }
  }
  return p;
}
