import type { Random } from '../../../domain/random.ts';
import type { Item } from '../../../proto/gen/tocsin/v1/Item.ts';
import type { Bulletin } from '../../../proto/gen/tocsin/v1/Bulletin.ts';
import type { Columns } from '../../../proto/gen/tocsin/v1/Columns.ts';
import type { Reading } from '../../../proto/gen/tocsin/v1/Reading.ts';
import type { Waveform } from '../../../proto/gen/tocsin/v1/Waveform.ts';

export const NOW = Date.UTC(2026, 5, 1, 12);
const HOUR = 3_600_000;
const TWO_53 = 2 ** 53;

/** What a class of bad readings is made of: a random source, and the number of the variant from 1. */
interface Variant {
  readonly random: Random;
  readonly n: number;
  /** A sensor of the class's own, 0 to 100 %LEL of methane. */
  readonly sensor: string;
}

/** `ACCEPTED`, `DUPLICATE`, a reason, or several for the parts of one item; with the marks that it is archived with. */
export interface BadClass {
  readonly name: string;
  readonly becomes: string;
  /** One item, or several of which the last counts. */
  readonly make: (variant: Variant) => Item | Item[];
}

const between = (random: Random, low: number, high: number): number => low + random.unit() * (high - low);
const pick = <T>(random: Random, values: readonly T[]): T => values[random.integer(values.length)]!;

const reading = ({ sensor, n, random }: Variant, change: Partial<Reading>): Item => ({
  reading: { sensor, sequence: n, observedAtMs: NOW - random.integer(1_000), value: 1, ...change },
});
const columns = ({ sensor, n }: Variant, change: Partial<Columns>): Item => ({
  columns: {
    sensor,
    firstSequence: n * 10,
    firstObservedAtMs: NOW - 1_000,
    intervalMs: 10,
    values: [1, 2, 3],
    ...change,
  },
});
const waveform = ({ sensor, n }: Variant, change: Partial<Waveform>): Item => ({
  waveform: {
    sensor,
    firstSequence: n * 10,
    startedAtMs: NOW - 1_000,
    rateHz: 100,
    samples: [1, 2, 3],
    ...change,
  },
});
const bulletin = ({ sensor, n, random }: Variant, change: Partial<Bulletin>): Item => ({
  bulletin: {
    source: sensor,
    id: `b-${n}`,
    type: 'earthquake-notice',
    observedAtMs: NOW - random.integer(60_000),
    position: { latitudeDeg: 24, longitudeDeg: 121.6 },
    fields: { magnitude: { number: 5 } },
    ...change,
  },
});
const at = (position: [latitudeDeg: number, longitudeDeg: number]): Partial<Bulletin> => ({
  position: { latitudeDeg: position[0], longitudeDeg: position[1] },
});

const kind = (name: string, becomes: string, make: BadClass['make']): BadClass => ({ name, becomes, make });
/** A reading with something wrong about it. */
const value = (name: string, becomes: string, change: (variant: Variant) => Partial<Reading>): BadClass =>
  kind(name, becomes, (variant) => reading(variant, change(variant)));
const notice = (name: string, becomes: string, change: (variant: Variant) => Partial<Bulletin>): BadClass =>
  kind(name, becomes, (variant) => bulletin(variant, change(variant)));

/** Bad readings by class, each with what must become of it. docs/ingestion.md shows the same table. */
export const BAD_CLASSES: readonly BadClass[] = [
  value('value NaN', 'NOT_FINITE', () => ({ value: NaN })),
  value('value +Inf', 'NOT_FINITE', () => ({ value: Infinity })),
  value('value -Inf', 'NOT_FINITE', () => ({ value: -Infinity })),
  value('value -0', 'ACCEPTED', () => ({ value: -0 })),
  value('value 1e308', 'RANGE', ({ random }) => ({ value: 1e308 * between(random, 0.1, 1) })),
  value('value -1e308', 'RANGE', ({ random }) => ({ value: -1e308 * between(random, 0.1, 1) })),
  value('value next to nothing', 'ACCEPTED', ({ random }) => ({ value: 5e-324 * (1 + random.integer(9)) })),
  kind('value not set', 'ACCEPTED', ({ sensor, n }) => ({
    reading: { sensor, sequence: n, observedAtMs: NOW },
  })),
  value('value above its range', 'RANGE', ({ random }) => ({ value: between(random, 100.001, 1e6) })),
  value('value below its range', 'RANGE', ({ random }) => ({ value: -between(random, 0.001, 1e6) })),
  value('value at the end of its range', 'ACCEPTED', ({ random }) => ({ value: pick(random, [0, 100]) })),
  value('unit nobody knows', 'UNIT', ({ random }) => ({
    unit: pick(random, ['bananas', '?', '%lel%', 'LEL²']),
  })),
  value('unit of something else', 'UNIT', ({ random }) => ({
    unit: pick(random, ['Pa', 'K', 'm/s', '°C', 'g']),
  })),
  value('unit that is a picture', 'UNIT', ({ random }) => ({
    unit: pick(random, ['🔥', '🌡️', '\u202E%LEL']),
  })),
  value('unit that converts', 'ACCEPTED', ({ random }) => ({ unit: pick(random, ['ppm', 'vol%', 'LEL']) })),
  value('unit that converts, out of range', 'RANGE', ({ random }) => ({
    unit: 'vol%',
    value: between(random, 4.5, 100),
  })),
  value('sensor with NUL', 'MALFORMED', ({ sensor }) => ({ sensor: `${sensor}\0` })),
  value('sensor with RTL override', 'MALFORMED', ({ sensor }) => ({ sensor: `\u202E${sensor}` })),
  value('sensor with emoji', 'MALFORMED', ({ sensor }) => ({ sensor: `${sensor}🔥` })),
  value('sensor not named', 'MALFORMED', () => ({ sensor: '' })),
  value('sensor with 129 characters or more', 'MALFORMED', ({ random }) => ({
    sensor: 's'.repeat(129 + random.integer(500)),
  })),
  value('sensor that is an operator', 'MALFORMED', ({ random }) => ({
    sensor: pick(random, ['$where', '{"$gt":""}', 'a|b']),
  })),
  value('sensor that is a property', 'UNKNOWN_SENSOR', ({ random }) => ({
    sensor: pick(random, ['__proto__', 'constructor', 'toString']),
  })),
  value('sensor that is a path', 'UNKNOWN_SENSOR', ({ random }) => ({
    sensor: pick(random, ['../../etc/passwd', './x', '/']),
  })),
  value('sensor of another vendor', 'UNKNOWN_SENSOR', ({ n }) => ({ sensor: `other/${n}` })),
  value('boot with a separator', 'MALFORMED', () => ({ boot: 'a|b' })),
  value('boot with emoji', 'MALFORMED', () => ({ boot: '👢' })),
  value('boot with 65 characters or more', 'MALFORMED', ({ random }) => ({
    boot: 'b'.repeat(65 + random.integer(99)),
  })),
  value('time epoch 0', 'TOO_LATE', () => ({ observedAtMs: 0 })),
  kind('time not set', 'TOO_LATE', ({ sensor, n }) => ({ reading: { sensor, sequence: n, value: 1 } })),
  value('time before 1970', 'TOO_LATE', ({ random }) => ({ observedAtMs: -random.integer(2 ** 31) })),
  value('time in seconds', 'TOO_LATE', ({ random }) => ({ observedAtMs: NOW / 1_000 - random.integer(99) })),
  value('time in microseconds', 'FUTURE', ({ random }) => ({
    observedAtMs: NOW * 1_000 + random.integer(99),
  })),
  value('time in nanoseconds', 'MALFORMED', ({ random }) => ({
    observedAtMs: String(BigInt(NOW + random.integer(99)) * 1_000n * 1_000n),
  })),
  value('time year 9999', 'FUTURE', ({ random }) => ({
    observedAtMs: Date.UTC(9999, random.integer(12), 1),
  })),
  value('time past the end of time', 'MALFORMED', () => ({ observedAtMs: '9223372036854775807' })),
  value('time 5 to 300 s ahead', 'ACCEPTED, skew', ({ random }) => ({
    observedAtMs: NOW + 5_001 + random.integer(294_000),
  })),
  value('time more than 300 s ahead', 'FUTURE', ({ random }) => ({
    observedAtMs: NOW + 300_001 + random.integer(2 ** 31),
  })),
  value('time 2 min to 72 h ago', 'ACCEPTED, late', ({ random }) => ({
    observedAtMs: NOW - 120_001 - random.integer(71 * HOUR),
  })),
  value('time more than 72 h ago', 'TOO_LATE', ({ random }) => ({
    observedAtMs: NOW - 72 * HOUR - 1 - random.integer(2 ** 31),
  })),
  value('number wraps to 0', 'ACCEPTED', ({ n }) => ({ sequence: 0, observedAtMs: NOW - n })),
  value('number 2^53 or more', 'SEQUENCE', ({ random }) => ({
    sequence: TWO_53 + 2 * random.integer(2 ** 20),
  })),
  value('number 2^64-1', 'SEQUENCE', () => ({ sequence: '18446744073709551615' })),
  kind('number again', 'DUPLICATE', (variant) => [reading(variant, {}), reading(variant, {})]),
  kind('number again with another value', 'DUPLICATE', (variant) => [
    reading(variant, {}),
    reading(variant, { value: 2 }),
  ]),
  kind('numbers in disorder', 'ACCEPTED', (variant) => [
    reading(variant, { sequence: 2 * variant.n }),
    reading(variant, { sequence: 2 * variant.n - 1 }),
  ]),
  value('numbers with gaps', 'ACCEPTED', ({ n }) => ({ sequence: n * 3 })),
  kind('no number, same content again', 'DUPLICATE', (variant) => {
    const same = { sequence: 0, observedAtMs: NOW - variant.n };
    return [reading(variant, same), reading(variant, same)];
  }),
  kind('columns with NaN inside', 'ACCEPTED NOT_FINITE ACCEPTED', (variant) =>
    columns(variant, { values: [1, NaN, 3] }),
  ),
  kind('columns without values', 'MALFORMED', (variant) => columns(variant, { values: [] })),
  kind('columns without times', 'MALFORMED', (variant) => columns(variant, { intervalMs: 0 })),
  kind('columns of two lengths', 'MALFORMED', (variant) => columns(variant, { offsetsMs: [0, 1] })),
  kind('columns back in time', 'MALFORMED', (variant) => columns(variant, { offsetsMs: [0, 20, 10] })),
  kind('columns that number past 2^53', 'SEQUENCE', (variant) =>
    columns(variant, { firstSequence: TWO_53 - 2 }),
  ),
  kind('columns into the future', 'ACCEPTED FUTURE', (variant) =>
    columns(variant, { offsetsMs: [0, 1_000, 302_000 + variant.n] }),
  ),
  kind('waveform without numbers', 'SEQUENCE', (variant) => waveform(variant, { firstSequence: 0 })),
  kind('waveform without a rate', 'MALFORMED', (variant) =>
    waveform(variant, { rateHz: pick(variant.random, [0, -1, NaN, Infinity, 1e9]) }),
  ),
  kind('waveform with NaN', 'NOT_FINITE', (variant) => waveform(variant, { samples: [1, NaN] })),
  kind('waveform out of range', 'RANGE', (variant) => waveform(variant, { samples: [1, 3e38] })),
  kind('waveform without samples', 'MALFORMED', (variant) => waveform(variant, { samples: [] })),
  notice('latitude beyond the pole', 'MALFORMED', ({ random }) =>
    at([pick(random, [-1, 1]) * between(random, 90.001, 1e6), 0]),
  ),
  notice('longitude beyond the date line', 'MALFORMED', ({ random }) =>
    at([0, pick(random, [-1, 1]) * between(random, 180.001, 1e6)]),
  ),
  notice('latitude and longitude swapped', 'MALFORMED', ({ random }) =>
    at([between(random, 120, 122), between(random, 22, 25)]),
  ),
  notice('swapped, and possible', 'ACCEPTED', ({ random }) =>
    at([between(random, 10, 80), between(random, 22, 25)]),
  ),
  notice('position NaN', 'MALFORMED', ({ random }) =>
    at(
      pick(random, [
        [NaN, 0],
        [0, NaN],
        [Infinity, 0],
      ]),
    ),
  ),
  notice('no position', 'ACCEPTED', () => ({ position: null })),
  notice('bulletin id with NUL', 'MALFORMED', ({ n }) => ({ id: `${n}\0` })),
  notice('bulletin id with RTL override', 'MALFORMED', ({ n }) => ({ id: `\u202E${n}` })),
  notice('bulletin id with emoji', 'ACCEPTED', ({ n }) => ({ id: `🌋 ${n}` })),
  notice('bulletin id missing', 'MALFORMED', () => ({ id: '' })),
  notice('bulletin type as prose', 'MALFORMED', () => ({ type: 'Earthquake Notice' })),
  notice('bulletin field NaN', 'NOT_FINITE', ({ random }) => ({
    fields: { magnitude: { number: pick(random, [NaN, Infinity]) } },
  })),
  notice('bulletin field null', 'ACCEPTED', () => ({ fields: { magnitude: {} } })),
  notice('bulletin field with a bad name', 'MALFORMED', ({ random }) => ({
    fields: { [pick(random, ['a.b', '$set', '', '字'])]: { number: 1 } },
  })),
  notice('bulletin field too long', 'OVERSIZED', ({ random }) => ({
    fields: { text: { text: 'x'.repeat(1_001 + random.integer(999)) } },
  })),
  kind('item without content', 'MALFORMED', () => ({})),
];
