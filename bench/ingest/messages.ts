/** The load of the ingest benchmarks: messages as bytes, made before the clock starts. */
export interface Load {
  readonly sensors: number;
  /** Readings a message. */
  readonly batch: number;
  readonly readings: number;
  /** Which repetition: its readings follow those of the one before. */
  readonly round: number;
  readonly form: 'readings' | 'columns';
  /** Numbers begin again with each boot. */
  readonly boot: string;
  /** ms since 1970 of the first reading. */
  readonly startMs: number;
}

export const TENANT = 'bench';
export const VENDOR = 'meters';
export const KEY = 'key-of-the-benchmark';
export const sensorName = (n: number): string => `meter-${String(n).padStart(6, '0')}`;
export const sensorId = (n: number): string => `${TENANT}/${VENDOR}/${sensorName(n)}`;

/** The k-th reading of a sensor, from 0: noise, and now and then four readings that are far off. */
export function valueOf(sensor: number, k: number): number {
  const noise = (Math.imul(k * 7_919 + sensor, 0x9e3779b1) >>> 8) / 2 ** 24;
  return sensor % 1_000 === (k >> 2) % 1_000 ? 60 + noise : 20 + noise;
}

/** Readings of one sensor that follow each other in a message: all single, or ten as columns. */
const COLUMN = 10;

/** The sensor of the n-th reading of a load. */
export const sensorAt = ({ sensors, form }: Pick<Load, 'sensors' | 'form'>, n: number): number =>
  (form === 'readings' ? n : Math.floor(n / COLUMN)) % sensors;

/** How many readings each sensor gets in a round: rounds follow each other without a gap. */
export function countsOf(load: Pick<Load, 'sensors' | 'form' | 'readings'>): Uint32Array {
  const counts = new Uint32Array(load.sensors);
  for (let n = 0; n < load.readings; n++) counts[sensorAt(load, n)]! += 1;
  return counts;
}

/** Messages of a load, numbered from 1. */
export function encode(load: Load): Buffer[] {
  const { sensors, batch, readings, round, form, boot, startMs } = load;
  const names = Array.from({ length: sensors }, (_, n) => Buffer.from(sensorName(n)));
  const perRound = countsOf(load);
  // All of a sensor's readings lie within a minute, however many there are.
  const stepMs = Math.min(1, 60_000 / Math.max(1, perRound[0]!));
  const messages: Buffer[] = [];
  const scratch = Buffer.alloc(batch * 64 + 64);
  const view = new DataView(scratch.buffer, scratch.byteOffset);
  const counts = new Uint32Array(sensors);
  let at = 0;
  const varint = (value: number): void => {
    while (value >= 128) {
      scratch[at++] = (value % 128) + 128;
      value = Math.floor(value / 128);
    }
    scratch[at++] = value;
  };
  /** Leaves one or two bytes for a length below 16,384. */
  const open = (tag: number): number => {
    scratch[at++] = tag;
    at += 2;
    return at;
  };
  const close = (from: number): void => {
    const length = at - from;
    scratch[from - 2] = (length & 127) | 128;
    scratch[from - 1] = length >> 7;
  };
  for (let n = 0; n < readings;) {
    at = 0;
    scratch[at++] = 0x08;
    varint(messages.length + 1);
    scratch[at++] = 0x10;
    varint(startMs);
    for (const end = Math.min(readings, n + batch); n < end;) {
      const sensor = sensorAt(load, n);
      const count = form === 'readings' ? 1 : Math.min(COLUMN - (n % COLUMN), end - n);
      const k = round * perRound[sensor]! + counts[sensor]!;
      const atMs = startMs + Math.floor(counts[sensor]! * stepMs);
      counts[sensor]! += count;
      const item = open(0x1a);
      const body = open(form === 'readings' ? 0x0a : 0x12);
      scratch[at++] = 0x0a;
      scratch[at++] = names[sensor]!.length;
      at += names[sensor]!.copy(scratch, at);
      if (boot !== '') {
        scratch[at++] = 0x12;
        scratch[at++] = boot.length;
        at += scratch.write(boot, at, 'latin1');
      }
      scratch[at++] = 0x18;
      varint(k + 1);
      scratch[at++] = 0x20;
      varint(atMs);
      if (form === 'readings') {
        scratch[at++] = 0x29;
        view.setFloat64(at, valueOf(sensor, k), true);
        at += 8;
      } else {
        scratch[at++] = 0x30;
        scratch[at++] = 1;
        const values = open(0x3a);
        for (let i = 0; i < count; i++, at += 8) view.setFloat64(at, valueOf(sensor, k + i), true);
        close(values);
      }
      n += count;
      close(body);
      close(item);
    }
    messages.push(Buffer.from(scratch.subarray(0, at)));
  }
  return messages;
}

/** A message under another number: what is sent again comes after what was sent since. */
export function renumbered(message: Buffer, sequence: number): Buffer {
  let at = 1;
  while (message[at]! >= 128) at += 1;
  const head = [0x08];
  for (let rest = sequence; ; rest = Math.floor(rest / 128)) {
    head.push(rest < 128 ? rest : (rest % 128) + 128);
    if (rest < 128) break;
  }
  return Buffer.concat([Buffer.from(head), message.subarray(at + 1)]);
}

/** The same messages with earlier ones repeated among them, numbered anew: `share` of all are repetitions. */
export function withRepeats(messages: readonly Buffer[], share: number): Buffer[] {
  const all: Buffer[] = [];
  let owed = 0;
  messages.forEach((message, n) => {
    all.push(message);
    for (owed += share / (1 - share); owed >= 1; owed--) all.push(messages[Math.max(0, n - (n % 17))]!);
  });
  return all.map((message, n) => renumbered(message, n + 1));
}
