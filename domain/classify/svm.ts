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

/** A machine laid out for speed; `decisionValues` and `svmLabel` are its plain reference. Keeps scratch space. */
export interface SvmVoter {
  /** As `svmLabel`. */
  label(x: ArrayLike<number>): number;
  /** As `decisionValues`, within 1e-9; valid until the next call. */
  decisionValues(x: ArrayLike<number>): Float64Array;
}

/**
 * Prepares a machine: squared distances become dot products over blocks of four support vectors, columns in which
 * all support vectors agree are counted once, and each block of support vectors feeds all its pairs in one pass.
 */
export function createSvmVoter(svm: Svm): SvmVoter {
  const { columns, counts, vectors, coefficients, offsets, gamma, labels } = svm;
  const total = vectors.length / columns;
  const classes = counts.length;
  const varying = Array.from({ length: columns }, (_, c) => c).filter((c) => {
    for (let v = 1; v < total; v++) if (vectors[v * columns + c] !== vectors[c]) return true;
    return false;
  });
  const agreed = Array.from({ length: columns }, (_, c) => c).filter((c) => !varying.includes(c));
  const width = varying.length;
  const blocks = Math.ceil(total / 4);
  // Support vector 4b + j lies in lane j: one index then serves all four, which is what makes the loop fast.
  const lanes = Array.from({ length: 4 }, () => new Float64Array(blocks * width));
  const [lane0, lane1, lane2, lane3] = lanes as [Float64Array, Float64Array, Float64Array, Float64Array];
  const squares = new Float64Array(blocks * 4);
  for (let v = 0; v < total; v++) {
    for (let i = 0; i < width; i++) {
      const value = vectors[v * columns + varying[i]!]!;
      lanes[v & 3]![(v >> 2) * width + i] = value;
      squares[v]! += value * value;
    }
  }
  const starts = new Int32Array(classes + 1);
  for (let k = 0; k < classes; k++) starts[k + 1] = starts[k]! + counts[k]!;
  // Machines go four at a time, for the same reason; the last group is filled up with zeros.
  const machines = classes - 1;
  const nothing = new Float64Array(total);
  const rowOfMachine = Array.from({ length: Math.ceil(machines / 4) * 4 }, (_, m) =>
    m < machines ? coefficients.slice(m * total, (m + 1) * total) : nothing,
  );
  const pairOf = new Int32Array(classes * machines);
  for (let k = 0; k < classes; k++) {
    for (let m = 0; m < machines; m++) {
      const other = m < k ? m : m + 1;
      const first = Math.min(k, other);
      pairOf[k * machines + m] =
        first * classes - (first * (first + 1)) / 2 + (Math.max(k, other) - first - 1);
    }
  }
  const row = new Float64Array(width);
  const sums = new Float64Array(4);
  const kernel = new Float64Array(blocks * 4);
  const values = new Float64Array(offsets.length);
  const negativeOffsets = Float64Array.from(offsets, (offset) => -offset);
  const votes = new Int32Array(classes);

  const decide = (x: ArrayLike<number>): Float64Array => {
    let own = 0;
    let shared = 0;
    for (let i = 0; i < width; i++) {
      const value = x[varying[i]!]!;
      row[i] = value;
      own += value * value;
    }
    for (const c of agreed) shared += (x[c]! - vectors[c]!) ** 2;
    dotProducts(row, lane0, lane1, lane2, lane3, kernel);
    const base = shared + own;
    for (let v = 0; v < total; v++) kernel[v] = Math.exp(-gamma * (base + squares[v]! - 2 * kernel[v]!));
    values.set(negativeOffsets);
    for (let m = 0; m < machines; m += 4) {
      const row0 = rowOfMachine[m]!;
      const row1 = rowOfMachine[m + 1]!;
      const row2 = rowOfMachine[m + 2]!;
      const row3 = rowOfMachine[m + 3]!;
      for (let k = 0; k < classes; k++) {
        sumProducts(kernel, row0, row1, row2, row3, starts[k]!, starts[k + 1]!, sums);
        const pair = k * machines + m;
        values[pairOf[pair]!]! += sums[0]!;
        if (m + 1 < machines) values[pairOf[pair + 1]!]! += sums[1]!;
        if (m + 2 < machines) values[pairOf[pair + 2]!]! += sums[2]!;
        if (m + 3 < machines) values[pairOf[pair + 3]!]! += sums[3]!;
      }
    }
    return values;
  };
  return {
    decisionValues: decide,
    label(x) {
      decide(x);
      votes.fill(0);
      for (let i = 0, pair = 0; i < classes; i++) {
        for (let j = i + 1; j < classes; j++, pair++) votes[values[pair]! > 0 ? i : j]!++;
      }
      let best = 0;
      for (let k = 1; k < classes; k++) if (votes[k]! > votes[best]!) best = k;
      return labels[best]!;
    },
  };
}

/** Products of `row` with the vectors of four lanes: `out[4b + j]` is that with block b of lane j. */
function dotProducts(
  row: Float64Array,
  lane0: Float64Array,
  lane1: Float64Array,
  lane2: Float64Array,
  lane3: Float64Array,
  out: Float64Array,
): void {
  const width = row.length;
  for (let v = 0, at = 0; v < out.length; v += 4) {
    let p = 0;
    let q = 0;
    let r = 0;
    let s = 0;
    for (let i = 0; i < width; i++, at++) {
      const value = row[i]!;
      p += value * lane0[at]!;
      q += value * lane1[at]!;
      r += value * lane2[at]!;
      s += value * lane3[at]!;
    }
    out[v] = p;
    out[v + 1] = q;
    out[v + 2] = r;
    out[v + 3] = s;
  }
}

/** Products of `values` from `begin` to `end` with four rows. */
function sumProducts(
  values: Float64Array,
  row0: Float64Array,
  row1: Float64Array,
  row2: Float64Array,
  row3: Float64Array,
  begin: number,
  end: number,
  out: Float64Array,
): void {
  let p = 0;
  let q = 0;
  let r = 0;
  let s = 0;
  for (let v = begin; v < end; v++) {
    const value = values[v]!;
    p += value * row0[v]!;
    q += value * row1[v]!;
    r += value * row2[v]!;
    s += value * row3[v]!;
  }
  out[0] = p;
  out[1] = q;
  out[2] = r;
  out[3] = s;
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
