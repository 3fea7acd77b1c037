import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { CommandFailed, EXIT } from '../exit-codes.ts';

/** One evenly sampled channel. */
export interface Trace {
  /** Network, station, location and channel as the file names them: `BW_UH1__SHZ`. */
  readonly channel: string;
  readonly rateHz: number;
  readonly startSeconds: number;
  readonly samples: Float64Array;
}

const HEADER =
  /^TIMESERIES\s+(\S+?)(?:_[A-Z])?,\s*(\d+)\s+samples,\s*([\d.]+)\s+sps,\s*([\d-]+T[\d:.]+),\s*SLIST/;

/** Reads one trace in IRIS's SLIST text, gzipped or not. */
export async function readSlist(file: string): Promise<Trace> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new CommandFailed(EXIT.notFound, 'TRACE_MISSING', `There is no file ${file}.`, { cause });
  });
  let text: string;
  try {
    text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (cause) {
    throw invalid(file, 'is a gzip file that is cut off or damaged', cause);
  }
  const newline = text.indexOf('\n');
  const header = HEADER.exec(text.slice(0, newline));
  if (header === null) throw invalid(file, 'does not begin with a TIMESERIES ... SLIST line');
  const [, channel = '', count, rate, start = ''] = header;
  const words = text
    .slice(newline + 1)
    .trim()
    .split(/\s+/);
  const samples = Float64Array.from(words, Number);
  const bad = samples.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) throw invalid(file, `sample ${bad + 1} is "${words[bad]}", not a number`);
  if (samples.length !== Number(count)) {
    throw invalid(file, `has ${samples.length} samples where its first line says ${count}`);
  }
  // Milliseconds are all that a date holds; the rest of the fraction is added.
  const [whole = '', fraction = '0'] = start.split('.');
  const startSeconds = Date.parse(`${whole}Z`) / 1_000 + Number(`0.${fraction}`);
  return { channel, rateHz: Number(rate), startSeconds, samples };
}

const invalid = (file: string, problem: string, cause?: unknown): CommandFailed =>
  new CommandFailed(EXIT.failed, 'TRACE_INVALID', `${file} ${problem}.`, { cause });
