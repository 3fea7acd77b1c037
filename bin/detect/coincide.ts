import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { bandPass, filtered } from '../../domain/detect/seismic/butterworth.ts';
import { coincidentEvents } from '../../domain/detect/seismic/coincidence.ts';
import type { ChannelTrigger } from '../../domain/detect/seismic/coincidence.ts';
import { classicStaLta, recursiveStaLta, triggerOnsets } from '../../domain/detect/seismic/sta-lta.ts';
import { leaf, parseCountOption } from '../command-line.ts';
import { print, printJson, table } from '../output.ts';
import { readSlist } from './slist.ts';
import type { Trace } from './slist.ts';

interface Options {
  readonly band?: { readonly lowHz: number; readonly highHz: number };
  readonly ratio: 'recursive' | 'classic';
  readonly sta: number;
  readonly lta: number;
  readonly on: number;
  readonly off: number;
  readonly stations: number;
  readonly json?: boolean;
}

export function declareCoincide(detect: Command): void {
  leaf(
    detect,
    'coincide <traces...>',
    'trigger on the traces of a local network (SLIST text) and list the events that several of them share',
    'tocsin detect coincide UH*.slist.gz --band 10:20 --sta 0.5 --lta 10 --on 3.5 --off 1 --stations 3',
  )
    .option('--band <low:high>', 'band-pass first, in Hz', parseBand)
    .addOption(
      new Option('--ratio <kind>', 'how the averages are taken')
        .choices(['recursive', 'classic'])
        .default('recursive'),
    )
    .option('--sta <seconds>', 'short average', parsePositive, 0.5)
    .option('--lta <seconds>', 'long average', parsePositive, 10)
    .option('--on <ratio>', 'a trigger begins above', parsePositive, 3.5)
    .option('--off <ratio>', 'and ends below', parsePositive, 1)
    .option('--stations <number>', 'traces that must share an event', parseCountOption, 3)
    .action(run);
}

async function run(files: string[], options: Options): Promise<void> {
  if (options.sta >= options.lta) throw new InvalidArgumentError('--sta must be shorter than --lta.');
  const traces = await Promise.all(files.map(readSlist));
  const triggers = traces.flatMap((trace) => triggersOf(trace, options));
  const events = coincidentEvents(triggers, { minSum: options.stations }).map(
    ({ atSeconds, durationSeconds, channels }) => ({
      at: new Date(Math.round(atSeconds * 1_000)).toISOString(),
      durationSeconds: Number(durationSeconds.toFixed(3)),
      channels,
    }),
  );
  const counts = traces.map(({ channel }) => ({
    channel,
    triggers: triggers.filter((trigger) => trigger.channel === channel).length,
  }));
  if (options.json) return printJson({ events, traces: counts });
  print(
    table(
      ['event', 'lasted', 'traces, the first to trigger first'],
      events.map(({ at, durationSeconds, channels }) => [
        at,
        `${durationSeconds.toFixed(2)} s`,
        channels.join(' '),
      ]),
    ),
  );
  print(counts.map(({ channel, triggers: count }) => `${channel}: ${count} triggers`).join('\n'));
}

function triggersOf({ channel, rateHz, startSeconds, samples }: Trace, options: Options): ChannelTrigger[] {
  const trace =
    options.band === undefined ? samples : filtered(samples, bandPass({ rateHz, ...options.band }));
  const ratioOf = options.ratio === 'classic' ? classicStaLta : recursiveStaLta;
  const ratio = ratioOf(trace, {
    sta: Math.max(1, Math.round(options.sta * rateHz)),
    lta: Math.max(2, Math.round(options.lta * rateHz)),
  });
  return triggerOnsets(ratio, { on: options.on, off: options.off }).map(({ on, off }) => ({
    channel,
    onSeconds: startSeconds + on / rateHz,
    offSeconds: startSeconds + off / rateHz,
  }));
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('Give a number above 0.');
  return value;
}

function parseBand(text: string): NonNullable<Options['band']> {
  const [lowHz = Number.NaN, highHz = Number.NaN] = text.split(':').map(Number);
  if (!(lowHz > 0 && highHz > lowHz)) throw new InvalidArgumentError('Give low:high in Hz, such as 10:20.');
  return { lowHz, highHz };
}
