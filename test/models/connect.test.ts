import assert from 'node:assert/strict';
import net from 'node:net';
import { after, test } from 'node:test';
import { TocsinError } from '../../domain/errors.ts';
import { openCollection } from '../../models/collection.ts';
import type { Row } from '../../models/collection.ts';
import { connectStore } from '../../models/connect.ts';
import { createStores } from '../../models/stores.ts';
import { fact } from '../contracts/examples.ts';
import { breakWritesOf, startEmbeddedStore } from '../support/store.ts';

const store = await startEmbeddedStore();
after(() => store.stop());

const failsAs =
  (code: string, retryable: boolean) =>
  (error: unknown): boolean =>
    error instanceof TocsinError && error.code === code && error.retryable === retryable;

interface NoteRow extends Row {
  readonly n: number;
}

async function openNotes() {
  return openCollection<NoteRow>(await store.connect(), 'notes', { n: Number });
}

test('a store that is not there fails retryably and in time', async () => {
  const holder = net.createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as net.AddressInfo;
  await new Promise((resolve) => holder.close(resolve));
  const startMs = performance.now();
  await assert.rejects(
    connectStore(`mongodb://127.0.0.1:${port}/`, { serverSelectionTimeoutMs: 300 }),
    failsAs('STORE_UNAVAILABLE', true),
  );
  assert.ok(performance.now() - startMs < 3_000);
});

test('the database is the one named, else the one in the address, else tocsin', async () => {
  const names: string[] = [];
  for (const [uri, options] of [
    [store.uri, {}],
    [store.uri.replace(/\/(\?|$)/, '/city$1'), {}],
    [store.uri.replace(/\/(\?|$)/, '/city$1'), { dbName: 'other' }],
  ] as const) {
    const { connection, close } = await connectStore(uri, options);
    names.push(connection.name);
    await close();
  }
  assert.deepEqual(names, ['tocsin', 'city', 'other']);
});

test('a call whose connection breaks while it is written fails retryably and in time, and can be repeated', async () => {
  const { connection, close } = await connectStore(store.uri, {
    dbName: 'broken',
    serverSelectionTimeoutMs: 500,
    answerTimeoutMs: 500,
  });
  const notes = openCollection<NoteRow>(connection, 'notes', { n: Number });
  await notes.insert({ _id: 'before', n: 0 });
  const line = breakWritesOf('a-note-that-breaks');
  const startMs = performance.now();
  try {
    const call = notes.insertMissing([{ _id: 'a-note-that-breaks', n: 1 }]);
    await assert.rejects(call, failsAs('STORE_UNAVAILABLE', true));
  } finally {
    line.mend();
  }
  assert.ok(performance.now() - startMs < 3_000);
  assert.equal(line.broken(), 1);
  assert.deepEqual(await notes.insertMissing([{ _id: 'a-note-that-breaks', n: 1 }]), []);
  assert.deepEqual(await notes.get('a-note-that-breaks'), { _id: 'a-note-that-breaks', n: 1 });
  await close();
});

test('calls after the connection was closed fail retryably', async () => {
  const { connection, close } = await connectStore(store.uri, { dbName: 'closed' });
  const { facts } = createStores(connection);
  await facts.append([fact('incident/1', 0)]);
  await close();
  await assert.rejects(facts.append([fact('incident/1', 1)]), failsAs('STORE_UNAVAILABLE', true));
  await assert.rejects(facts.of('incident/1'), failsAs('STORE_UNAVAILABLE', true));
});

test('an unknown field is refused in rows and in filters', async () => {
  const notes = await openNotes();
  const wrong = { _id: 'a', n: 1, m: 2 };
  await assert.rejects(notes.insert(wrong), failsAs('STORE_REFUSED', false));
  await assert.rejects(notes.insertMissing([wrong]), failsAs('STORE_REFUSED', false));
  await assert.rejects(notes.replace(wrong), failsAs('STORE_REFUSED', false));
  await assert.rejects(notes.find({ m: 2 } as object), failsAs('STORE_REFUSED', false));
  assert.deepEqual(await notes.find({}), []);
});

test('a wrong type is refused', async () => {
  const notes = await openNotes();
  const wrong = { _id: 'a', n: 'many' } as unknown as NoteRow;
  await assert.rejects(notes.insert(wrong), failsAs('STORE_REFUSED', false));
  await assert.rejects(notes.insertMissing([wrong]), failsAs('STORE_REFUSED', false));
  await assert.rejects(notes.replace(wrong), failsAs('STORE_REFUSED', false));
});

test('inserting a batch names those that were there and inserts the rest', async () => {
  const notes = await openNotes();
  await notes.insert({ _id: 'b', n: 0 });
  const batch = ['a', 'b', 'c'].map((_id) => ({ _id, n: 1 }));
  assert.deepEqual(await notes.insertMissing(batch), ['b']);
  assert.deepEqual(await notes.insertMissing(batch), ['a', 'b', 'c']);
  const kept = (await notes.find({})).map(({ _id, n }) => `${_id}${n}`).sort();
  assert.deepEqual(kept, ['a1', 'b0', 'c1']);
});

test('replacing makes the row or exchanges it whole', async () => {
  const notes = await openNotes();
  await notes.replace({ _id: 'a', n: 1 });
  await notes.replace({ _id: 'a', n: 2 });
  assert.deepEqual(await notes.get('a'), { _id: 'a', n: 2 });
  assert.equal((await notes.find({})).length, 1);
});

test('ids come back in order from a range', async () => {
  const notes = await openNotes();
  for (const _id of ['b/2', 'a/1', 'b/1', 'c/1']) await notes.insert({ _id, n: 1 });
  assert.deepEqual(
    (await notes.range('b/', 'b0')).map(({ _id }) => _id),
    ['b/1', 'b/2'],
  );
});
