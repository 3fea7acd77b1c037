import type { Random } from '../../domain/random.ts';
import { IngestService } from '../../proto/load.ts';
import type { Item } from '../../proto/gen/tocsin/v1/Item.ts';

/** Sensors that messages of `randomMessage` speak of; `unheard` is registered nowhere. */
export const SENSORS = ['a', 'b', 'c/1', 'd-22', 'e.333'];

/** A message as a vendor may send it: mostly in order, sometimes odd. */
export function randomMessage(random: Random, next: (sensor: string, count: number) => number): Buffer {
  const items: Item[] = Array.from({ length: random.integer(12) }, () => randomItem(random, next));
  const sentAtMs = random.unit() < 0.8 ? NOW - random.integer(1_000) : 0;
  return IngestService.service.Publish.requestSerialize({ sequence: random.integer(4), sentAtMs, items });
}

export const NOW = 1_790_000_000_000;

function randomItem(random: Random, next: (sensor: string, count: number) => number): Item {
  const pick = <T>(values: readonly T[]): T => values[random.integer(values.length)]!;
  const rarely = <T>(usual: T, ...odd: T[]): T => (random.unit() < 0.85 ? usual : pick(odd));
  const sensor = rarely(pick(SENSORS), 'unheard', '', 'ä', 'a|b');
  const boot = rarely('', 'b1', 'b2', 'bad boot', 'ü');
  const count = 1 + random.integer(6);
  const sequence = rarely(next(sensor, count), 0, 1, next(sensor, 3), 2 ** 40);
  const atMs = NOW - random.integer(5_000) + rarely(0, 10_000, 400_000, -200_000, -3e8);
  const value = (): number => rarely(random.unit() * 100, -1, 101, NaN, Infinity, 100, 0);
  const unit = rarely('', '%LEL', '%LEL', 'ppm', '°C');
  switch (random.integer(12)) {
    case 0:
    case 1:
    case 2: {
      const values = Array.from({ length: count }, value);
      const isEven = random.unit() < 0.5;
      return {
        columns: {
          sensor,
          boot,
          firstSequence: sequence,
          firstObservedAtMs: atMs,
          ...(isEven
            ? { intervalMs: rarely(200, 0) }
            : { offsetsMs: rarely(values, values.slice(1)).map((_, n) => rarely(n * 90, 4_000_000, 7)) }),
          values: rarely(values, []),
          unit,
        },
      };
    }
    case 3:
      return {
        waveform: {
          sensor,
          boot,
          firstSequence: sequence,
          startedAtMs: atMs,
          rateHz: 10,
          samples: [1, 2],
          unit,
        },
      };
    case 4:
      return { bulletin: { source: 'net', id: boot, type: 'earthquake-notice', observedAtMs: atMs } };
    case 5:
      return rarely<Item>({ reading: { sensor } }, {}, { columns: {} });
    default:
      return { reading: { sensor, boot, sequence, observedAtMs: atMs, value: value(), unit } };
  }
}

/** The message damaged, or dressed up, in one to three ways. */
export function mutated(message: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(message);
  for (let times = 1 + random.integer(3); times > 0; times--) {
    const at = bytes.length === 0 ? 0 : random.integer(bytes.length);
    const cut = (inserted: readonly number[], dropped = 0): void => {
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(inserted), bytes.subarray(at + dropped)]);
    };
    switch (random.integer(9)) {
      case 0:
        bytes = bytes.subarray(0, at);
        break;
      case 1:
        if (bytes.length > 0) bytes[at] = random.integer(256);
        break;
      case 2:
        if (bytes.length > 0) bytes[at] = bytes[at]! ^ (1 << random.integer(8));
        break;
      case 3:
        cut([], 1 + random.integer(8));
        break;
      case 4:
        cut(Array.from({ length: 1 + random.integer(8) }, () => random.integer(256)));
        break;
      case 5: // A varint that is too long, or longer than it needs to be.
        cut([...Array<number>(1 + random.integer(11)).fill(random.unit() < 0.5 ? 0x80 : 0xff), 1]);
        break;
      case 6: // Lengths up to 2^31.
        cut([0x1a, 0xff, 0xff, 0xff, 0xff, random.integer(16)]);
        break;
      case 7: // Groups, deeply nested and closed or not.
        cut(Array<number>(1 + random.integer(200)).fill(random.unit() < 0.5 ? 0x0b : 0x7b));
        break;
      default: // A part of the message again: fields twice, unknown fields.
        cut([...bytes.subarray(at, at + random.integer(40))]);
    }
  }
  return bytes;
}
