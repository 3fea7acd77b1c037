import { forestLabel, forestShares, type Forest } from './forest.ts';
import { argmax, rowOf, type Matrix } from './matrix.ts';

/**
 * A forest laid out for speed. Answers exactly what `forestLabel` and the largest of `forestShares` answer; those are
 * the plain reference. Not to be shared between threads: it keeps scratch space.
 */
export interface ForestVoter {
  /** The class most trees vote for, as `forestLabel`. */
  label(x: ArrayLike<number>): number;
  /** Class with the largest mean share for each row; of equals the first. */
  labels(rows: Matrix): Uint8Array;
}

/** From this mean depth on, walking four trees without branches beats walking one with them. */
const DEEP = 7;
/** Trees asked between two looks at whether the rest can still change the answer. */
const STEP = 12;
/** Rows that go through a tree together: their ranks fit the first-level cache. */
const BLOCK = 64;
/** Sums in another order differ in the last bits: what is closer than this is left to the reference. */
const AHEAD = 1e-9;

/**
 * Prepares a forest: O(nodes), some milliseconds for 100 trees. Two ideas carry it. Trees are no longer asked once the
 * leader cannot be caught by those that are left. And values are first replaced by their ranks among the forest's split
 * values, so that four walks at a time go down with integer arithmetic and no branch to mispredict.
 */
export function createForestVoter(forest: Forest): ForestVoter {
  if (forest.columns > COLUMNS_AT_MOST || forest.feature.length >= RANK_BITS) return createPlainVoter(forest);
  const { classes } = forest;
  const trees = forest.roots.length;
  const layout = createLayout(forest);
  const depth = meanDepth(forest);
  // Ranks are looked up for every column whatever the trees ask: that must pay.
  const walk =
    depth >= DEEP && trees * depth >= 8 * forest.columns ? createDeepWalk(layout) : createShallowWalk(forest);
  const votes = leafVotes(forest);
  const counts = new Int32Array(classes);
  const labels = createBlockLabels(forest, layout);

  return {
    label(x) {
      counts.fill(0);
      walk.start(x);
      let leader = 0;
      let most = 0;
      let second = 0;
      for (let done = 0; done < trees;) {
        const count = walk.next(done);
        for (let i = 0; i < count; i++) {
          const vote = votes[walk.leaves[i]!]!;
          const now = ++counts[vote]!;
          if (vote === leader) most = now;
          else if (now > most) {
            second = most;
            most = now;
            leader = vote;
          } else if (now > second) second = now;
        }
        done += count;
        if (most - second > trees - done) return leader;
      }
      // Level at the end: who got there first depends on the order of the trees, which the layout changes.
      return forestLabel(forest, x);
    },
    labels,
  };
}

/** For rows too wide, or forests too large, for the packed layout. */
function createPlainVoter(forest: Forest): ForestVoter {
  return {
    label: (x) => forestLabel(forest, x),
    labels: (rows) =>
      Uint8Array.from({ length: rows.rows }, (_, r) => argmax(forestShares(forest, rowOf(rows, r)))),
  };
}

/**
 * The nodes in another order: trees sorted by depth, siblings side by side, leaves pointing to themselves, so that
 * walks of different length can go on together. `rank < split rank` exactly where `value < threshold`.
 */
interface Layout {
  readonly columns: number;
  readonly roots: Int32Array;
  /** Depth of the deepest leaf of each tree. */
  readonly depths: Int32Array;
  /**
   * Two numbers a node: the column (high 12 bits) with the rank of the split value (low 20 bits; the largest for a
   * leaf), and the place of the right child, the left one being just before it (for a leaf: just after itself).
   * One array, so that a step costs few loads and few registers.
   */
  readonly nodes: Int32Array;
  /** Row of `distributions`, by half the place of a leaf. */
  readonly leaf: Int32Array;
  /** Sorted split values of all columns, column after column. */
  readonly cuts: Float64Array;
  readonly firstCut: Int32Array;
  /** Columns that have split values. */
  readonly used: Int32Array;
  /** By place in `used`: the smallest split value, and buckets for each unit above it. */
  readonly lowest: Float64Array;
  readonly perUnit: Float64Array;
  /** By place in `used`, `BUCKETS` each: the first split value that is not in a lower bucket. */
  readonly buckets: Int32Array;
}

function createLayout(forest: Forest): Layout {
  const { columns, roots: oldRoots } = forest;
  const nodes = forest.feature.length;
  const depth = nodeDepths(forest);
  const deepest = Array.from(oldRoots, (root, t) => {
    let most = 0;
    for (let i = root; i < (oldRoots[t + 1] ?? nodes); i++) if (depth[i]! > most) most = depth[i]!;
    return most;
  });
  const order = Array.from(oldRoots.keys()).sort((a, b) => deepest[a]! - deepest[b]! || a - b);

  const splits = Array.from({ length: columns }, () => new Set<number>());
  for (let i = 0; i < nodes; i++)
    if (forest.feature[i]! >= 0) splits[forest.feature[i]!]!.add(forest.threshold[i]!);
  const sorted = splits.map((values) => Float64Array.from(values).sort());
  const rankOf = sorted.map((values) => new Map(Array.from(values, (value, rank) => [value, rank + 1])));
  const firstCut = new Int32Array(columns + 1);
  for (let c = 0; c < columns; c++) firstCut[c + 1] = firstCut[c]! + sorted[c]!.length;
  const cuts = new Float64Array(firstCut[columns]!);
  for (let c = 0; c < columns; c++) cuts.set(sorted[c]!, firstCut[c]);

  const used = Int32Array.from(
    Array.from({ length: columns }, (_, c) => c).filter((c) => sorted[c]!.length > 0),
  );
  const lowest = Float64Array.from(used, (c) => sorted[c]![0]!);
  const perUnit = Float64Array.from(used, (c, u) => {
    const width = sorted[c]!.at(-1)! - lowest[u]!;
    const steps = (BUCKETS - 1) / width;
    return Number.isFinite(steps) ? steps : 0;
  });
  const buckets = new Int32Array(used.length * BUCKETS);
  for (const [u, c] of used.entries()) {
    let cut = firstCut[c]!;
    for (let b = 0; b < BUCKETS; b++) {
      while (cut < firstCut[c + 1]! && bucketOf(cuts[cut]!, lowest[u]!, perUnit[u]!) < b) cut++;
      buckets[u * BUCKETS + b] = cut;
    }
  }

  const packed = new Int32Array(2 * nodes);
  const leaf = new Int32Array(nodes);
  const roots = new Int32Array(order.length);
  let length = 0;
  for (const [t, old] of order.entries()) {
    roots[t] = length;
    const waiting: [from: number, to: number][] = [[oldRoots[old]!, length]];
    length += 2;
    for (const [from, to] of waiting) {
      const column = forest.feature[from]!;
      if (column < 0) {
        packed[to] = RANK_BITS;
        packed[to + 1] = to + 2;
        leaf[to >> 1] = forest.next[from]!;
      } else {
        packed[to] = (column << 20) | rankOf[column]!.get(forest.threshold[from]!)!;
        packed[to + 1] = length + 2;
        waiting.push([from + 1, length], [forest.next[from]!, length + 2]);
        length += 4;
      }
    }
  }
  const depths = Int32Array.from(order, (old) => deepest[old]!);
  return { columns, roots, depths, nodes: packed, leaf, cuts, firstCut, used, lowest, perUnit, buckets };
}

/**
 * Writes how many split values of each column are at most the row's value. The bucket gives a place to start: a cut in
 * a lower bucket than the value's is never above it, because equal steps of arithmetic keep the order.
 */
function rankRow(layout: Layout, x: ArrayLike<number>, out: Int32Array, at: number): void {
  const { used, cuts, firstCut, lowest, perUnit, buckets } = layout;
  for (let u = 0; u < used.length; u++) {
    const c = used[u]!;
    const value = x[c]!;
    const end = firstCut[c + 1]!;
    let cut = buckets[u * BUCKETS + bucketOf(value, lowest[u]!, perUnit[u]!)]!;
    while (cut < end && cuts[cut]! <= value) cut++;
    out[at + c] = cut - firstCut[c]!;
  }
}

const BUCKETS = 64;
/** All ones in the bits of a rank. */
const RANK_BITS = 0xfffff;
/** Columns that fit beside a rank. */
const COLUMNS_AT_MOST = 2047;

function bucketOf(value: number, lowest: number, perUnit: number): number {
  const bucket = (value - lowest) * perUnit;
  return bucket > 0 ? (bucket < BUCKETS ? bucket | 0 : BUCKETS - 1) : 0;
}

/** Walks some trees for one row; `leaves` then holds the rows of `distributions` they end in. */
interface Walk {
  readonly leaves: Int32Array;
  start(x: ArrayLike<number>): void;
  /** Walks the trees from `tree` on and answers how many it walked. */
  next(tree: number): number;
}

function createShallowWalk({ feature, threshold, next, roots }: Forest): Walk {
  const leaves = new Int32Array(STEP);
  let row: ArrayLike<number> = [];
  return {
    leaves,
    start(x) {
      row = x;
    },
    next(tree) {
      const x = row;
      const count = Math.min(STEP, roots.length - tree);
      for (let t = 0; t < count; t++) {
        let i = roots[tree + t]!;
        for (let f = feature[i]!; f >= 0; f = feature[i]!) i = x[f]! < threshold[i]! ? i + 1 : next[i]!;
        leaves[t] = next[i]!;
      }
      return count;
    },
  };
}

function createDeepWalk(layout: Layout): Walk {
  const { roots, depths, nodes, leaf, columns } = layout;
  const leaves = new Int32Array(STEP);
  const ranks = new Int32Array(columns);
  return {
    leaves,
    start(x) {
      rankRow(layout, x, ranks, 0);
    },
    next(tree) {
      const count = Math.min(STEP, roots.length - tree);
      for (let t = 0; t < count; t += 4) {
        const last = Math.min(tree + t + 3, roots.length - 1);
        let a = roots[tree + t]!;
        let b = roots[Math.min(tree + t + 1, last)]!;
        let c = roots[Math.min(tree + t + 2, last)]!;
        let d = roots[last]!;
        for (let down = depths[last]!; down > 0; down--) {
          // The shifted sign is -1 where the row goes left: two places before the right child.
          let split = 0;
          split = nodes[a]!;
          a = nodes[a + 1]! + (((ranks[split >>> 20]! - (split & RANK_BITS)) >> 31) & -2);
          split = nodes[b]!;
          b = nodes[b + 1]! + (((ranks[split >>> 20]! - (split & RANK_BITS)) >> 31) & -2);
          split = nodes[c]!;
          c = nodes[c + 1]! + (((ranks[split >>> 20]! - (split & RANK_BITS)) >> 31) & -2);
          split = nodes[d]!;
          d = nodes[d + 1]! + (((ranks[split >>> 20]! - (split & RANK_BITS)) >> 31) & -2);
        }
        leaves[t] = leaf[a >> 1]!;
        leaves[t + 1] = leaf[b >> 1]!;
        leaves[t + 2] = leaf[c >> 1]!;
        leaves[t + 3] = leaf[d >> 1]!;
      }
      return count;
    },
  };
}

/** Many rows: a block goes through one tree after the other, so that the tree stays in the cache; settled rows leave. */
function createBlockLabels(forest: Forest, layout: Layout): (rows: Matrix) => Uint8Array {
  const { classes, distributions } = forest;
  const { columns } = layout;
  const trees = layout.roots.length;
  const ranks = new Int32Array(BLOCK * columns);
  const sums = new Float64Array(BLOCK * classes);
  // Rows of the block that are not settled yet, and the leaf each came to in the present tree.
  const open = new Int32Array(BLOCK + 3);
  const reached = new Int32Array(BLOCK + 3);
  // Most leaves are pure: they add 1 to one class.
  const pure = Int32Array.from({ length: distributions.length / classes }, (_, row) =>
    distributions.subarray(row * classes, (row + 1) * classes).indexOf(1),
  );

  return (rows) => {
    const out = new Uint8Array(rows.rows);
    for (let begin = 0; begin < rows.rows; begin += BLOCK) {
      let count = Math.min(BLOCK, rows.rows - begin);
      sums.fill(0);
      for (let r = 0; r < count; r++) {
        open[r] = r;
        rankRow(layout, rowOf(rows, begin + r), ranks, r * columns);
      }
      for (let t = 0; t < trees && count > 0; t++) {
        walkBlock(layout, t, ranks, open, count, reached);
        addLeaves(sums, open, reached, count, pure, distributions, classes);
        const done = t + 1;
        if (done < trees && (2 * done < trees || done % 6 !== 0)) continue;
        count = settle(sums, open, count, classes, trees - done + AHEAD, out, begin);
      }
      // So close that the order of additions decides: add in the reference's order.
      for (let r = 0; r < count; r++) {
        const row = begin + open[r]!;
        out[row] = argmax(forestShares(forest, rowOf(rows, row)));
      }
    }
    return out;
  };
}

/** Takes the open rows of a block through one tree, four at a time. */
function walkBlock(
  { roots, depths, nodes, leaf, columns }: Layout,
  tree: number,
  ranks: Int32Array,
  open: Int32Array,
  count: number,
  reached: Int32Array,
): void {
  const root = roots[tree]!;
  const depth = depths[tree]!;
  for (let r = 0; r < count; r += 4) {
    // Past the end `open` still holds rows of the block: they are walked for nothing, and ignored.
    const ra = open[r]! * columns;
    const rb = open[r + 1]! * columns;
    const rc = open[r + 2]! * columns;
    const rd = open[r + 3]! * columns;
    let a = root;
    let b = root;
    let c = root;
    let d = root;
    for (let down = depth; down > 0; down--) {
      // As above: two places before the right child where the row goes left.
      let split = 0;
      split = nodes[a]!;
      a = nodes[a + 1]! + (((ranks[ra + (split >>> 20)]! - (split & RANK_BITS)) >> 31) & -2);
      split = nodes[b]!;
      b = nodes[b + 1]! + (((ranks[rb + (split >>> 20)]! - (split & RANK_BITS)) >> 31) & -2);
      split = nodes[c]!;
      c = nodes[c + 1]! + (((ranks[rc + (split >>> 20)]! - (split & RANK_BITS)) >> 31) & -2);
      split = nodes[d]!;
      d = nodes[d + 1]! + (((ranks[rd + (split >>> 20)]! - (split & RANK_BITS)) >> 31) & -2);
    }
    reached[r] = leaf[a >> 1]!;
    reached[r + 1] = leaf[b >> 1]!;
    reached[r + 2] = leaf[c >> 1]!;
    reached[r + 3] = leaf[d >> 1]!;
  }
}

function addLeaves(
  sums: Float64Array,
  open: Int32Array,
  reached: Int32Array,
  count: number,
  pure: Int32Array,
  distributions: Float64Array,
  classes: number,
): void {
  for (let r = 0; r < count; r++) {
    const to = open[r]! * classes;
    const from = reached[r]!;
    const only = pure[from]!;
    if (only >= 0) sums[to + only]! += 1;
    else for (let k = 0; k < classes; k++) sums[to + k]! += distributions[from * classes + k]!;
  }
}

/** Writes the answers that `lead` more can no longer change and answers how many rows stay open. */
function settle(
  sums: Float64Array,
  open: Int32Array,
  count: number,
  classes: number,
  lead: number,
  out: Uint8Array,
  begin: number,
): number {
  let kept = 0;
  for (let r = 0; r < count; r++) {
    const row = open[r]!;
    const at = row * classes;
    let leader = 0;
    let most = sums[at]!;
    let second = 0;
    for (let k = 1; k < classes; k++) {
      const sum = sums[at + k]!;
      if (sum > most) {
        second = most;
        most = sum;
        leader = k;
      } else if (sum > second) second = sum;
    }
    if (most - second > lead) out[begin + row] = leader;
    else open[kept++] = row;
  }
  return kept;
}

function leafVotes({ distributions, classes }: Forest): Int32Array {
  return Int32Array.from({ length: distributions.length / classes }, (_, row) =>
    argmax(distributions.subarray(row * classes, (row + 1) * classes)),
  );
}

function nodeDepths({ feature, next }: Forest): Int32Array {
  const depth = new Int32Array(feature.length);
  for (let i = 0; i < depth.length; i++) {
    if (feature[i]! < 0) continue;
    depth[i + 1] = depth[i]! + 1;
    depth[next[i]!] = depth[i]! + 1;
  }
  return depth;
}

/** Mean depth of the leaves, each weighing as much as training rows reached it. */
function meanDepth(forest: Forest): number {
  const depth = nodeDepths(forest);
  let sum = 0;
  let cover = 0;
  for (let i = 0; i < depth.length; i++) {
    if (forest.feature[i]! >= 0) continue;
    sum += depth[i]! * forest.threshold[i]!;
    cover += forest.threshold[i]!;
  }
  return sum / cover;
}
