import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createFairness } from '../../../api/ingest/fair.ts';
import type { Fairness, Share } from '../../../api/ingest/fair.ts';
import { LoadSum } from '../../../api/ingest/load.ts';
import type { Load } from '../../../api/ingest/load.ts';

const KIB = 1_024;
const HARD = 8 * 1_024 * KIB;
const FIRST = 2 * 1024 * KIB;
const LEAST = 256 * KIB;
const UNLIMITED = { readingsPerSecondAtMost: 1e12, bytesPerSecondAtMost: 1e12 };

interface Waiting {
  readonly share: Share;
  readonly load: Load;
  readonly since: number;
  readonly vendor: string;
}

/** A large message: hardly anything but what the archive is given. */
const large = (bytes: number): Load => ({ memoryBytes: bytes, archiveBytes: bytes });
/** A message of one reading, as the door keeps it. */
const SINGLE: Load = { memoryBytes: 1_300, archiveBytes: 200 };

/** A door whose archive takes `bytesPerMs`, in groups, first come first served; time is what the test says. */
class World {
  nowMs = 0;
  readonly fairness: Fairness;
  readonly bytesPerMs: number;
  /** A group takes so long, however small it is. */
  readonly leastMs: number;
  readonly #queue: Waiting[] = [];
  #first = 0;
  #writing: Waiting[] = [];
  readonly #waiting = new LoadSum();
  #most = 0;
  readonly granted = new Map<string, number>();
  readonly refused = new Map<string, number>();
  readonly waits = new Map<string, number[]>();

  constructor(bytesPerMs: number, limits = UNLIMITED, leastMs = 1) {
    this.bytesPerMs = bytesPerMs;
    this.leastMs = leastMs;
    this.fairness = createFairness({
      pendingBytesAtMost: HARD,
      retryAfterMs: 100,
      ...limits,
      nowMs: () => this.nowMs,
    });
  }

  get most(): number {
    return this.#most;
  }

  /** Tries to bring in a message; returns the time after which to try again, or 0. */
  send(vendor: string, bytes: number, readings = 1, load = large(bytes)): number {
    const share = this.fairness.of({ tenant: 't', vendor });
    const refusal = share.admit(bytes);
    if (refusal !== null) {
      this.refused.set(vendor, (this.refused.get(vendor) ?? 0) + 1);
      return refusal.retryAfterMs;
    }
    share.taken(load, readings);
    this.granted.set(vendor, (this.granted.get(vendor) ?? 0) + bytes);
    this.#queue.push({ share, load, since: this.nowMs, vendor });
    this.#waiting.add(load);
    this.#most = Math.max(this.#most, this.#waiting.memoryBytes);
    return 0;
  }

  /** Lets the group that is being written become durable, and begins with the next. */
  commit(): void {
    const group = new LoadSum();
    for (const { load } of this.#writing) group.add(load);
    this.nowMs += Math.max(this.leastMs, group.archiveBytes / this.bytesPerMs);
    this.#waiting.remove(group);
    this.fairness.committed(group, this.#waiting);
    for (const { share, load, since, vendor } of this.#writing) {
      share.archived(load);
      const waits = this.waits.get(vendor) ?? [];
      waits.push(this.nowMs - since);
      this.waits.set(vendor, waits);
    }
    const first = this.#first;
    for (let size = 0; this.#first < this.#queue.length && size < this.bytesPerMs * 20; this.#first++) {
      size += this.#queue[this.#first]!.load.archiveBytes;
    }
    this.#writing = this.#queue.slice(first, this.#first);
  }
}

const MESSAGE = fc.integer({ min: 2 * KIB, max: 64 * KIB });
const RATE = fc.integer({ min: 500, max: 50_000 });

describe('the room in front of the archive', () => {
  it('is never exceeded by more than one message and one small portion a vendor', () => {
    fc.assert(
      fc.property(RATE, MESSAGE, fc.integer({ min: 1, max: 12 }), (bytesPerMs, bytes, vendors) => {
        const world = new World(bytesPerMs);
        for (let turn = 0; turn < 200; turn++) {
          for (let n = 0; n < vendors; n++) while (world.send(`v${n}`, bytes) === 0);
          assert.ok(world.most <= HARD + bytes, `${world.most}`);
          world.commit();
        }
        const after = new World(bytesPerMs);
        for (let turn = 0; turn < 200; turn++) {
          // Warmed up, the room follows the rate.
          const room = after.fairness.room();
          let total = 0;
          for (let n = 0; n < vendors; n++) while (after.send(`v${n}`, bytes) === 0) total += bytes;
          assert.ok(total <= room + vendors * (bytes + 16 * KIB), `${total} of ${room}`);
          after.commit();
        }
      }),
      { numRuns: 40 },
    );
  });

  it('is as much as the archive takes in 400 ms, from 256 KiB to what is allowed', () => {
    fc.assert(
      fc.property(RATE, (bytesPerMs) => {
        const world = new World(bytesPerMs);
        assert.equal(world.fairness.room(), FIRST);
        for (let turn = 0; turn < 300; turn++) {
          while (world.send('flood', 8 * KIB) === 0);
          world.commit();
        }
        const expected = Math.min((7 / 8) * HARD, Math.max(LEAST, bytesPerMs * 400));
        const archiveBytes = world.fairness.room();
        assert.ok(Math.abs(archiveBytes / expected - 1) < 0.05, `${archiveBytes}`);
      }),
      { numRuns: 30 },
    );
  });

  it('stays what it was while vendors send less than the archive takes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 5, max: 40 }), (messages, leastMs) => {
        const world = new World(5_000, UNLIMITED, leastMs);
        for (let turn = 0; turn < 1_000; turn++) {
          for (let n = 0; n < messages; n++) assert.equal(world.send('quiet', 60, 1, SINGLE), 0);
          world.commit();
        }
        assert.equal(world.fairness.room(), FIRST);
      }),
      { numRuns: 20 },
    );
  });

  it('holds the windows of two streams of single readings, and is not half full then', () => {
    const world = new World(5_000);
    for (let n = 0; n < 2_000; n++) assert.equal(world.send('small', 60, 1, SINGLE), 0);
    assert.equal(world.fairness.isHalfFull(), false);
  });

  it('is full of small messages when their memory is what may be taken', () => {
    const world = new World(5_000);
    let taken = 0;
    while (world.send('small', 60, 1, SINGLE) === 0) taken += 1;
    assert.ok(taken * SINGLE.memoryBytes <= (7 / 8) * HARD);
    assert.ok(taken * SINGLE.memoryBytes >= (8 / 9) * (7 / 8) * HARD);
    assert.ok(world.fairness.isHalfFull());
    assert.equal(world.send('other', 60, 1, SINGLE), 0);
  });

  it('belongs to one vendor nearly whole while it is alone, and keeps the archive busy', () => {
    const world = new World(1_000);
    for (let turn = 0; turn < 300; turn++) {
      while (world.send('alone', 4 * KIB) === 0);
      world.commit();
    }
    assert.ok(world.granted.get('alone')! / world.nowMs > 0.98 * world.bytesPerMs);
    const other = new World(1_000);
    while (other.send('alone', 4 * KIB) === 0);
    assert.ok(other.most >= (8 / 9) * FIRST);
  });

  it('is divided evenly among vendors that all send without measure', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 16 }), (vendors, kib) => {
        const world = new World(2_000);
        const names = Array.from({ length: vendors }, (_, n) => `v${n}`);
        for (let turn = 0; turn < 400; turn++) {
          names.push(names.shift()!);
          let goesOn = true;
          while (goesOn)
            goesOn = names.map((name) => world.send(name, kib * KIB)).some((after) => after === 0);
          world.commit();
        }
        const parts = names.map((name) => world.granted.get(name)!);
        assert.ok(Math.max(...parts) / Math.min(...parts) < 1.25, JSON.stringify(parts));
      }),
      { numRuns: 20 },
    );
  });

  it('always takes in a vendor that sends little, soon, however many others flood it', () => {
    fc.assert(
      fc.property(RATE, MESSAGE, fc.integer({ min: 1, max: 6 }), (bytesPerMs, bytes, floods) => {
        const world = new World(bytesPerMs);
        let due = 0;
        for (let turn = 0; turn < 400; turn++) {
          for (let n = 0; n < floods; n++) while (world.send(`flood${n}`, bytes) === 0);
          if (world.nowMs >= due) {
            assert.equal(world.send('honest', 300), 0);
            due = world.nowMs + 100;
          }
          world.commit();
        }
        // Once the rate is known, an honest message waits for the room and for what vendors exceeded it by.
        const boundMs = Math.max(400, LEAST / bytesPerMs) + (floods * (bytes + 16 * KIB)) / bytesPerMs + 65;
        const waits = world.waits.get('honest')!.slice(-3);
        for (const wait of waits) assert.ok(wait <= boundMs * 1.05, `${wait} > ${boundMs}`);
      }),
      { numRuns: 40 },
    );
  });

  it('asks a refused vendor to wait longer while the archive stands still', () => {
    const world = new World(1_000);
    while (world.send('flood', 64 * KIB) === 0);
    world.nowMs += 3_000;
    assert.equal(world.fairness.stillMs(), 3_000);
    assert.equal(world.send('flood', 64 * KIB), 3_000);
    world.nowMs += 60_000;
    assert.equal(world.send('flood', 64 * KIB), 5_000);
  });
});

describe('the quota of a vendor', () => {
  it('grants no more than the rate and one second of it, and that whatever the pattern', () => {
    const steps = fc.array(
      fc.record({ pauseMs: fc.integer({ min: 0, max: 500 }), readings: fc.integer({ min: 1, max: 400 }) }),
      { minLength: 1, maxLength: 300 },
    );
    fc.assert(
      fc.property(steps, (sent) => {
        const world = new World(1e6, { readingsPerSecondAtMost: 1_000, bytesPerSecondAtMost: 1e12 });
        let granted = 0;
        let last = 0;
        for (const { pauseMs, readings } of sent) {
          world.nowMs += pauseMs;
          const after = world.send('v', 100, readings);
          if (after === 0) granted += last = readings;
          else assert.ok(after <= 400 && after > 0);
          assert.ok(granted - last <= 1_000 + world.nowMs, `${granted} in ${world.nowMs} ms`);
        }
      }),
    );
  });

  it('lets in who waits as long as it was asked to, and touches nobody else', () => {
    const world = new World(1e6, { readingsPerSecondAtMost: 1e9, bytesPerSecondAtMost: 10_000 });
    assert.equal(world.send('v', 10_000), 0);
    assert.equal(world.send('v', 5_000), 0);
    const after = world.send('v', 5_000);
    assert.equal(after, 500);
    assert.equal(world.send('other', 5_000), 0);
    world.nowMs += after;
    assert.equal(world.send('v', 5_000), 0);
  });
});
