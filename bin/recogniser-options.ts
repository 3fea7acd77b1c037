import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { labelTable, type LabelledTable } from '../domain/classify/from-table.ts';
import type { MemberKind, RecogniserKind } from '../domain/classify/recogniser.ts';
import type { TrainingRequest } from '../domain/classify/train.ts';
import type { Table } from '../domain/table/table.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';
import { readTableFile } from './table-file.ts';
import { parseCountOption } from './command-line.ts';

const MEMBERS: readonly MemberKind[] = ['forest', 'svm', 'tree', 'logistic', 'mlp'];
const KINDS: readonly RecogniserKind[] = [...MEMBERS, 'vote'];

/** How the file of a table is written. */
export interface FileOptions {
  readonly csv: string;
  readonly headerLine?: number;
  readonly delimiter?: string;
  readonly missing?: readonly string[];
}

/** What to learn from it, and how. */
export interface LearningOptions extends FileOptions {
  readonly target: string;
  readonly kind: RecogniserKind;
  readonly features?: readonly string[];
  readonly categories?: readonly string[];
  readonly ordinal?: Readonly<Record<string, readonly string[]>>;
  readonly weight: 'balanced' | 'none';
  readonly skewed?: 'plain' | 'quantile';
  readonly members?: readonly MemberKind[];
  readonly trees?: number;
  readonly minLeaf?: number;
  readonly cost?: number;
  readonly gamma?: number;
  readonly seed?: number;
}

export function addFileOptions(command: Command): Command {
  return command
    .option('--header-line <n>', 'line with the column names', parseCountOption)
    .option(
      '--delimiter <character>',
      'between cells (default: as the header shows: , ; or tab)',
      parseDelimiter,
    )
    .option(
      '--missing <tokens>',
      'cells that mean not measured, beside the empty one (default: ?)',
      parseList,
    );
}

export function addLearningOptions(command: Command): Command {
  return addFileOptions(command)
    .option('--target <column>', 'column with the label')
    .option('--kind <kind>', KINDS.join(', '), parseKind)
    .option('--features <columns>', 'columns to learn from (default: all that can teach)', parseList)
    .option('--categories <columns>', 'columns whose numbers are names', parseList)
    .option('--ordinal <column=a<b<c>', 'a column whose values have an order (repeatable)', parseOrdinal)
    .option('--weight <weight>', 'balanced: all classes weigh the same; or none', parseWeight, 'none')
    .option(
      '--skewed <how>',
      'numbers with a long tail: plain, or quantile (default: plain for svm, quantile for other scaled kinds)',
      parseSkewed,
    )
    .option('--members <kinds>', 'who votes, for kind vote (default: forest,svm,logistic)', parseMembers)
    .option('--trees <n>', 'trees of a forest (default: 200)', parseCountOption)
    .option(
      '--min-leaf <n>',
      'fewest rows in a leaf (default: the best of 1, 5 and 20 out of bag; 5 for a tree)',
      parseCountOption,
    )
    .option('--cost <c>', 'cost of a support vector machine (default: 1)', parsePositive)
    .option('--gamma <g>', 'kernel width of a support vector machine (default: 1 / columns)', parsePositive)
    .option('--seed <n>', 'the same seed gives the same bytes (default: 1)', parseSeed);
}

/** @throws CommandFailed when a needed option is absent */
export function requireLearningOptions(options: Partial<LearningOptions>): LearningOptions {
  for (const name of ['csv', 'target', 'kind'] as const) {
    if (options[name] === undefined) {
      throw new CommandFailed(EXIT.usage, 'OPTION_MISSING', `Give --${name} as well.`);
    }
  }
  return options as LearningOptions;
}

export function readTable(options: FileOptions): Table {
  return readTableFile(options.csv, {
    ...(options.headerLine === undefined ? {} : { headerLine: options.headerLine }),
    ...(options.delimiter === undefined ? {} : { delimiter: options.delimiter }),
    ...(options.missing === undefined ? {} : { missing: options.missing }),
  });
}

export interface Learning {
  readonly table: Table;
  readonly labelled: LabelledTable;
  readonly request: TrainingRequest;
}

/** Reads the table and makes of it and the options what `trainRecogniser` takes. */
export async function prepareLearning(options: LearningOptions, name: string): Promise<Learning> {
  const table = readTable(options);
  const labelled = labelTable(table, {
    target: options.target,
    ...(options.features === undefined ? {} : { features: options.features }),
    ...(options.categories === undefined ? {} : { categories: options.categories }),
    ...(options.ordinal === undefined ? {} : { ordinals: options.ordinal }),
    skewed: options.skewed ?? (options.kind === 'svm' ? 'plain' : 'quantile'),
  });
  const usesSvm =
    options.kind === 'svm' ||
    (options.kind === 'vote' && (options.members === undefined || options.members.includes('svm')));
  const fitSvm = usesSvm
    ? await (await import('../activities/recognition/libsvm.ts')).createFitSvm()
    : undefined;
  const balanced = options.weight === 'balanced';
  const leaf = options.minLeaf ?? (options.kind === 'tree' ? undefined : ('auto' as const));
  const request: TrainingRequest = {
    name,
    kind: options.kind,
    features: labelled.features,
    rows: labelled.rows,
    labels: labelled.labels,
    classes: labelled.classes,
    weights: options.weight,
    decision: balanced ? 'balanced' : 'most-probable',
    forest: {
      ...(balanced ? { bootstrap: 'balanced' as const } : {}),
      ...(options.trees === undefined ? {} : { trees: options.trees }),
      ...(leaf === undefined ? {} : { minimumLeaf: leaf }),
    },
    svm: {
      ...(options.cost === undefined ? {} : { cost: options.cost }),
      ...(options.gamma === undefined ? {} : { gamma: options.gamma }),
    },
    ...(options.members === undefined ? {} : { members: options.members }),
    ...(fitSvm === undefined ? {} : { fitSvm }),
    table: {
      target: options.target,
      leftOut: table.columns.filter(
        (column) => column !== options.target && !labelled.features.some((spec) => spec.name === column),
      ),
    },
    seed: options.seed ?? 1,
  };
  return { table, labelled, request };
}

export function parseList(text: string): string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.some((item) => item === '')) throw new InvalidArgumentError('Give names parted by commas.');
  return items;
}

function parseDelimiter(text: string): string {
  if (text === 'tab' || text === '\\t') return '\t';
  if (text.length !== 1 || /["\r\n]/.test(text))
    throw new InvalidArgumentError('Give one character, or tab.');
  return text;
}

function parseKind(text: string): RecogniserKind {
  const kind = KINDS.find((known) => known === text);
  if (kind === undefined) throw new InvalidArgumentError(`Give one of ${KINDS.join(', ')}.`);
  return kind;
}

function parseMembers(text: string): MemberKind[] {
  return parseList(text).map((item) => {
    const kind = MEMBERS.find((known) => known === item);
    if (kind === undefined) throw new InvalidArgumentError(`Give some of ${MEMBERS.join(', ')}.`);
    return kind;
  });
}

function parseWeight(text: string): 'balanced' | 'none' {
  if (text !== 'balanced' && text !== 'none') throw new InvalidArgumentError('Give balanced or none.');
  return text;
}

function parseSkewed(text: string): 'plain' | 'quantile' {
  if (text !== 'plain' && text !== 'quantile') throw new InvalidArgumentError('Give plain or quantile.');
  return text;
}

function parseSeed(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('Give a whole number of at least 0.');
  return Number(text);
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError('Give a number above 0.');
  }
  return value;
}

function parseOrdinal(
  text: string,
  before: Readonly<Record<string, readonly string[]>> = {},
): Record<string, readonly string[]> {
  const [, column, order] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const values = order?.split('<').map((value) => value.trim()) ?? [];
  if (column === undefined || values.length < 2 || values.includes('')) {
    throw new InvalidArgumentError('Give a column and its values, lowest first: "size=small<medium<large".');
  }
  return { ...before, [column.trim()]: values };
}
