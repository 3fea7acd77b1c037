import { leafOf, type Forest } from './forest.ts';

/**
 * Exact path-dependent SHAP values of a forest (Lundberg et al., 2020, algorithm 2): how much each column moved the
 * answer for `target` away from the training average, over all orders in which the columns could be learnt.
 */
export interface ShapValues {
  /** Expected share of the class over the training rows. */
  readonly baseline: number;
  /** One number a column; `baseline` plus their sum is the forest's share of the class for the row. */
  readonly values: Float64Array;
}

/** Weight of the training rows at every node, summed from the leaves, where it is kept. */
export function coversOf(forest: Forest): Float64Array {
  const { feature, threshold, next } = forest;
  const cover = new Float64Array(feature.length);
  for (let i = feature.length - 1; i >= 0; i--) {
    cover[i] = feature[i]! < 0 ? threshold[i]! : cover[i + 1]! + cover[next[i]!]!;
  }
  return cover;
}

/**
 * @param x one encoded row.
 * @param target class index whose share is explained.
 * @param covers from `coversOf`, to be computed once for many rows.
 */
export function treeShap(
  forest: Forest,
  x: ArrayLike<number>,
  target: number,
  covers = coversOf(forest),
): ShapValues {
  const { feature, threshold, next, distributions, classes, roots } = forest;
  const values = new Float64Array(forest.columns);
  const depth = deepest(forest) + 2;
  // One row of the path for every depth, so that a branch can be left without undoing it.
  const size = (depth * (depth + 1)) / 2 + depth;
  const column = new Int32Array(size);
  const zero = new Float64Array(size);
  const one = new Float64Array(size);
  const weight = new Float64Array(size);
  let baseline = 0;

  const unwoundSum = (base: number, length: number, at: number): number => {
    const o = one[base + at]!;
    const z = zero[base + at]!;
    let total = 0;
    let rest = weight[base + length]!;
    for (let j = length - 1; j >= 0; j--) {
      if (o !== 0) {
        const share = (rest * (length + 1)) / ((j + 1) * o);
        total += share;
        rest = weight[base + j]! - (share * z * (length - j)) / (length + 1);
      } else {
        total += (weight[base + j]! * (length + 1)) / (z * (length - j));
      }
    }
    return total;
  };

  const visit = (
    node: number,
    parentBase: number,
    parentLength: number,
    z: number,
    o: number,
    by: number,
  ): void => {
    // Copies the parent's path and extends it by the split that led here.
    let length = parentLength;
    const base = parentBase + parentLength;
    for (let j = 0; j < length; j++) {
      column[base + j] = column[parentBase + j]!;
      zero[base + j] = zero[parentBase + j]!;
      one[base + j] = one[parentBase + j]!;
      weight[base + j] = weight[parentBase + j]!;
    }
    column[base + length] = by;
    zero[base + length] = z;
    one[base + length] = o;
    weight[base + length] = length === 0 ? 1 : 0;
    for (let j = length - 1; j >= 0; j--) {
      weight[base + j + 1]! += (o * weight[base + j]! * (j + 1)) / (length + 1);
      weight[base + j] = (z * weight[base + j]! * (length - j)) / (length + 1);
    }
    const f = feature[node]!;
    if (f < 0) {
      const share = distributions[next[node]! * classes + target]!;
      for (let j = 1; j <= length; j++) {
        const at = base + j;
        values[column[at]!]! += unwoundSum(base, length, j) * (one[at]! - zero[at]!) * share;
      }
      return;
    }
    const left = node + 1;
    const right = next[node]!;
    const goesLeft = x[f]! < threshold[node]!;
    const hot = goesLeft ? left : right;
    const cold = goesLeft ? right : left;
    let incomingZero = 1;
    let incomingOne = 1;
    let seen = 1;
    while (seen <= length && column[base + seen] !== f) seen++;
    if (seen <= length) {
      incomingZero = zero[base + seen]!;
      incomingOne = one[base + seen]!;
      // Takes the earlier split on this column back out of the path.
      let rest = weight[base + length]!;
      for (let j = length - 1; j >= 0; j--) {
        if (incomingOne !== 0) {
          const kept = weight[base + j]!;
          weight[base + j] = (rest * (length + 1)) / ((j + 1) * incomingOne);
          rest = kept - (weight[base + j]! * incomingZero * (length - j)) / (length + 1);
        } else {
          weight[base + j] = (weight[base + j]! * (length + 1)) / (incomingZero * (length - j));
        }
      }
      for (let j = seen; j < length; j++) {
        column[base + j] = column[base + j + 1]!;
        zero[base + j] = zero[base + j + 1]!;
        one[base + j] = one[base + j + 1]!;
      }
      length--;
    }
    const here = covers[node]!;
    visit(hot, base, length + 1, (incomingZero * covers[hot]!) / here, incomingOne, f);
    visit(cold, base, length + 1, (incomingZero * covers[cold]!) / here, 0, f);
  };

  for (const root of roots) {
    visit(root, 0, 0, 1, 1, -1);
    baseline += expected(forest, root, target, covers);
  }
  for (let c = 0; c < values.length; c++) values[c]! /= roots.length;
  return { baseline: baseline / roots.length, values };
}

function expected(forest: Forest, root: number, target: number, covers: Float64Array): number {
  const { feature, next, distributions, classes } = forest;
  const end = endOf(forest, root);
  let sum = 0;
  for (let i = root; i < end; i++) {
    if (feature[i]! < 0) sum += covers[i]! * distributions[next[i]! * classes + target]!;
  }
  return sum / covers[root]!;
}

/** One past the last node of the tree at `root`. */
function endOf(forest: Forest, root: number): number {
  const position = forest.roots.indexOf(root);
  return forest.roots[position + 1] ?? forest.feature.length;
}

function deepest(forest: Forest): number {
  const depth = new Int32Array(forest.feature.length);
  let most = 0;
  for (let i = 0; i < depth.length; i++) {
    if (forest.feature[i]! < 0) continue;
    const below = depth[i]! + 1;
    depth[i + 1] = below;
    depth[forest.next[i]!] = below;
    if (below > most) most = below;
  }
  return most;
}

/**
 * The same values from their definition: a mean over all subsets of columns. Exponential in the number of columns
 * that the forest asks about; the plain reference for `treeShap`.
 */
export function shapByDefinition(forest: Forest, x: ArrayLike<number>, target: number): ShapValues {
  const covers = coversOf(forest);
  const used = [...new Set(forest.feature)].filter((column) => column >= 0);
  const share = (known: ReadonlySet<number>): number => {
    let sum = 0;
    for (const root of forest.roots) sum += shareKnowing(forest, root, x, target, known, covers);
    return sum / forest.roots.length;
  };
  const values = new Float64Array(forest.columns);
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  for (const column of used) {
    const others = used.filter((other) => other !== column);
    for (let mask = 0; mask < 2 ** others.length; mask++) {
      const known = new Set(others.filter((_, bit) => (mask >> bit) & 1));
      const weight =
        (factorial(known.size) * factorial(used.length - known.size - 1)) / factorial(used.length);
      const without = share(known);
      known.add(column);
      values[column]! += weight * (share(known) - without);
    }
  }
  return { baseline: share(new Set()), values };
}

function shareKnowing(
  forest: Forest,
  node: number,
  x: ArrayLike<number>,
  target: number,
  known: ReadonlySet<number>,
  covers: Float64Array,
): number {
  const { feature, threshold, next, distributions, classes } = forest;
  const f = feature[node]!;
  if (f < 0) return distributions[next[leafOf(forest, node, x)]! * classes + target]!;
  const left = node + 1;
  const right = next[node]!;
  if (known.has(f))
    return shareKnowing(forest, x[f]! < threshold[node]! ? left : right, x, target, known, covers);
  const leftShare = shareKnowing(forest, left, x, target, known, covers);
  const rightShare = shareKnowing(forest, right, x, target, known, covers);
  return (covers[left]! * leftShare + covers[right]! * rightShare) / covers[node]!;
}
