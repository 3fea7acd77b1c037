import type { Columns } from '../proto/gen/tocsin/v1/Columns.ts';
import type { Item } from '../proto/gen/tocsin/v1/Item.ts';
import type { Reading } from '../proto/gen/tocsin/v1/Reading.ts';

/** One reading as a device has it. `sequence` counts the readings of (sensor, boot) from 1; 0: it cannot count. */
export interface PlainReading {
  readonly sensor: string;
  readonly boot: string;
  readonly sequence: number;
  readonly observedAtMs: number;
  readonly value: number;
  /** @default the registered unit */
  readonly unit?: string;
}

const COLUMN_READINGS_AT_MOST = 1_000;
const OFFSET_AT_MOST_MS = 0xffff_ffff;

/**
 * Packs readings for sending: neighbours of one sensor and boot whose numbers follow each other become columns, a
 * tenth of the bytes and of the work. Readings of several sensors may be mixed; the order within a sensor stays.
 * The identities are those of the single readings, so it does not matter if they were sent singly before.
 */
export function packReadings(readings: readonly PlainReading[]): Item[] {
  const items: Item[] = [];
  const open = new Map<
    string,
    { columns: Columns & { values: number[]; offsetsMs: number[] }; lastMs: number }
  >();
  for (const reading of readings) {
    const { sensor, boot, sequence, observedAtMs, value, unit = '' } = reading;
    const key = `${sensor}|${boot}|${unit}`;
    const current = open.get(key);
    if (current !== undefined) {
      const { columns, lastMs } = current;
      const first = Number(columns.firstSequence);
      const firstMs = Number(columns.firstObservedAtMs);
      const follows = sequence === 0 ? first === 0 : first > 0 && sequence === first + columns.values.length;
      if (
        follows &&
        observedAtMs >= lastMs &&
        observedAtMs - firstMs <= OFFSET_AT_MOST_MS &&
        columns.values.length < COLUMN_READINGS_AT_MOST
      ) {
        columns.values.push(value);
        columns.offsetsMs.push(observedAtMs - firstMs);
        current.lastMs = observedAtMs;
        continue;
      }
    }
    const columns = {
      sensor,
      boot,
      firstSequence: sequence,
      firstObservedAtMs: observedAtMs,
      offsetsMs: [0],
      values: [value],
      unit,
    };
    items.push({ columns });
    open.set(key, { columns, lastMs: observedAtMs });
  }
  return items.map((item) => (item.columns!.values!.length === 1 ? singly(item.columns!) : item));
}

/** A column of one is a reading. */
function singly(columns: Columns): { reading: Reading } {
  return {
    reading: {
      sensor: columns.sensor!,
      boot: columns.boot!,
      sequence: columns.firstSequence!,
      observedAtMs: columns.firstObservedAtMs!,
      value: columns.values![0]!,
      unit: columns.unit!,
    },
  };
}
