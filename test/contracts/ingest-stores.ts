import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TocsinError } from '../../domain/errors.ts';
import type { ArchivedFrame, AsideRecord, Delivery, IngestStores } from '../../domain/ports-ingest.ts';
import { quakePlan, T0 } from '../support/plans.ts';
import { AWKWARD } from './examples.ts';

const frame = (seq: number, writer = 'w1', length = 100): ArchivedFrame => ({
  seq,
  writer,
  receivedAtMs: T0,
  bytes: Uint8Array.from({ length }, (_, n) => (seq + n) % 256),
});
const plain = (stored: ArchivedFrame | null): unknown =>
  stored === null ? null : { ...stored, bytes: Uint8Array.from(stored.bytes) };

const delivery = (seq: number, n: number): Delivery => ({
  id: `evidence|incident/city/earthquake/hualien/w|net|${seq}-${n}`,
  seq,
  n,
  kind: 'evidence',
  incidentId: 'incident/city/earthquake/hualien/w',
  evidence: {
    kind: 'bulletin',
    key: `net|${seq}-${n}`,
    atMs: T0,
    receivedAtMs: T0,
    vendor: 'net',
    bulletin: {
      source: 'net',
      id: '1',
      type: 'x',
      observedAtMs: T0,
      position: null,
      fields: { place: 'a\u0000b' },
    },
    effects: [],
  },
});

const aside = (id: string, kind: AsideRecord['kind'], atMs: number): AsideRecord => ({
  id,
  kind,
  tenant: 'city',
  about: 'somewhere',
  reason: 'too-late',
  atMs,
  evidence: AWKWARD as unknown as AsideRecord['evidence'],
});

/** What ingestion may rely on, whatever stands behind the ports. */
export function holdToIngestStoreContract(backend: string, open: () => Promise<IngestStores>): void {
  const check = (name: string, body: (stores: IngestStores) => Promise<void>): void => {
    test(`${backend}: ${name}`, async () => body(await open()));
  };

  check('frames are read back by number, byte for byte', async ({ frames }) => {
    const batch = [frame(1), frame(2, 'w1', 0), frame(3, 'w1', 60_000)];
    await frames.append(batch);
    for (const one of batch) assert.deepEqual(plain(await frames.read(one.seq)), one);
    assert.equal(await frames.read(4), null);
  });

  check('a large frame is read back byte for byte', async ({ frames }) => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, n) => (n * n) % 251);
    await frames.append([{ seq: 1, writer: 'w1', receivedAtMs: T0, bytes }]);
    assert.deepEqual(new Uint8Array((await frames.read(1))!.bytes), bytes);
  });

  check('a frame may be appended again by its writer', async ({ frames }) => {
    await frames.append([frame(1), frame(2)]);
    await frames.append([frame(2), frame(3)]);
    assert.deepEqual(plain(await frames.read(3)), frame(3));
  });

  check('a number that another writer took is a conflict, and keeps what it has', async ({ frames }) => {
    await frames.append([frame(1)]);
    await assert.rejects(
      frames.append([frame(1, 'w2', 5)]),
      (error) => error instanceof TocsinError && error.code === 'ARCHIVE_CONFLICT' && !error.retryable,
    );
    assert.deepEqual(plain(await frames.read(1)), frame(1));
  });

  check('many frames at once cross the partitions', async ({ frames }) => {
    const batch = Array.from({ length: 70 }, (_, n) => frame(8_150 + n, 'w1', 10));
    await frames.append(batch);
    for (const one of [batch[0]!, batch[41]!, batch[42]!, batch[69]!]) {
      assert.deepEqual(plain(await frames.read(one.seq)), one);
    }
  });

  check('quarantined items are kept as they came', async ({ quarantine }) => {
    const item = {
      tenant: 'city',
      vendor: 'v',
      receivedAtMs: T0,
      sentAtMs: 0,
      reason: 'MALFORMED',
      explanation: 'no',
      item: '{"$set":"\\u0000"}',
    };
    await quarantine.append('w1/1', [item, item]);
    await quarantine.append('w1/1', [item]);
    assert.deepEqual(await quarantine.read('w1/1'), [item, item]);
    assert.deepEqual(await quarantine.read('w1/2'), []);
  });

  check('the inbox gives what waits in the order of the archive, each once', async ({ inbox }) => {
    await inbox.put([delivery(10, 0), delivery(9, 1), delivery(9, 0)]);
    await inbox.put([delivery(9, 1), delivery(11, 0)]);
    assert.deepEqual(await inbox.pending(), [
      delivery(9, 0),
      delivery(9, 1),
      delivery(10, 0),
      delivery(11, 0),
    ]);
    await inbox.remove(delivery(9, 1).id);
    await inbox.remove(delivery(9, 1).id);
    await inbox.remove('never there');
    assert.deepEqual(
      (await inbox.pending()).map(({ seq, n }) => [seq, n]),
      [
        [9, 0],
        [10, 0],
        [11, 0],
      ],
    );
    await inbox.put([delivery(9, 1)]);
    assert.equal((await inbox.pending()).length, 4);
  });

  check('a detection with its plan waits in the inbox unharmed', async ({ inbox }) => {
    const detection: Delivery = {
      id: 'detection|incident/x',
      seq: 1,
      n: 0,
      kind: 'detection',
      plan: { document: quakePlan, hash: 'h' },
      detection: {
        tenant: 'city',
        planId: quakePlan.id,
        hazard: 'earthquake',
        place: {
          id: 'hualien',
          name: { en: 'Hualien', zh: '花莲' },
          kind: 'place-of-care',
          district: 'd',
          population: 1,
          latitudeDeg: 1,
          longitudeDeg: 2,
        },
        cell: 'hualien',
        window: 'w',
        atMs: T0,
        receivedAtMs: T0,
        evidence: [],
      },
    };
    await inbox.put([detection]);
    assert.deepEqual(await inbox.pending(), [detection]);
  });

  check('what was set aside is listed by kind, oldest first, once', async ({ asides }) => {
    await asides.put([aside('b', 'late', 2), aside('a', 'late', 3), aside('c', 'suppressed', 1)]);
    await asides.put([aside('b', 'late', 2), aside('d', 'late', 1)]);
    assert.deepEqual(await asides.list('late'), [
      aside('d', 'late', 1),
      aside('b', 'late', 2),
      aside('a', 'late', 3),
    ]);
    assert.deepEqual(await asides.list('suppressed'), [aside('c', 'suppressed', 1)]);
  });

  check('a checkpoint is what was saved last', async ({ checkpoints }) => {
    assert.equal(await checkpoints.load('relay'), null);
    await checkpoints.save('relay', { throughFrame: 1 });
    await checkpoints.save('relay', { throughFrame: 2, state: AWKWARD });
    await checkpoints.save('other', {});
    assert.deepEqual(await checkpoints.load('relay'), { throughFrame: 2, state: AWKWARD });
  });
}
