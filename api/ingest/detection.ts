import type { Found, Watch } from '../../domain/detect/watch.ts';
import { DOUBTS } from '../../domain/ingest/health-book.ts';
import type { JudgedReadings } from '../../domain/ingest/health.ts';
import type { SensorNumbers } from '../../domain/ingest/sensor-numbers.ts';
import { lateReadings } from './aside-records.ts';
import type { Finding } from './findings.ts';
import { apart, FLAG } from './frame.ts';
import type { Block, RunsBlock, StoredBlock } from './frame.ts';
import type { SensorDoubts } from './sensor-doubts.ts';
import type { Turns } from './turns.ts';
import type { WatchedTenants } from './watched-tenants.ts';

/** Runs between two looks at the time. */
const RUNS_AT_ONCE = 64;

export interface DetectionOptions {
  readonly tenants: WatchedTenants;
  /** The numbers that are in blocks. */
  readonly numbers: SensorNumbers;
  readonly doubts: Pick<SensorDoubts, 'recall'>;
  readonly turns: Turns;
}

/** Shows what is in a frame to whoever watches it: the sensors' monitors first, then the conditions of the plans. */
export class Detection {
  readonly #options: DetectionOptions;

  constructor(options: DetectionOptions) {
    this.#options = options;
  }

  /** What is found in frame `seq`; a turn of the event loop may end between two of its blocks or runs. */
  async findings(blocks: readonly StoredBlock[], seq: number): Promise<Finding[]> {
    const { turns } = this.#options;
    const findings: Finding[] = [];
    // Counts the blocks of a frame taken apart: it names what came of each.
    let n = 0;
    for (const stored of blocks) {
      if (stored.kind === 'runs' && !stored.flags.some((flags) => (flags & FLAG.late) !== 0)) {
        await this.#detectRuns(stored, findings);
        n += stored.ends.length;
        continue;
      }
      for (const block of stored.kind === 'runs' ? apart(stored) : [stored]) {
        findings.push(...this.#detect(block, seq, n++));
        if (turns.isOver) await turns.next();
      }
    }
    return findings;
  }

  /** `#detect` for each of the runs, none of them late, without an object a run. */
  async #detectRuns(block: RunsBlock, findings: Finding[]): Promise<void> {
    const { tenants, turns } = this.#options;
    const {
      tenant,
      names,
      numbers,
      sensors,
      ends,
      atMs: observedAtMs,
      values,
      clockMs: receivedAtMs,
    } = block;
    const watch = tenants.watch(tenant);
    const book = tenants.book(tenant);
    const { seats } = tenants;
    const flags = block.flags.slice();
    const placedAtMs = new Float64Array(values.length);
    const { sentAtMs } = block;
    const judged = {
      atMs: observedAtMs,
      values,
      flags,
      placedAtMs,
      sentAtMs,
      receivedAtMs,
      isWaveform: false,
    };
    const received = { atMs: placedAtMs, values, flags, observedAtMs, receivedAtMs };
    for (let run = 0, from = 0; run < ends.length; run++) {
      if (run % RUNS_AT_ONCE === 0 && turns.isOver) await turns.next();
      const to = ends[run]!;
      const name = sensors[run]!;
      const number = numbers === undefined ? this.#options.numbers.of(names[name]!) : numbers[name]!;
      const { monitor, listening } = seats[number] ?? tenants.seatAt(number, tenant, names[name]!);
      if (monitor !== null) {
        book.judge(monitor, judged, from, to);
        for (const found of watch.acceptRun(received, listening, from, to)) findings.push({ tenant, found });
      }
      from = to;
    }
  }

  /** Runs one block through detection. Late readings only get a record: they may not change what holds now. */
  #detect(block: Block, seq: number, n: number): Finding[] {
    const watch = this.#options.tenants.watch(block.tenant);
    const { tenant, clockMs } = block;
    const own = (found: readonly Found[]): Finding[] => found.map((one) => ({ tenant, found: one }));
    switch (block.kind) {
      case 'bulletin':
        return own(
          watch.acceptBulletin({
            key: keyOf(block),
            vendor: block.vendor,
            bulletin: block.bulletin,
            receivedAtMs: clockMs,
            late: (block.flags & FLAG.late) !== 0,
          }),
        );
      case 'readings': {
        if (block.vendor === DOUBTS.vendor) this.#options.doubts.recall(block);
        const late = block.flags.reduce((count, flags) => count + Number((flags & FLAG.late) !== 0), 0);
        const findings = own(this.#acceptReadings(watch, block, block.atMs, block.values, late > 0));
        if (late > 0) findings.push({ tenant, late: lateReadings(block, late, seq, n) });
        return findings;
      }
      case 'waveform': {
        const { samples, startedAtMs, rateHz } = block;
        const atMs = Float64Array.from(samples, (_, i) => startedAtMs + (i * 1_000) / rateHz);
        const isLate = (block.flags & FLAG.late) !== 0;
        const findings = own(this.#acceptReadings(watch, block, atMs, samples, isLate));
        // A backlog would look like shaking now: a network may not take its times from when it arrived.
        if (!isLate) findings.push(...own(watch.acceptWaveform({ ...block, receivedAtMs: clockMs })));
        if (isLate) findings.push({ tenant, late: lateReadings(block, samples.length, seq, n) });
        return findings;
      }
      default:
        return block satisfies never;
    }
  }

  /** Judges readings, places them in time, and shows the watch those that are not too late. */
  #acceptReadings(
    watch: Watch,
    block: Exclude<Block, { kind: 'bulletin' }>,
    observedAtMs: Float64Array,
    readings: Float64Array | Float32Array,
    someAreLate: boolean,
  ): Found[] {
    const { tenant, sensor, clockMs: receivedAtMs, sentAtMs } = block;
    const judged: JudgedReadings | null = this.#options.tenants.book(tenant).take(sensor, {
      atMs: observedAtMs,
      values: readings,
      flags: block.flags,
      sentAtMs,
      receivedAtMs,
      isWaveform: block.kind === 'waveform',
    });
    // A sensor that was registered a moment ago: nothing watches it yet.
    if (judged === null) return [];
    const { placedAtMs, flags } = judged;
    if (!someAreLate) {
      return watch.acceptReadings({
        sensor,
        atMs: placedAtMs,
        values: readings,
        flags,
        observedAtMs,
        receivedAtMs,
      });
    }
    const fresh = [...flags.keys()].filter((i) => (flags[i]! & FLAG.late) === 0);
    return watch.acceptReadings({
      sensor,
      atMs: fresh.map((i) => placedAtMs[i]!),
      values: fresh.map((i) => readings[i]!),
      flags: fresh.map((i) => flags[i]!),
      observedAtMs: fresh.map((i) => observedAtMs[i]!),
      receivedAtMs,
    });
  }
}

/** A revision is evidence of its own; the first content keeps the plain identity. */
const keyOf = (block: Extract<Block, { kind: 'bulletin' }>): string => {
  const identity = `${block.bulletin.source}|${block.bulletin.id}`;
  return block.revision === 1 ? identity : `${identity}@${block.revision}`;
};
