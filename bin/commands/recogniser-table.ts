import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { artefactFileOf, openArtefactFile } from '../../activities/recognition/artefact-file.ts';
import type { Voter } from '../../domain/classify/assess.ts';
import { driftOf, type DriftReport } from '../../domain/classify/drift.ts';
import type { Row } from '../../domain/classify/features.ts';
import { describeChange, explain, explainLocally } from '../../domain/classify/explain.ts';
import { labelsOf, rowsForRecogniser } from '../../domain/classify/from-table.ts';
import { changesForAnother, nearestPast } from '../../domain/classify/past.ts';
import { predict, type CrossValidatedRule, type Judgement } from '../../domain/classify/recogniser.ts';
import { trainRecogniser } from '../../domain/classify/train.ts';
import { abstentions, crossValidate, judge, permutationImportance } from '../../domain/classify/validate.ts';
import { percent, vote } from '../../domain/classify/vote.ts';
import { malformed, type Table } from '../../domain/table/table.ts';
import { leaf, parseCountOption } from '../command-line.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { facts, print, printJson, say, table as draw } from '../output.ts';
import {
  addFileOptions,
  addLearningOptions,
  prepareLearning,
  readTable,
  requireLearningOptions,
  type FileOptions,
  type LearningOptions,
} from '../recogniser-options.ts';

interface AnswerOptions {
  readonly json?: boolean;
}

interface ArtefactOptions extends FileOptions, AnswerOptions {
  readonly artefact: string;
  readonly hash?: string;
  readonly target?: string;
  readonly ignoreUnknown?: boolean;
  readonly minConfidence: number;
}

/** Adds what works on tables of one's own, without a server. `train` itself is declared beside the stored ones. */
export function declareTableCommands(recogniser: Command): void {
  addArtefactOptions(
    leaf(
      recogniser,
      'evaluate',
      'judge an artefact on a table: accuracy, balanced accuracy, confusion, calibration, abstentions',
      'tocsin recogniser evaluate --artefact wine.rec --csv wine-test.csv',
    ),
  ).action(evaluate);
  addArtefactOptions(
    leaf(
      recogniser,
      'drift',
      'whether a table is still like what an artefact was trained on; exit code 1 on an alarm',
      'tocsin recogniser drift --artefact wine.rec --csv this-month.csv',
    ),
  ).action(drift);
  addLearningOptions(
    leaf(
      recogniser,
      'cross-validate',
      'repeated stratified cross-validation, beside the majority and logistic regression',
      'tocsin recogniser cross-validate --csv wine.csv --target quality --kind forest --folds 10 --repeats 2',
    ).requiredOption('--csv <file>', 'CSV or ARFF file'),
  )
    .option('--folds <n>', 'parts, each held out once', parseCountOption, 10)
    .option('--repeats <n>', 'times, each with other parts', parseCountOption, 2)
    .action(runCrossValidation);
  addArtefactOptions(
    leaf(
      recogniser,
      'explain',
      'why an artefact answers a row of a table as it does, and what would change the answer',
      'tocsin recogniser explain --artefact wine.rec --csv wine-test.csv --row 7',
    ),
  )
    .requiredOption('--row <n>', 'row of the table, from 1', parseCountOption)
    .action(explainRow);
}

/** One line a monitor; alarms say so in words. */
export function driftTable({ monitors }: DriftReport): string {
  return draw(
    ['monitor', 'value', 'limit', '', ''],
    monitors.map(({ monitor, value, limit, alarm, reason }) => [
      monitor,
      value.toFixed(3),
      limit.toFixed(3),
      alarm ? 'ALARM' : 'ok',
      reason,
    ]),
  );
}

/** Drift of a table against the rows the artefact was trained on. */
function drift(options: ArtefactOptions): void {
  const opened = openBoth(options);
  const { recogniser, hash, rows, table, target } = opened;
  const truths =
    target !== undefined && table.columns.includes(target)
      ? knownLabels(opened, target)
      : rows.map(() => null);
  const report = driftOf({ recogniser, rows, truths, minConfidence: options.minConfidence });
  if (report.alarm) process.exitCode = EXIT.failed;
  if (options.json) return printJson({ artefact: options.artefact, hash, ...report });
  if (!report.enough) return print(`${rows.length} rows are too few to tell: 30 are needed.`);
  print(driftTable(report));
}

function addArtefactOptions(command: Command): Command {
  return addFileOptions(
    command
      .requiredOption('--artefact <file>', 'as `recogniser train --out` wrote it')
      .requiredOption('--csv <file>', 'CSV or ARFF file')
      .option('--target <column>', 'column with the label (default: as in training)')
      .option('--hash <sha256>', 'refuse any other version')
      .option('--ignore-unknown', 'let columns pass that training never saw')
      .option('--min-confidence <share>', 'below it the recogniser abstains', parseShare, 0.8),
  );
}

function parseShare(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) {
    throw new CommandFailed(EXIT.usage, 'OPTION_INVALID', 'Give a share from 0 to 1.');
  }
  return value;
}

/** `recogniser train --csv`: learns from a table and writes an artefact file. */
export async function trainFromTable(
  given: Partial<LearningOptions> & AnswerOptions & { readonly out?: string; readonly name?: string },
): Promise<void> {
  const options = requireLearningOptions(given);
  if (given.out === undefined) throw new CommandFailed(EXIT.usage, 'OPTION_MISSING', 'Give --out as well.');
  const name = given.name ?? path.parse(options.csv).name;
  const { labelled, request, table } = await prepareLearning(options, name);
  const recogniser = trainRecogniser(request);
  const { checkCanary } = await import('../../activities/recognition/independent-check.ts');
  const checked = checkCanary(recogniser);
  const { bytes, hash } = artefactFileOf(recogniser);
  fs.writeFileSync(given.out, bytes);
  const counts = Object.fromEntries(
    labelled.classes.map((label) => [label, labelled.labels.filter((one) => one === label).length]),
  );
  if (given.json) {
    return printJson({
      artefact: given.out,
      hash,
      bytes: bytes.length,
      name,
      kind: request.kind,
      seed: request.seed,
      weight: options.weight,
      decision: recogniser.decision,
      target: options.target,
      rows: table.rows,
      rowsPerClass: counts,
      features: labelled.features.map((spec) => ({
        name: spec.name,
        kind: spec.kind,
        ...(spec.transform === undefined ? {} : { transform: spec.transform }),
        ...(spec.categories === undefined ? {} : { categories: spec.categories }),
      })),
      columns: recogniser.preprocessing.columns,
      leftOut: labelled.leftOut,
      canaryRowsChecked: checked,
    });
  }
  for (const { column, reason } of labelled.leftOut) say(`left out ${column}: ${reason}`);
  print(
    facts([
      ['artefact', `${given.out} (${bytes.length} bytes)`],
      ['hash', hash],
      ['kind', `${request.kind}, ${recogniser.decision} class, seed ${request.seed}`],
      [
        'rows',
        `${table.rows}: ${Object.entries(counts)
          .map(([label, n]) => `${n} ${label}`)
          .join(', ')}`,
      ],
      ['inputs', labelled.features.map((spec) => spec.name).join(', ')],
      ['canary', `${checked} rows answered again and equal`],
    ]),
  );
  print(`Judge it on rows it has not seen: tocsin recogniser evaluate --artefact ${given.out} --csv FILE`);
}

function openArtefact(options: ArtefactOptions): Voter {
  let bytes: Buffer;
  try {
    bytes = fs.readFileSync(options.artefact);
  } catch (cause) {
    throw new CommandFailed(EXIT.notFound, 'FILE_UNREADABLE', `There is no file ${options.artefact}.`, {
      cause,
    });
  }
  return openArtefactFile(bytes, options.artefact, options.hash);
}

interface Opened extends Voter {
  readonly table: Table;
  readonly rows: readonly Row[];
  readonly target: string | undefined;
}

function openBoth(options: ArtefactOptions): Opened {
  const voter = openArtefact(options);
  const table = readTable(options);
  const target = options.target ?? voter.recogniser.table?.target;
  const rows = rowsForRecogniser(table, voter.recogniser, {
    ...(target === undefined ? {} : { target }),
    allowUnknown: options.ignoreUnknown === true,
  });
  return { ...voter, table, rows, target };
}

/** Labels of the table, all of them classes of the recogniser. */
function knownLabels({ table, recogniser }: Opened, target: string): string[] {
  const labels = labelsOf(table, target);
  for (const [row, label] of labels.entries()) {
    if (recogniser.classes.includes(label)) continue;
    throw malformed(
      { source: table.source, line: table.lines[row]!, column: target },
      `"${label}" is none of the classes ${recogniser.classes.join(', ')}`,
      { value: label },
    );
  }
  return labels;
}

function evaluate(options: ArtefactOptions): void {
  const opened = openBoth(options);
  const { recogniser, hash, rows, table } = opened;
  if (opened.target === undefined) {
    throw new CommandFailed(EXIT.usage, 'OPTION_MISSING', 'Give --target: the artefact does not name one.');
  }
  if (rows.length === 0) throw malformed({ source: table.source, line: 1 }, 'there are no rows to judge');
  const labels = knownLabels(opened, opened.target);
  const judged = judge(recogniser, rows, labels);
  const abstained = abstentions(recogniser, rows, labels, options.minConfidence);
  const commonest = Math.max(...recogniser.classes.map((k) => labels.filter((label) => label === k).length));
  const majority = {
    accuracy: commonest / labels.length,
    balancedAccuracy: 1 / judged.recall.filter((share) => share !== null).length,
  };
  if (options.json) {
    const { reliability, ...rest } = judged;
    return printJson({
      artefact: options.artefact,
      hash,
      kind: recogniser.kind,
      ...rest,
      expectedCalibrationError: reliability.expectedCalibrationError,
      reliability: reliability.bins,
      majority,
      abstention: abstained,
    });
  }
  print(
    facts([
      ['artefact', `${options.artefact} ${hash.slice(0, 12)}`],
      ['rows', String(judged.rows)],
      ['accuracy', `${judged.accuracy.toFixed(4)} (majority ${majority.accuracy.toFixed(4)})`],
      [
        'balanced accuracy',
        `${judged.balancedAccuracy.toFixed(4)} (95 %: ${judged.balancedAccuracyInterval.low.toFixed(4)} to ${judged.balancedAccuracyInterval.high.toFixed(4)}; majority ${majority.balancedAccuracy.toFixed(4)})`,
      ],
      ['calibration error', judged.reliability.expectedCalibrationError.toFixed(4)],
      [
        'abstains',
        `${percent(abstained.share)} of the rows (${abstained.outOfRange} outside the training range); right on ${abstained.accuracyWhenAnswered === null ? '-' : percent(abstained.accuracyWhenAnswered)} of the rest`,
      ],
    ]),
  );
  print('');
  print(confusionTable(judged));
  print('');
  print(
    draw(
      ['confidence', 'rows', 'said', 'came true'],
      judged.reliability.bins
        .filter(({ count }) => count > 0)
        .map((bin) => [
          `${bin.low.toFixed(1)} to ${bin.high.toFixed(1)}`,
          String(bin.count),
          bin.confidence!.toFixed(3),
          bin.accuracy!.toFixed(3),
        ]),
    ),
  );
}

function confusionTable({ classes, confusion, recall }: Judgement): string {
  return draw(
    ['truth, then answers', ...classes, 'recognised'],
    confusion.map((row, k) => [
      classes[k]!,
      ...row.map(String),
      recall[k] === null || recall[k] === undefined ? '-' : recall[k].toFixed(3),
    ]),
  );
}

async function runCrossValidation(
  given: Partial<LearningOptions> & AnswerOptions & { readonly folds: number; readonly repeats: number },
): Promise<void> {
  const options = requireLearningOptions(given);
  const { folds, repeats } = given;
  const { request, labelled, table } = await prepareLearning(options, 'cross-validated');
  const shown = process.stderr.isTTY;
  const result = crossValidate(request, {
    folds,
    repeats,
    onFold: (done) => {
      if (shown)
        process.stderr.write(`\rfold ${done} of ${folds * repeats}${done === folds * repeats ? '\n' : ''}`);
    },
  });
  const decision = request.decision ?? 'most-probable';
  if (given.json) {
    return printJson({
      csv: options.csv,
      target: options.target,
      kind: request.kind,
      seed: request.seed,
      weight: options.weight,
      decision,
      rows: table.rows,
      classes: labelled.classes,
      features: labelled.features.map(({ name }) => name),
      leftOut: labelled.leftOut,
      ...result,
      answer: result.rules[decision],
    });
  }
  for (const { column, reason } of labelled.leftOut) say(`left out ${column}: ${reason}`);
  print(
    `${request.kind} on ${table.rows} rows, ${folds} folds, ${repeats} repeats; the ${decision} class is named.`,
  );
  print(
    draw(
      ['', 'balanced accuracy', '95 %', 'accuracy', '95 %'],
      crossValidatedRows(request.kind, result.rules[decision]),
    ),
  );
  print(`expected calibration error ${result.expectedCalibrationError.toFixed(4)}`);
}

function crossValidatedRows(kind: string, rule: CrossValidatedRule): string[][] {
  const between = (interval: { low: number; high: number } | undefined): string =>
    interval === undefined ? '' : `${interval.low.toFixed(4)} to ${interval.high.toFixed(4)}`;
  return [
    [
      kind,
      rule.balancedAccuracy.mean.toFixed(4),
      between(rule.interval?.balancedAccuracy),
      rule.accuracy.mean.toFixed(4),
      between(rule.interval?.accuracy),
    ],
    ['majority', rule.majority.balancedAccuracy.toFixed(4), '', rule.majority.accuracy.toFixed(4), ''],
    [
      'logistic',
      rule.logistic.balancedAccuracy.mean.toFixed(4),
      '',
      rule.logistic.accuracy.mean.toFixed(4),
      '',
    ],
  ];
}

/** Rows that permutation importance is taken on, evenly spaced. */
const IMPORTANCE_ROWS = 400;

function explainRow(options: ArtefactOptions & { readonly row: number }): void {
  const opened = openBoth(options);
  const { recogniser, hash, rows, table, target } = opened;
  const row = rows[options.row - 1];
  if (row === undefined) {
    throw new CommandFailed(
      EXIT.notFound,
      'ROW_UNKNOWN',
      `${options.csv} has ${rows.length} rows, no row ${options.row}.`,
    );
  }
  const prediction = predict(recogniser, row);
  const outcome = vote([prediction], { minConfidence: options.minConfidence });
  const explanation = explain(recogniser, row);
  const surrogate = explainLocally(recogniser, row);
  const changes = changesForAnother(recogniser, row);
  const nearest = nearestPast(recogniser, row);
  const importance =
    target !== undefined && table.columns.includes(target) ? importanceOn(opened, target) : null;
  if (options.json) {
    return printJson({
      artefact: options.artefact,
      hash,
      row: options.row,
      line: table.lines[options.row - 1],
      input: row,
      label: prediction.label,
      probabilities: prediction.probabilities,
      outOfRange: prediction.outOfRange,
      abstained: outcome.abstained ?? null,
      explanation,
      surrogate: { scale: 'log-odds', ...surrogate },
      permutationImportance: importance,
      nearest,
      changes,
    });
  }
  print(explanation.sentence.en);
  if (outcome.abstained !== undefined) print(`A person should decide. ${outcome.abstained}`);
  print('');
  print(
    draw(
      ['input', 'value', explanation.method, 'local surrogate'],
      explanation.contributions.map(({ feature, value, shap }) => [
        feature,
        String(value ?? 'missing'),
        signed(shap),
        signed(surrogate.contributions.find((one) => one.feature === feature)?.weight ?? 0),
      ]),
    ),
  );
  print(
    `${explanation.baseline.toFixed(4)} before any input is known, ${explanation.output.toFixed(4)} with all (${explanation.scale}); unexplained ${explanation.unexplained.toExponential(1)}`,
  );
  print('');
  print(
    draw(
      ['most like it: row', 'label', 'distance'],
      nearest.map((one) => [String(one.row), one.label, one.distance.toFixed(3)]),
    ),
  );
  print('');
  if (changes.length === 0)
    print('No change of up to three inputs to values seen in training gives another answer.');
  for (const change of changes) print(describeChange(recogniser, change).en);
  if (importance !== null) {
    print('');
    print(
      draw(
        ['when shuffled', 'balanced accuracy lost'],
        importance.slice(0, 8).map(({ feature, loss }) => [feature, loss.toFixed(4)]),
      ),
    );
  }
}

function importanceOn(opened: Opened, target: string): { feature: string; loss: number }[] {
  const labels = knownLabels(opened, target);
  const step = Math.max(1, Math.floor(labels.length / IMPORTANCE_ROWS));
  const chosen = labels.flatMap((label, r) => (r % step === 0 ? [{ label, row: opened.rows[r]! }] : []));
  return permutationImportance(
    opened.recogniser,
    chosen.map(({ row }) => row),
    chosen.map(({ label }) => label),
    { repeats: 2 },
  );
}

const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(4)}`;
