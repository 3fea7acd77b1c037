import { TocsinError } from '../errors.ts';
import { RECOGNISER_DAMAGED } from './codes.ts';
import { shareLeaves, type Forest } from './forest.ts';

/** The part of ml-random-forest's JSON (`RandomForestClassifier.toJSON`) that its `load` reads. */
export interface LibraryForest {
  readonly name: 'RFClassifier';
  readonly baseModel: {
    /** Columns each tree was given, in its own numbering. */
    readonly indexes: readonly (readonly number[])[];
    readonly n: number;
    readonly replacement: boolean;
    readonly maxFeatures: number;
    readonly nEstimators: number;
    readonly treeOptions: Readonly<Record<string, unknown>>;
    readonly isClassifier: true;
    readonly seed: number;
    readonly estimators: readonly LibraryTree[];
    readonly useSampleBagging: boolean;
  };
}

interface LibraryTree {
  readonly name: 'DTClassifier';
  readonly options: Readonly<Record<string, unknown>>;
  readonly root: LibraryNode;
}

interface LibraryNode {
  readonly distribution?: readonly (readonly number[])[];
  readonly splitColumn?: number;
  readonly splitValue?: number;
  readonly numberSamples?: number;
  readonly left?: LibraryNode;
  readonly right?: LibraryNode;
}

const TREE_OPTIONS = { kind: 'classifier', gainFunction: 'gini', splitFunction: 'mean' };

/** The same trees in ml-random-forest's format. */
export function toLibraryJson(forest: Forest, seed: number): LibraryForest {
  const { feature, threshold, next, distributions, classes, columns } = forest;
  const all = Array.from({ length: columns }, (_, c) => c);
  const node = (i: number): LibraryNode => {
    const column = feature[i]!;
    if (column < 0) {
      const at = next[i]! * classes;
      return {
        distribution: [Array.from(distributions.subarray(at, at + classes))],
        numberSamples: threshold[i]!,
      };
    }
    return { splitColumn: column, splitValue: threshold[i]!, left: node(i + 1), right: node(next[i]!) };
  };
  return {
    name: 'RFClassifier',
    baseModel: {
      indexes: Array.from(forest.roots, () => all),
      n: columns,
      replacement: false,
      maxFeatures: columns,
      nEstimators: forest.roots.length,
      treeOptions: TREE_OPTIONS,
      isClassifier: true,
      seed,
      estimators: Array.from(forest.roots, (root) => ({
        name: 'DTClassifier' as const,
        options: TREE_OPTIONS,
        root: node(root),
      })),
      useSampleBagging: true,
    },
  };
}

/**
 * Reads a forest that ml-random-forest trained.
 * @param classes number of classes: a tree of the library does not know those it never saw.
 * @param columns width of an input row.
 */
export function fromLibraryJson(json: LibraryForest, classes: number, columns: number): Forest {
  if (json?.name !== 'RFClassifier' || !Array.isArray(json.baseModel?.estimators)) {
    throw new TocsinError(RECOGNISER_DAMAGED, 'This is not the JSON of an ml-random-forest classifier.');
  }
  const feature: number[] = [];
  const threshold: number[] = [];
  const next: number[] = [];
  const distributions: number[] = [];
  const roots: number[] = [];
  const add = (node: LibraryNode, indexes: readonly number[], cover: number): void => {
    const at = feature.push(-1) - 1;
    threshold.push(cover);
    next.push(distributions.length / classes);
    const shares = node.distribution?.[0];
    if (shares !== undefined) {
      for (let k = 0; k < classes; k++) distributions.push(shares[k] ?? 0);
      return;
    }
    const column = indexes[node.splitColumn ?? -1];
    if (column === undefined || column >= columns || node.left === undefined || node.right === undefined) {
      throw new TocsinError(
        RECOGNISER_DAMAGED,
        `Node ${at} of the ml-random-forest JSON is neither a leaf nor a split.`,
      );
    }
    // The library keeps no sample count at small leaves: what is unknown is shared evenly.
    const left =
      node.left.numberSamples ??
      (node.right.numberSamples === undefined ? cover / 2 : cover - node.right.numberSamples);
    feature[at] = column;
    threshold[at] = node.splitValue!;
    add(node.left, indexes, Math.max(left, 1e-9));
    next[at] = feature.length;
    add(node.right, indexes, Math.max(cover - left, 1e-9));
  };
  for (const [t, tree] of json.baseModel.estimators.entries()) {
    roots.push(feature.length);
    add(tree.root, json.baseModel.indexes[t]!, tree.root.numberSamples ?? 1);
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
