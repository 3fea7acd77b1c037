import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { parseRecipe, RECIPE_FORMS } from '../../domain/clean/recipe.ts';
import type { CleanStep } from '../../domain/clean/steps.ts';
import { TocsinError } from '../../domain/errors.ts';
import { evaluateForecaster, forecastFrom, trainForecaster } from '../../domain/forecast/forecaster.ts';
import type { ForecastCard, Forecaster } from '../../domain/forecast/forecaster.ts';
import { FORECAST_KINDS } from '../../domain/forecast/learnt.ts';
import type { ForecastKind } from '../../domain/forecast/learnt.ts';
import { leaf, parseCountOption, parseDurationOption } from '../command-line.ts';
import { formatDuration } from '../duration.ts';
import { declareRegister } from '../forecast/register.ts';
import { readForecaster, readSeries, writeForecaster } from '../forecast/files.ts';
import { facts, print, printJson, table, timeText } from '../output.ts';

export function declare(program: Command): void {
  const forecast = program
    .command('forecast')
    .description('train, judge and run forecasts for early warning on your own data');
  leaf(
    forecast,
    'train',
    'train a forecast of one channel; auto chooses the simplest kind that is not beaten in validation',
    'tocsin forecast train --csv well.csv --time at --channel gas --kind auto --horizon 30m --out gas.forecast',
  )
    .requiredOption('--csv <file>', 'the past, oldest row first')
    .requiredOption('--time <column>', 'column of times')
    .requiredOption('--channel <column>', 'column to forecast')
    .requiredOption('--out <file>', 'where to write the artefact')
    .option('--kind <kind>', `${[...FORECAST_KINDS, 'auto'].join(' | ')}`, parseKindOption, 'auto')
    .option('--horizon <duration>', 'how far ahead', parseDurationOption, 1_800_000)
    .option('--unit <unit>', 'of the values, for plans that compare in it')
    .option('--clean <steps>', `cleaning, in order: ${RECIPE_FORMS.join(', ')}`, parseCleanOption, [])
    .option('--level <share>', 'share of truths the interval must hold', parseShareOption, 0.9)
    .option('--seed <n>', 'of the training', parseCountOption, 1)
    .action(train);
  leaf(
    forecast,
    'evaluate',
    'judge an artefact on values it was not trained on: mean squared error, skill over persistence, coverage',
    'tocsin forecast evaluate --artefact gas.forecast --csv next-week.csv --time at',
  )
    .requiredOption('--artefact <file>', 'what train wrote')
    .requiredOption('--csv <file>', 'values to judge on')
    .requiredOption('--time <column>', 'column of times')
    .option('--channel <column>', 'column to judge on (default: the one it was trained on)')
    .action(evaluate);
  leaf(
    forecast,
    'run',
    'go on from the end of a file: value and interval of each step',
    'tocsin forecast run --artefact gas.forecast --csv today.csv --time at --above 8 --within 30m',
  )
    .requiredOption('--artefact <file>', 'what train wrote')
    .requiredOption('--csv <file>', 'the past to go on from')
    .requiredOption('--time <column>', 'column of times')
    .option('--channel <column>', 'column to go on from (default: the one it was trained on)')
    .option('--above <value>', 'also say how probable it is to go above this value', parseNumberOption)
    .option('--within <duration>', 'within this time (default: the horizon)', parseDurationOption)
    .action(run);
  leaf(
    forecast,
    'show',
    'the card of an artefact: kind, why, errors, coverage, cleaning',
    'tocsin forecast show --artefact gas.forecast',
  )
    .requiredOption('--artefact <file>', 'what train wrote')
    .action(show);
  declareRegister(forecast);
}

interface TrainOptions {
  readonly csv: string;
  readonly time: string;
  readonly channel: string;
  readonly out: string;
  readonly kind: ForecastKind | 'auto';
  readonly horizon: number;
  readonly clean: readonly CleanStep[];
  readonly level: number;
  readonly seed: number;
  readonly unit?: string;
  readonly json?: boolean;
}

async function train(options: TrainOptions): Promise<void> {
  const series = await readSeries(options.csv, options.time, options.channel);
  const forecaster = trainForecaster(series, { ...options, horizonMs: options.horizon });
  const hash = await writeForecaster(options.out, forecaster);
  tell(forecaster, hash, options.json);
}

async function show(options: { readonly artefact: string; readonly json?: boolean }): Promise<void> {
  const { forecaster, hash } = await readForecaster(options.artefact);
  tell(forecaster, hash, options.json);
}

function tell({ card, everyMs, steps, clean }: Forecaster, hash: string, json = false): void {
  if (json) return printJson({ hash, everyMs, steps, clean, card });
  print(
    facts([
      ['forecast', `${card.channel}@${hash.slice(0, 12)}`],
      ['kind', card.kind],
      ['why', card.why],
      ['steps', `${steps} of ${formatDuration(everyMs)}`],
      ['cleaning', clean.map((step) => step.do).join(', ')],
      ['trained on', `${card.rows} rows, ${timeText(card.from)} to ${timeText(card.to)}`],
      ['left out', card.leftOut.length === 0 ? 'none' : `${card.leftOut.join(', ')} (too few values)`],
    ]),
  );
  print('');
  print(cardTable(card));
}

function cardTable({ validated, level }: ForecastCard): string {
  return table(
    ['kind', 'mean squared error', 'skill', `coverage (${percent(level)})`, 'adaptive', 'half-width'],
    validated.map((each) => [
      each.kind,
      each.meanSquaredError.toPrecision(4),
      each.skill.toFixed(3),
      percent(each.coverage),
      percent(each.adaptiveCoverage),
      each.halfWidth.toPrecision(3),
    ]),
  );
}

interface UseOptions {
  readonly artefact: string;
  readonly csv: string;
  readonly time: string;
  readonly channel?: string;
  readonly json?: boolean;
}

async function evaluate(options: UseOptions): Promise<void> {
  const { forecaster, hash } = await readForecaster(options.artefact);
  const series = await readSeries(options.csv, options.time, options.channel ?? forecaster.channel);
  const judged = evaluateForecaster(forecaster, series);
  const { kind, level } = forecaster.card;
  if (options.json) return printJson({ hash, kind, level, ...judged });
  print(
    facts([
      ['kind', kind],
      ['forecasts', String(judged.origins)],
      ['mean squared error', judged.meanSquaredError.toPrecision(4)],
      ['skill over persistence', judged.skill.toFixed(3)],
      [
        `coverage (${percent(level)})`,
        `${percent(judged.coverage)} fixed, ${percent(judged.adaptiveCoverage)} adaptive`,
      ],
    ]),
  );
}

async function run(
  options: UseOptions & { readonly above?: number; readonly within?: number },
): Promise<void> {
  const { forecaster, hash } = await readForecaster(options.artefact);
  const series = await readSeries(options.csv, options.time, options.channel ?? forecaster.channel);
  const { originMs, points, level, probabilityAbove } = forecastFrom(forecaster, series);
  const withinMs = options.within ?? forecaster.steps * forecaster.everyMs;
  const above =
    options.above === undefined
      ? null
      : { value: options.above, withinMs, probability: probabilityAbove(options.above, withinMs) };
  if (options.json) {
    return printJson({ hash, channel: forecaster.channel, originMs, level, points, above });
  }
  print(
    table(
      ['time', forecaster.channel, `low (${percent(level)})`, 'high'],
      points.map(({ atMs, value, low, high }) => [
        timeText(atMs),
        ...[value, low, high].map((v) => v.toPrecision(5)),
      ]),
    ),
  );
  if (above !== null) {
    print('');
    print(
      `Expected above ${above.value} within ${formatDuration(withinMs)} with probability ${above.probability.toFixed(3)}.`,
    );
  }
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

function parseKindOption(text: string): ForecastKind | 'auto' {
  const kind = ([...FORECAST_KINDS, 'auto'] as const).find((known) => known === text);
  if (kind === undefined) {
    throw new InvalidArgumentError(`There are ${FORECAST_KINDS.join(', ')} and auto.`);
  }
  return kind;
}

function parseCleanOption(text: string): readonly CleanStep[] {
  try {
    return parseRecipe(text);
  } catch (error) {
    throw error instanceof TocsinError ? new InvalidArgumentError(error.message) : error;
  }
}

function parseShareOption(text: string): number {
  const share = Number(text);
  if (!(share > 0 && share < 1)) throw new InvalidArgumentError('Give a share between 0 and 1, such as 0.9.');
  return share;
}

function parseNumberOption(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number.');
  return value;
}
