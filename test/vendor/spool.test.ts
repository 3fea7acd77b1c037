import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { lockDirectory, openDirectory } from '../../vendor/disk.ts';
import { Spool, SpoolFull } from '../../vendor/spool.ts';
import { CrashingDisk } from './crashing-disk.ts';

const text = (n: number, size = 20): Buffer => Buffer.from(`${n}|`.padEnd(size, '.'));
const numberIn = (bytes: Buffer): number => Number(bytes.toString().split('|')[0]);

async function all(spool: Spool, after = spool.acknowledged): Promise<number[]> {
  const found: number[] = [];
  for (let from = after; ;) {
    const records = await spool.read(from, 100);
    if (records.length === 0) return found;
    found.push(...records.map(({ bytes }) => numberIn(bytes)));
    from = records.at(-1)!.number;
  }
}

function directory(t: TestContext): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'tocsin-spool-'));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('the spool', () => {
  it('keeps records in order over many segments and restarts, and forgets what is acknowledged', async (t) => {
    const at = directory(t);
    let spool = await Spool.open(openDirectory(at), { segmentBytes: 200 });
    await Promise.all(Array.from({ length: 50 }, (_, n) => spool.append(text(n + 1))));
    assert.deepEqual(
      await all(spool),
      Array.from({ length: 50 }, (_, n) => n + 1),
    );
    spool.acknowledge(30);
    await spool.close();
    spool = await Spool.open(openDirectory(at), { segmentBytes: 200 });
    assert.equal(spool.acknowledged, 30);
    assert.deepEqual(
      await all(spool),
      Array.from({ length: 20 }, (_, n) => n + 31),
    );
    assert.equal(await spool.append(text(51)), 51);
    spool.acknowledge(51);
    await spool.close();
    assert.ok(fs.readdirSync(at).filter((name) => name.endsWith('.spool')).length <= 2);
    spool = await Spool.open(openDirectory(at), { segmentBytes: 200 });
    assert.deepEqual(await all(spool), []);
    assert.equal(await spool.append(text(52)), 52);
    await spool.close();
  });

  it('cuts a torn tail, whatever is in it', async (t) => {
    for (const tail of [
      Buffer.from([1, 2, 3]),
      Buffer.alloc(40),
      Buffer.from('ffffffffffffffff', 'hex'),
      text(9, 300),
    ]) {
      const at = directory(t);
      const spool = await Spool.open(openDirectory(at));
      await spool.append(text(1));
      await spool.close();
      const [segment] = fs.readdirSync(at).filter((name) => name.endsWith('.spool'));
      fs.appendFileSync(path.join(at, segment!), tail);
      const again = await Spool.open(openDirectory(at));
      assert.equal(again.cutBytes, tail.length);
      assert.deepEqual(await all(again), [1]);
      assert.equal(await again.append(text(2)), 2);
      assert.deepEqual(await all(again), [1, 2]);
      await again.close();
    }
  });

  it('says which record is damaged rather than pass over it', async (t) => {
    const at = directory(t);
    const spool = await Spool.open(openDirectory(at), { segmentBytes: 60 });
    for (let n = 1; n <= 6; n++) await spool.append(text(n));
    await spool.close();
    const [first] = fs.readdirSync(at).sort();
    const bytes = fs.readFileSync(path.join(at, first!));
    bytes[12]! ^= 1;
    fs.writeFileSync(path.join(at, first!), bytes);
    await assert.rejects(
      Spool.open(openDirectory(at), { segmentBytes: 60 }),
      /Record 1 in 0+1\.spool is damaged/,
    );
  });

  it('refuses when it is full, and takes again when something was acknowledged', async (t) => {
    const spool = await Spool.open(openDirectory(directory(t)), { bytesAtMost: 400, segmentBytes: 200 });
    let taken = 0;
    await assert.rejects(async () => {
      for (; ; taken++) await spool.append(text(taken + 1));
    }, SpoolFull);
    assert.ok(taken >= 7 && spool.size <= 400, `${taken} records in ${spool.size} bytes`);
    assert.equal((await all(spool)).length, taken);
    spool.acknowledge(taken - 1);
    assert.equal(await spool.append(text(taken + 1)), taken + 1);
    await spool.close();
  });

  it('drops the oldest when it was told to, and says which', async (t) => {
    const dropped: number[][] = [];
    const spool = await Spool.open(openDirectory(directory(t)), {
      bytesAtMost: 400,
      segmentBytes: 200,
      whenFull: 'drop-oldest',
      onDropped: (first, last) => dropped.push([first, last]),
    });
    for (let n = 1; n <= 40; n++) await spool.append(text(n));
    const left = await all(spool);
    assert.equal(left.at(-1), 40);
    assert.equal(dropped[0]![0], 1);
    assert.equal(dropped.at(-1)![1]! + 1, left[0]);
    await spool.close();
  });

  it('goes on after a disk that was full for a while', async () => {
    const disk = new CrashingDisk();
    const open = disk.open.bind(disk);
    let isFull = false;
    disk.open = async (name) => {
      const file = await open(name);
      return {
        ...file,
        append: async (bytes) => {
          if (!isFull) return file.append(bytes);
          await file.append(bytes.subarray(0, 5));
          throw new Error('ENOSPC');
        },
      };
    };
    const spool = await Spool.open(disk);
    await spool.append(text(1));
    isFull = true;
    await assert.rejects(spool.append(text(2)), /ENOSPC/);
    await assert.rejects(spool.append(text(2)), /ENOSPC/);
    isFull = false;
    assert.equal(await spool.append(text(2)), 2);
    assert.deepEqual(await all(spool), [1, 2]);
  });

  it('belongs to one process at a time, and a dead one has no claim', (t) => {
    const at = directory(t);
    const unlock = lockDirectory(at);
    assert.throws(() => lockDirectory(at), /has the spool/);
    unlock();
    fs.writeFileSync(path.join(at, 'lock'), '999999999');
    lockDirectory(at)();
    assert.ok(!fs.existsSync(path.join(at, 'lock')));
  });

  it('loses nothing it answered for, and drops nothing unacknowledged, wherever the power goes', async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ do: fc.constant('append' as const), size: fc.integer({ min: 4, max: 90 }) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('burst' as const), count: fc.integer({ min: 2, max: 6 }) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant('acknowledge' as const),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('read' as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ steps: fc.array(step, { maxLength: 25 }), power: fc.integer({ min: 1, max: 120 }) }),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        fc.integer(),
        async (lives, seed) => {
          const random = seeded(seed);
          let disk = new CrashingDisk();
          const promised = new Set<number>();
          let acknowledged = 0;
          let next = 1;
          for (const { steps, power } of lives) {
            const spool = await Spool.open(disk, { segmentBytes: 120, bytesAtMost: 1e9 });
            // Everything promised and not acknowledged is there, in order, and each record is what was given.
            const found: number[] = [];
            for (let from = spool.acknowledged; ;) {
              const records = await spool.read(from, 150);
              if (records.length === 0) break;
              for (const { number, bytes } of records) {
                assert.equal(numberIn(bytes), number);
                found.push(number);
              }
              from = records.at(-1)!.number;
            }
            assert.ok(spool.acknowledged <= acknowledged, 'acknowledged what nobody acknowledged');
            for (const number of promised) {
              assert.ok(number <= spool.acknowledged || found.includes(number), `record ${number} is lost`);
            }
            assert.deepEqual(
              found,
              [...found].sort((a, b) => a - b),
            );
            next = spool.last + 1;
            disk.operationsLeft = power;
            const append = async (size: number): Promise<void> => {
              const number = next++;
              promised.add(await spool.append(text(number, size)));
            };
            try {
              for (const one of steps) {
                if (one.do === 'append') await append(one.size);
                if (one.do === 'burst')
                  await Promise.all(Array.from({ length: one.count }, () => append(30)));
                if (one.do === 'read') await spool.read(spool.acknowledged, 200);
                if (one.do === 'acknowledge') {
                  const { last } = spool;
                  const through = Math.max(
                    acknowledged,
                    spool.acknowledged + Math.floor(one.share * (last - spool.acknowledged)),
                  );
                  if (through <= last) {
                    acknowledged = Math.max(acknowledged, through);
                    spool.acknowledge(through);
                  }
                }
              }
            } catch (error) {
              assert.match(String(error), /the power is gone|closed/);
            }
            disk.operationsLeft = 0;
            await new Promise((resolve) => setImmediate(resolve));
            disk = disk.afterPowerCut(random);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
