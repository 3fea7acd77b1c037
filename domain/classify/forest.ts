import { createRandom, type Random } from '../random.ts';
import type { Matrix } from './matrix.ts';

/**
 * Trees as flat arrays, in preorder: the left child of node i is i + 1. A row goes left when its value is
 * below the threshold, as in ml-random-forest, so the same trees give the same answers there.
 */
export interface Forest {
  readonly classes: number;
  readonly columns: number;
  /** First node of each tree. */
  readonly roots: Int32Array;
  /** Column a node asks about; -1 for a leaf. */
  readonly feature: Int16Array;
  /** Split value; for a leaf its cover: the weight of the training rows that reached it. */
  readonly threshold: Float64Array;
  /** Right child; for a leaf the row of `distributions`. */
  readonly next: Int32Array;
  /** Class shares of leaves, `classes` numbers each; equal leaves share one row. */
  readonly distributions: Float64Array;
}

export interface ForestOptions {
  /** @default 200 */
  readonly trees?: number;
  /** Columns tried at each node. @default floor(sqrt(columns)) */
  readonly columnsPerNode?: number;
  /** Fewest training rows (with repeats) in a leaf. @default 1 */
  readonly minimumLeaf?: number;
  /** @default 64 */
  readonly maximumDepth?: number;
  /** Weight of each class in every split and leaf. @default all 1 */
  readonly classWeights?: readonly number[];
  /**
   * `plain`: as many rows as there are, drawn with repeats. `balanced`: from every class as many as the rarest
   * has, times `balancedFactor` (Chen, Liaw & Breiman, 2004). `none`: every row once.
   * @default 'plain'
   */
  readonly bootstrap?: 'plain' | 'balanced' | 'none';
  readonly seed: number;
}

export interface TrainedForest {
  readonly forest: Forest;
  /**
   * Out-of-bag class shares of each training row, `classes` numbers a row: the mean over the trees that did not
   * see the row. NaN for a row that every tree saw.
   */
  readonly outOfBag: Float64Array;
}

/** Columns as ranks of their sorted distinct values: splits then count small integers instead of sorting numbers. */
interface RankedColumns {
  readonly codes: readonly Uint16Array[];
  readonly values: readonly Float64Array[];
  /** True where several neighbouring values had to share a code. */
  readonly shared: readonly boolean[];
}

const MAXIMUM_RANKS = 65_536;

function rankColumns(x: Matrix): RankedColumns {
  const codes: Uint16Array[] = [];
  const values: Float64Array[] = [];
  const shared: boolean[] = [];
  const sorted = new Float64Array(x.rows);
  for (let c = 0; c < x.columns; c++) {
    for (let r = 0; r < x.rows; r++) sorted[r] = x.values[r * x.columns + c]! + 0;
    sorted.sort();
    let distinct = 0;
    for (let r = 0; r < x.rows; r++) {
      if (r === 0 || sorted[r] !== sorted[distinct - 1]) sorted[distinct++] = sorted[r]!;
    }
    // More distinct values than codes: neighbours share one, and no split falls between them.
    const step = Math.ceil(distinct / MAXIMUM_RANKS);
    const kept = new Float64Array(Math.ceil(distinct / step));
    for (let k = 0; k < kept.length; k++) kept[k] = sorted[k * step]!;
    const code = new Uint16Array(x.rows);
    for (let r = 0; r < x.rows; r++) {
      const value = x.values[r * x.columns + c]!;
      let low = 0;
      let high = kept.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (kept[middle]! <= value) low = middle;
        else high = middle - 1;
      }
      code[r] = low;
    }
    codes.push(code);
    values.push(kept);
    shared.push(step > 1);
  }
  return { codes, values, shared };
}

/** Node arrays that grow by doubling while trees are added. */
class NodeStore {
  feature = new Int16Array(1024);
  threshold = new Float64Array(1024);
  next = new Int32Array(1024);
  length = 0;

  add(): number {
    if (this.length === this.feature.length) {
      const size = this.length * 2;
      const feature = new Int16Array(size);
      feature.set(this.feature);
      this.feature = feature;
      const threshold = new Float64Array(size);
      threshold.set(this.threshold);
      this.threshold = threshold;
      const next = new Int32Array(size);
      next.set(this.next);
      this.next = next;
    }
    return this.length++;
  }
}

/** Leaves with the same shares share one row; pure leaves, by far the most, need one row a class. */
class DistributionStore {
  readonly rows: number[] = [];
  private readonly pure: Int32Array;
  private readonly mixed = new Map<string, number>();
  private readonly classes: number;

  constructor(classes: number) {
    this.classes = classes;
    this.pure = new Int32Array(classes).fill(-1);
  }

  rowOf(weights: Float64Array, total: number): number {
    let only = -1;
    for (let k = 0; k < this.classes; k++) {
      if (weights[k]! > 0) only = only === -1 ? k : -2;
    }
    if (only >= 0 && this.pure[only]! >= 0) return this.pure[only]!;
    const shares = Array.from(weights, (weight) => (only >= 0 ? (weight > 0 ? 1 : 0) : weight / total));
    const key = only >= 0 ? '' : shares.join(',');
    const known = only >= 0 ? undefined : this.mixed.get(key);
    if (known !== undefined) return known;
    const row = this.rows.length / this.classes;
    this.rows.push(...shares);
    if (only >= 0) this.pure[only] = row;
    else this.mixed.set(key, row);
    return row;
  }
}

/**
 * Grows a random forest (Breiman, 2001) with Gini splits, reproducible byte for byte from its seed.
 *
 * @param x rows to learn from; finite numbers only.
 * @param y class index of each row, 0 .. classes - 1.
 */
export function trainForest(
  x: Matrix,
  y: Uint8Array,
  classes: number,
  options: ForestOptions,
): TrainedForest {
  const trees = options.trees ?? 200;
  const ranked = rankColumns(x);
  const nodes = new NodeStore();
  const distributions = new DistributionStore(classes);
  const roots = new Int32Array(trees);
  const outOfBag = new Float64Array(x.rows * classes);
  const outOfBagTrees = new Uint32Array(x.rows);
  const grower = createGrower(x, y, classes, ranked, options);
  const random = createRandom(options.seed);

  for (let t = 0; t < trees; t++) {
    const counts = bootstrap(y, classes, options.bootstrap ?? 'plain', random);
    roots[t] = nodes.length;
    grower(counts, random, nodes, distributions);
    for (let r = 0; r < x.rows; r++) {
      if (counts[r] !== 0) continue;
      let i = roots[t]!;
      for (let f = nodes.feature[i]!; f >= 0; f = nodes.feature[i]!) {
        i = x.values[r * x.columns + f]! < nodes.threshold[i]! ? i + 1 : nodes.next[i]!;
      }
      const leaf = nodes.next[i]! * classes;
      for (let k = 0; k < classes; k++) outOfBag[r * classes + k]! += distributions.rows[leaf + k]!;
      outOfBagTrees[r]!++;
    }
  }
  for (let r = 0; r < x.rows; r++) {
    for (let k = 0; k < classes; k++) outOfBag[r * classes + k]! /= outOfBagTrees[r]!;
  }
  const forest: Forest = {
    classes,
    columns: x.columns,
    roots,
    feature: nodes.feature.slice(0, nodes.length),
    threshold: nodes.threshold.slice(0, nodes.length),
    next: nodes.next.slice(0, nodes.length),
    distributions: Float64Array.from(distributions.rows),
  };
  return { forest, outOfBag };
}

function bootstrap(
  y: Uint8Array,
  classes: number,
  kind: 'plain' | 'balanced' | 'none',
  random: Random,
): Uint16Array {
  const counts = new Uint16Array(y.length);
  if (kind === 'none') return counts.fill(1);
  if (kind === 'plain') {
    for (let i = 0; i < y.length; i++) counts[random.integer(y.length)]!++;
    return counts;
  }
  const members: number[][] = Array.from({ length: classes }, () => []);
  for (let r = 0; r < y.length; r++) members[y[r]!]!.push(r);
  const rarest = Math.min(...members.filter((rows) => rows.length > 0).map((rows) => rows.length));
  for (const rows of members) {
    for (let i = 0; i < rarest && rows.length > 0; i++) counts[rows[random.integer(rows.length)]!]!++;
  }
  return counts;
}

type Grow = (counts: Uint16Array, random: Random, nodes: NodeStore, distributions: DistributionStore) => void;

function createGrower(
  x: Matrix,
  y: Uint8Array,
  classes: number,
  ranked: RankedColumns,
  options: ForestOptions,
): Grow {
  const perNode = Math.min(
    x.columns,
    options.columnsPerNode ?? Math.max(1, Math.floor(Math.sqrt(x.columns))),
  );
  const minimumLeaf = options.minimumLeaf ?? 1;
  const maximumDepth = options.maximumDepth ?? 64;
  const classWeights = Float64Array.from({ length: classes }, (_, k) => options.classWeights?.[k] ?? 1);
  const { codes, values } = ranked;

  const rows = new Int32Array(x.rows);
  const weight = new Float64Array(x.rows);
  const order = Int32Array.from({ length: x.columns }, (_, c) => c);
  const longest = Math.max(1, ...values.map((column) => column.length));
  const histogram = new Float64Array(longest * classes);
  const histogramCount = new Int32Array(longest);
  const keys = new Float64Array(x.rows);
  const left = new Float64Array(classes);
  const total = new Float64Array(classes);
  // A node waits here as (first row, end, depth, parent whose right child it is or -1).
  const stack: number[] = [];

  return (counts, random, nodes, distributions) => {
    let n = 0;
    for (let r = 0; r < x.rows; r++) {
      if (counts[r] === 0) continue;
      rows[n++] = r;
      weight[r] = counts[r]! * classWeights[y[r]!]!;
    }
    stack.length = 0;
    stack.push(0, n, 0, -1);
    while (stack.length > 0) {
      const parent = stack.pop()!;
      const depth = stack.pop()!;
      const end = stack.pop()!;
      const begin = stack.pop()!;
      const node = nodes.add();
      if (parent >= 0) nodes.next[parent] = node;

      total.fill(0);
      let size = 0;
      let present = 0;
      for (let i = begin; i < end; i++) {
        const r = rows[i]!;
        const k = y[r]!;
        if (total[k] === 0) present++;
        total[k]! += weight[r]!;
        size += counts[r]!;
      }
      let totalWeight = 0;
      let totalSquares = 0;
      for (let k = 0; k < classes; k++) {
        totalWeight += total[k]!;
        totalSquares += total[k]! * total[k]!;
      }

      let bestScore = totalSquares / totalWeight + 1e-12 * totalWeight;
      let bestColumn = -1;
      let bestBelow = 0;
      let bestAbove = 0;
      if (present > 1 && depth < maximumDepth && size >= 2 * minimumLeaf) {
        let tried = 0;
        for (let drawn = 0; drawn < order.length && tried < perNode; drawn++) {
          const pick = drawn + random.integer(order.length - drawn);
          const column = order[pick]!;
          order[pick] = order[drawn]!;
          order[drawn] = column;
          const code = codes[column]!;
          let lowest = code[rows[begin]!]!;
          let highest = lowest;
          for (let i = begin + 1; i < end; i++) {
            const c = code[rows[i]!]!;
            if (c < lowest) lowest = c;
            else if (c > highest) highest = c;
          }
          if (lowest === highest) continue;
          tried++;

          left.fill(0);
          let leftWeight = 0;
          let leftSize = 0;
          let leftSquares = 0;
          let rightSquares = totalSquares;
          const distinct = highest - lowest + 1;
          if (distinct <= 2 * (end - begin)) {
            for (let i = begin; i < end; i++) {
              const r = rows[i]!;
              const bin = code[r]! - lowest;
              histogram[bin * classes + y[r]!]! += weight[r]!;
              histogramCount[bin]! += counts[r]!;
            }
            let previous = -1;
            for (let bin = 0; bin < distinct; bin++) {
              const inBin = histogramCount[bin]!;
              if (inBin === 0) continue;
              if (previous >= 0 && leftSize >= minimumLeaf && size - leftSize >= minimumLeaf) {
                const score = leftSquares / leftWeight + rightSquares / (totalWeight - leftWeight);
                if (score > bestScore) {
                  bestScore = score;
                  bestColumn = column;
                  bestBelow = lowest + previous;
                  bestAbove = lowest + bin;
                }
              }
              previous = bin;
              leftSize += inBin;
              histogramCount[bin] = 0;
              const at = bin * classes;
              for (let k = 0; k < classes; k++) {
                const w = histogram[at + k]!;
                if (w === 0) continue;
                histogram[at + k] = 0;
                leftSquares += w * (2 * left[k]! + w);
                rightSquares -= w * (2 * (total[k]! - left[k]!) - w);
                left[k]! += w;
                leftWeight += w;
              }
            }
          } else {
            // Few rows over many values: sort the rows by code. A key holds the code and the row.
            const count = end - begin;
            for (let i = 0; i < count; i++) {
              const r = rows[begin + i]!;
              keys[i] = code[r]! * 4294967296 + r;
            }
            sortKeys(keys, count);
            let previousCode = -1;
            for (let i = 0; i < count; i++) {
              const key = keys[i]!;
              const c = Math.floor(key / 4294967296);
              const r = key - c * 4294967296;
              if (
                c !== previousCode &&
                previousCode >= 0 &&
                leftSize >= minimumLeaf &&
                size - leftSize >= minimumLeaf
              ) {
                const score = leftSquares / leftWeight + rightSquares / (totalWeight - leftWeight);
                if (score > bestScore) {
                  bestScore = score;
                  bestColumn = column;
                  bestBelow = previousCode;
                  bestAbove = c;
                }
              }
              previousCode = c;
              const k = y[r]!;
              const w = weight[r]!;
              leftSize += counts[r]!;
              leftSquares += w * (2 * left[k]! + w);
              rightSquares -= w * (2 * (total[k]! - left[k]!) - w);
              left[k]! += w;
              leftWeight += w;
            }
          }
        }
      }

      if (bestColumn < 0) {
        nodes.feature[node] = -1;
        nodes.threshold[node] = totalWeight;
        nodes.next[node] = distributions.rowOf(total, totalWeight);
        continue;
      }
      const column = values[bestColumn]!;
      nodes.feature[node] = bestColumn;
      // Where codes are shared a row coded as below may exceed the middle; every one is below the upper value.
      nodes.threshold[node] = ranked.shared[bestColumn]
        ? column[bestAbove]!
        : thresholdBetween(column[bestBelow]!, column[bestAbove]!);
      const code = codes[bestColumn]!;
      let low = begin;
      let high = end - 1;
      while (low <= high) {
        const r = rows[low]!;
        if (code[r]! <= bestBelow) low++;
        else {
          rows[low] = rows[high]!;
          rows[high] = r;
          high--;
        }
      }
      // The left child is taken from the stack first, so it gets the next index: preorder.
      stack.push(low, end, depth + 1, node);
      stack.push(begin, low, depth + 1, -1);
    }
  };
}

/** The middle, or the upper value when the two are neighbours in floating point: `below < threshold` must hold. */
function thresholdBetween(below: number, above: number): number {
  const middle = below + (above - below) / 2;
  return middle > below ? middle : above;
}

function sortKeys(keys: Float64Array, count: number): void {
  if (count > 48) {
    keys.subarray(0, count).sort();
    return;
  }
  for (let i = 1; i < count; i++) {
    const key = keys[i]!;
    let j = i - 1;
    while (j >= 0 && keys[j]! > key) {
      keys[j + 1] = keys[j]!;
      j--;
    }
    keys[j + 1] = key;
  }
}

/** The same forest with equal leaves sharing one row of `distributions`: smaller, and kinder to the cache. */
export function shareLeaves(forest: Forest): Forest {
  const store = new DistributionStore(forest.classes);
  const { feature, distributions, classes } = forest;
  const next = forest.next.map((to, i) =>
    feature[i]! < 0 ? store.rowOf(distributions.subarray(to * classes, (to + 1) * classes), 1) : to,
  );
  return { ...forest, next, distributions: Float64Array.from(store.rows) };
}

/** Index of the leaf that the row reaches in the tree at `root`. */
export function leafOf(forest: Forest, root: number, x: ArrayLike<number>): number {
  const { feature, threshold, next } = forest;
  let i = root;
  for (let f = feature[i]!; f >= 0; f = feature[i]!) i = x[f]! < threshold[i]! ? i + 1 : next[i]!;
  return i;
}

/** Mean of the leaves' class shares: sums to 1. */
export function forestShares(forest: Forest, x: ArrayLike<number>): Float64Array {
  const { roots, next, distributions, classes } = forest;
  const shares = new Float64Array(classes);
  for (let t = 0; t < roots.length; t++) {
    const row = next[leafOf(forest, roots[t]!, x)]! * classes;
    for (let k = 0; k < classes; k++) shares[k]! += distributions[row + k]!;
  }
  for (let k = 0; k < classes; k++) shares[k]! /= roots.length;
  return shares;
}

/**
 * The class most trees vote for; of equals the one that reached the count first, as ml-random-forest has it.
 * Use a prepared voter (`createVoter`) where speed matters.
 */
export function forestLabel(forest: Forest, x: ArrayLike<number>): number {
  const { roots, next, distributions, classes } = forest;
  const votes = new Int32Array(classes);
  let label = 0;
  let most = 0;
  for (let t = 0; t < roots.length; t++) {
    const row = next[leafOf(forest, roots[t]!, x)]! * classes;
    let vote = 0;
    for (let k = 1; k < classes; k++) if (distributions[row + k]! > distributions[row + vote]!) vote = k;
    const count = ++votes[vote]!;
    if (count > most) {
      most = count;
      label = vote;
    }
  }
  return label;
}
