import { malformed, textColumn } from '../../domain/table/table.ts';
import type { Table } from '../../domain/table/table.ts';

const WRITTEN =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/;
const NUMBER = /^-?\d+(?:\.\d+)?$/;
/** Numbers from here on are milliseconds since 1970 (as seconds they would lie beyond the year 5138). */
const MILLISECONDS_FROM = 1e11;

/**
 * A time as files write it, in milliseconds since 1970: ISO 8601 with `T` or a blank, without a zone in UTC, or
 * seconds or milliseconds since 1970. Undefined when it is none of these.
 */
export function parseTime(text: string): number | undefined {
  if (NUMBER.test(text)) {
    const number = Number(text);
    return Math.abs(number) >= MILLISECONDS_FROM ? number : number * 1000;
  }
  const parts = WRITTEN.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '0', zone = 'Z'] = parts;
  const offset = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
  const wholeMs = Date.parse(`${year!}-${month!}-${day!}T${hour}:${minute}:${second}${offset}`);
  // Date.parse takes the 31st of February for a day in March.
  const isDay = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
  if (Number.isNaN(wholeMs) || !isDay) return undefined;
  return wholeMs + Number(`0.${fraction}`) * 1000;
}

/**
 * A column of times in milliseconds since 1970.
 *
 * @throws TocsinError TABLE_MALFORMED, TABLE_COLUMN_UNKNOWN with file, line and column
 */
export function timeColumn(table: Table, name: string): Float64Array {
  return Float64Array.from(textColumn(table, name), (cell, row) => {
    const place = { source: table.source, line: table.lines[row]!, column: name };
    if (cell === null) throw malformed(place, 'a row without a time');
    const timeMs = parseTime(cell);
    if (timeMs === undefined) throw malformed(place, `expected a time, got "${cell}"`, { value: cell });
    return timeMs;
  });
}
