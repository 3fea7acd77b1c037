import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fillHualien, gasLeak } from './hualien.ts';
import type { TestApi } from './world.ts';
import { keyOf, startTestApi } from './world.ts';

interface Event {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

let api: TestApi;
let ids: Awaited<ReturnType<typeof fillHualien>>;

beforeEach(async () => {
  api = await startTestApi();
  ids = await fillHualien(api.stores, 1_000);
});
afterEach(() => api.stop());

/** Reads events until `enough`, or until the stream ends, or for at most 5 s. */
async function listen(
  headers: Record<string, string>,
  enough: (events: readonly Event[]) => boolean | Promise<boolean>,
): Promise<{ events: Event[]; ended: boolean }> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), 5_000);
  const events: Event[] = [];
  try {
    const response = await fetch(`${api.url}/v1/changes`, { headers, signal: abort.signal });
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    assert.equal(response.headers.get('content-encoding'), null);
    const decoder = new TextDecoder();
    let pending = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      pending += decoder.decode(chunk, { stream: true });
      const blocks = pending.split('\n\n');
      pending = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string): string => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1] ?? '';
        if (field('data') === '') continue;
        events.push({
          id: field('id'),
          event: field('event'),
          data: JSON.parse(field('data')) as Event['data'],
        });
      }
      if (await enough(events)) return { events, ended: false };
    }
    return { events, ended: true };
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

const isHeartbeat = (event: Event): boolean => event.event === 'heartbeat' && event.data['asOfMs'] !== null;
const moved = (phase: 'resolved' | 'closed', writtenAtMs: number) => {
  const view = gasLeak(writtenAtMs);
  return { ...view, phase, updatedAtMs: view.updatedAtMs + 1, situation: { ...view.situation, phase } };
};

describe('the stream of changes', () => {
  it('says hello, then how old the data is, and sends no change where there is none', async () => {
    const { events } = await listen({}, (seen) => seen.filter(isHeartbeat).length >= 2);
    assert.equal(events[0]?.event, 'hello');
    assert.equal(events[0]?.data['resumed'], false);
    assert.deepEqual(
      events.filter((event) => event.event === 'incident'),
      [],
    );
  });

  it('sends the new line of an incident that changed, also when it closed', async () => {
    let written = false;
    const { events } = await listen({}, async (seen) => {
      if (!written && seen.some(isHeartbeat)) {
        written = true;
        await api.stores.incidents.put(moved('closed', 2_000));
      }
      return seen.some((event) => event.event === 'incident');
    });
    const change = events.find((event) => event.event === 'incident');
    assert.equal(change?.data['incidentId'], ids.gasLeak);
    assert.equal(change?.data['phase'], 'closed');
  });

  it('resumes after the last event that was received', async () => {
    const first = await listen({}, (seen) => seen.some(isHeartbeat));
    const lastId = first.events.at(-1)?.id ?? '';
    let written = false;
    const witness = await listen({}, async (seen) => {
      if (!written && seen.some(isHeartbeat)) {
        written = true;
        await api.stores.incidents.put(moved('resolved', 3_000));
      }
      return seen.some((event) => event.event === 'incident');
    });
    const again = await listen({ 'last-event-id': lastId }, (seen) =>
      seen.some((event) => event.event === 'incident'),
    );
    assert.equal(again.events[0]?.data['resumed'], true);
    assert.equal(again.events[1]?.id, witness.events.find((event) => event.event === 'incident')?.id);
  });

  it('says that it cannot resume after an event of another run', async () => {
    const { events } = await listen({ 'last-event-id': 'abcdef-7' }, (seen) => seen.length > 0);
    assert.equal(events[0]?.data['resumed'], false);
  });

  it('shows nothing of another tenant', async () => {
    let written = false;
    const { events } = await listen({ authorization: `Bearer ${keyOf('stranger')}` }, async (seen) => {
      if (!written && seen.some(isHeartbeat)) {
        written = true;
        await api.stores.incidents.put(moved('closed', 2_000));
      }
      return seen.filter(isHeartbeat).length >= 4;
    });
    assert.deepEqual(
      events.filter((event) => event.event === 'incident'),
      [],
    );
  });

  it('ends when the key behind it is revoked', async () => {
    let revoked = false;
    const { ended } = await listen({ authorization: `Bearer ${keyOf('viewer')}` }, async (seen) => {
      if (!revoked && seen.some(isHeartbeat)) {
        revoked = true;
        await api.stores.principals.put({
          id: 'viewer',
          tenant: 'demo',
          roles: ['viewer'],
          keySha256: createHash('sha256').update(keyOf('viewer')).digest('hex'),
          revokedAtMs: 1,
        });
      }
      return false;
    });
    assert.equal(ended, true);
  });

  it('lets the data age visibly while the store cannot be read', async () => {
    const list = api.stores.incidents.list;
    let broken = false;
    const { events } = await listen({}, (seen) => {
      if (!broken && seen.some(isHeartbeat)) {
        broken = true;
        api.stores.incidents.list = async () => {
          throw new Error('store away');
        };
      }
      return seen.filter(isHeartbeat).length >= 6;
    });
    api.stores.incidents.list = list;
    const ages = events
      .filter(isHeartbeat)
      .map((event) => Number(event.data['nowMs']) - Number(event.data['asOfMs']));
    assert.ok((ages.at(-1) ?? 0) > 250, ages.join(' '));
  });
});
