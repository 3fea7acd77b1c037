import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { createOnlinePicker } from '../../domain/detect/seismic/online-pick.ts';
import { AR_AIC_FOR_LOCAL_EARTHQUAKES, pickArAic } from '../../domain/detect/seismic/ar-aic.ts';
import { pickP } from '../../domain/detect/seismic/p-pick.ts';
import type { Seismogram } from '../../domain/detect/seismic/p-candidates.ts';
import { createRandom } from '../../domain/random.ts';
import { leaf, parseCountOption } from '../command-line.ts';
import { facts, print, printJson, table } from '../output.ts';
import { cropped, isBroken, readRecords, whole } from './records.ts';
import type { Crop } from './records.ts';

interface Options {
  readonly rate: number;
  readonly seed: number;
  readonly crops: number;
  readonly whole?: boolean;
  readonly picker: Picker;
  readonly json?: boolean;
}

const PICKERS = ['ranked', 'online', 'ar-aic'] as const;
type Picker = (typeof PICKERS)[number];

interface Found {
  readonly sample: number;
  readonly likelihood?: number;
  readonly givenAtSample?: number;
}

/** A pick counts as right when it is so near to the analyst's. */
const NEAR_SECONDS = 0.5;

export type Verdict = 'near' | 'early' | 'late' | 'none' | 'unlabelled';

export function declarePick(detect: Command): void {
  leaf(
    detect,
    'pick <folder>',
    'pick the P wave of every record (labels.csv and waveforms.f32le, as PhaseNet lays them out), on random crops',
    'tocsin detect pick phasenet/ --seed 7 --crops 5',
  )
    .option('--seed <number>', 'where the crops begin', parseSeed, 1)
    .option('--crops <number>', 'crops of each record', parseCountOption, 1)
    .option('--whole', 'do not crop')
    .addOption(
      new Option(
        '--picker <name>',
        'ranked looks at the whole record; online picks sample by sample as on a live stream (Baer & Kradolfer 1987); ar-aic is that of Akazawa (2004)',
      )
        .choices(PICKERS)
        .default('ranked'),
    )
    .option('--rate <hertz>', 'samples a second', parseRate, 100)
    .action(run);
}

async function run(folder: string, options: Options): Promise<void> {
  const records = await readRecords(folder, options.rate);
  const broken = records.filter(isBroken);
  const picked = records
    .filter((record) => !broken.includes(record))
    .flatMap((record, index) => {
      if (options.whole) return [pickIn(whole(record), options)];
      const random = createRandom(options.seed).fork(index);
      return Array.from({ length: options.crops }, () => pickIn(cropped(record, random), options));
    });
  const summary = summarise(picked);
  const answer = {
    picker: options.picker,
    seed: options.whole ? null : options.seed,
    summary,
    broken: broken.map(({ index, file }) => ({ index, file, reason: 'holds a value that is no number' })),
    picks: picked,
  };
  if (options.json) return printJson(answer);
  draw(picked, summary, answer.broken);
}

type Picked = ReturnType<typeof pickIn>;

function pickIn(crop: Crop, { picker }: Options) {
  const { record, from, seismogram, pSample } = crop;
  const { rateHz } = record;
  const found = PICK_BY[picker](seismogram);
  const errorSeconds =
    found === null || pSample === null ? null : Number(((found.sample - pSample) / rateHz).toFixed(4));
  return {
    index: record.index,
    file: record.file,
    fromSample: from,
    samples: seismogram.vertical.length,
    /** In the record, not in the crop. */
    pickSample: found === null ? null : from + found.sample,
    labelledSample: record.pSample,
    errorSeconds,
    likelihood: found?.likelihood === undefined ? null : Number(found.likelihood.toFixed(3)),
    latencySeconds:
      found?.givenAtSample === undefined
        ? null
        : Number(((found.givenAtSample - found.sample) / rateHz).toFixed(2)),
    verdict: verdictOf(pSample, found === null, errorSeconds),
  };
}

const PICK_BY: Readonly<Record<Picker, (seismogram: Seismogram) => Found | null>> = {
  ranked: (seismogram) => pickP(seismogram),
  online: pickOnline,
  'ar-aic': pickByArAic,
};

/** With the settings that ObsPy's manual shows. A station without horizontals lends its vertical for the S wave. */
function pickByArAic({ rateHz, vertical, horizontals }: Seismogram): Found | null {
  const [north = vertical, east = vertical] = horizontals;
  const { pSeconds } = pickArAic({ vertical, north, east }, { rateHz, ...AR_AIC_FOR_LOCAL_EARTHQUAKES });
  return pSeconds === null ? null : { sample: Math.round(pSeconds * rateHz) };
}

function pickOnline({ rateHz, vertical }: Seismogram): Found | null {
  const picker = createOnlinePicker(rateHz);
  for (let i = 0; i < vertical.length; i++) {
    const pick = picker.push(vertical[i]!);
    if (pick !== null) return pick;
  }
  return null;
}

function verdictOf(pSample: number | null, nothing: boolean, errorSeconds: number | null): Verdict {
  if (pSample === null) return 'unlabelled';
  if (nothing || errorSeconds === null) return 'none';
  if (Math.abs(errorSeconds) <= NEAR_SECONDS) return 'near';
  return errorSeconds < 0 ? 'early' : 'late';
}

function summarise(picked: readonly Picked[]) {
  const labelled = picked.filter(({ verdict }) => verdict !== 'unlabelled');
  const share = (count: number): number | null =>
    labelled.length === 0 ? null : Number((count / labelled.length).toFixed(4));
  const count = (verdict: Verdict): number => labelled.filter((one) => one.verdict === verdict).length;
  const middle = (values: readonly number[]): number | null =>
    values.length === 0 ? null : [...values].sort((a, b) => a - b)[values.length >> 1]!;
  const errors = labelled.flatMap(({ errorSeconds }) =>
    errorSeconds === null ? [] : [Math.abs(errorSeconds)],
  );
  return {
    crops: picked.length,
    labelled: labelled.length,
    withinHalfSecond: share(count('near')),
    withinTenthSecond: share(errors.filter((error) => error <= 0.1).length),
    earlyFalse: share(count('early')),
    late: share(count('late')),
    none: share(count('none')),
    medianErrorSeconds: middle(errors),
    medianLatencySeconds: middle(
      picked.flatMap(({ latencySeconds }) => (latencySeconds === null ? [] : [latencySeconds])),
    ),
  };
}

function draw(
  picked: readonly Picked[],
  summary: ReturnType<typeof summarise>,
  broken: readonly { readonly index: string; readonly file: string; readonly reason: string }[],
): void {
  const percent = (value: number | null): string => (value === null ? '-' : `${(100 * value).toFixed(1)} %`);
  const seconds = (value: number | null): string => (value === null ? '-' : `${value.toFixed(2)} s`);
  print(
    table(
      ['record', 'pick at sample', 'analyst', 'off by', 'sure', ''],
      picked.map((one) => [
        one.index,
        one.pickSample === null ? '-' : String(one.pickSample),
        one.labelledSample === null ? '-' : String(one.labelledSample),
        seconds(one.errorSeconds),
        percent(one.likelihood),
        one.verdict === 'near' ? drawError(one.errorSeconds ?? 0) : one.verdict,
      ]),
    ),
  );
  print('');
  print(
    facts([
      ['crops', `${summary.crops}, ${summary.labelled} of them with a pick of an analyst`],
      ['within 0.5 s', percent(summary.withinHalfSecond)],
      ['within 0.1 s', percent(summary.withinTenthSecond)],
      ['early and false', percent(summary.earlyFalse)],
      ['late', percent(summary.late)],
      ['none', percent(summary.none)],
      ['median error', seconds(summary.medianErrorSeconds)],
      ...(summary.medianLatencySeconds === null
        ? []
        : [['median latency', seconds(summary.medianLatencySeconds)] as const]),
    ]),
  );
  for (const { index, file, reason } of broken) print(`left out: record ${index} (${file}) ${reason}`);
}

/** `...|..x` half a second either way of the analyst's pick. */
function drawError(errorSeconds: number): string {
  const cells = Array.from('.....|.....');
  cells[Math.round(5 + errorSeconds * 10)] = 'x';
  return cells.join('');
}

function parseSeed(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (!(rate >= 40 && rate <= 1_000)) throw new InvalidArgumentError('Give a rate from 40 to 1000 Hz.');
  return rate;
}
