import fs from 'node:fs';
import { parseArff } from '../domain/table/arff.ts';
import { parseCsv, type CsvOptions } from '../domain/table/csv.ts';
import { malformed, type Table } from '../domain/table/table.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';

/**
 * Reads a CSV or ARFF file (a name that ends in `.arff`, or a text that begins with `@relation`). Errors name the file
 * as it was given, the line and the column.
 *
 * @throws CommandFailed when there is no such file; TocsinError TABLE_MALFORMED when it is no table
 */
export function readTableFile(file: string, options: Omit<CsvOptions, 'source'> = {}): Table {
  const text = readText(file);
  const isArff = file.toLowerCase().endsWith('.arff') || /^\s*(?:%.*\n\s*)*@relation\b/i.test(text);
  return isArff
    ? parseArff(text, { source: file, ...(options.missing ? { missing: options.missing } : {}) })
    : parseCsv(text, { ...options, source: file });
}

function readText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = fs.readFileSync(file);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new CommandFailed(
      missing ? EXIT.notFound : EXIT.usage,
      'FILE_UNREADABLE',
      missing ? `There is no file ${file}.` : `${file} cannot be read: ${(error as Error).message}`,
      { cause: error },
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw malformed({ source: file, line: lineOfBadBytes(bytes) }, 'the bytes are not UTF-8');
  }
}

/** Lines are decoded one by one: a line break is never inside a UTF-8 character. */
function lineOfBadBytes(bytes: Buffer): number {
  let line = 1;
  for (let at = 0; at < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, at);
    const stop = end < 0 ? bytes.length : end;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(at, stop));
    } catch {
      return line;
    }
    at = stop + 1;
  }
  return line;
}
