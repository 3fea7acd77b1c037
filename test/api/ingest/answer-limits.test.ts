import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import type { Item } from '../../../proto/gen/tocsin/v1/Item.ts';
import type { PublishResponse__Output } from '../../../proto/gen/tocsin/v1/PublishResponse.ts';
import { openDoor, reading, VENDOR_KEY, withKey } from '../../support/door.ts';
import type { Door } from '../../support/door.ts';

const SENSORS = ['a', 'b', 'c'];
const BOOTS = 60;
/** Every second number came: twelve gaps of each sensor since each boot. */
const GAPS = 12;

/** What one response may bring of gaps, and of explanations. */
describe('an answer', () => {
  let door: Door;
  const everySecond = SENSORS.flatMap((sensor) =>
    Array.from({ length: BOOTS }, (_, boot) => ({ sensor, boot: `boot-${boot}` })),
  );
  before(async () => {
    door = await openDoor();
    for (let from = 0; from < everySecond.length; from += 80) {
      const items = everySecond
        .slice(from, from + 80)
        .flatMap((of) => Array.from({ length: GAPS }, (_, n) => reading(2 * n + 2, of)));
      await door.publishOnce(items);
    }
  });
  after(() => door.stop());

  it("tells each sensor's gaps once for a message, however many of its readings the message brings", async () => {
    const items = Array.from({ length: 900 }, (_, n) => reading(n + 100, { sensor: 'a', boot: 'once' }));
    const { result } = await door.publishOnce(items);
    assert.deepEqual(result?.gaps, [{ sensor: 'a', boot: 'once', firstSequence: '1', lastSequence: '99' }]);
    assert.equal(result.moreGaps, '0');
  });

  it('tells ten gaps of a sensor and says how many more there are', async () => {
    const { result } = await door.publishOnce([reading(2, { sensor: 'b', boot: 'boot-7' })]);
    assert.equal(result?.gaps.length, 10);
    assert.equal(result.moreGaps, String(GAPS - 10));
  });

  it('tells at most a thousand gaps in a message', async () => {
    const { result } = await door.publishOnce(everySecond.map((of) => reading(2, of)));
    assert.equal(result?.gaps.length, 1_000);
    assert.equal(result.moreGaps, String(everySecond.length * GAPS - 1_000));
  });

  it('tells at most a thousand gaps in a response, whatever the number of messages it answers', async () => {
    const call = door.client.Publish(withKey(VENDOR_KEY));
    const responses: PublishResponse__Output[] = [];
    call.on('data', (response: PublishResponse__Output) => responses.push(response));
    const messages = 6;
    for (let sequence = 1; sequence <= messages; sequence++) {
      call.write({
        sequence,
        sentAtMs: Date.now(),
        items: everySecond.slice(0, 90).map((of) => reading(2, of)),
      });
    }
    call.end();
    await once(call, 'end');
    assert.equal(
      responses.flatMap(({ results }) => results).length,
      messages,
      'every message has its result',
    );
    for (const { results } of responses) {
      assert.ok(results.reduce((sum, { gaps }) => sum + gaps.length, 0) <= 1_000);
      for (const { gaps, moreGaps } of results) assert.equal(gaps.length + Number(moreGaps), 90 * GAPS);
    }
  });

  it('about readings that are bad in turns is short, and each kind of them is kept once', async () => {
    const count = 2_000;
    const columns: Item = {
      columns: {
        sensor: 'c',
        boot: 'turns',
        firstSequence: 1,
        firstObservedAtMs: Date.now() - 20_000,
        intervalMs: 1,
        values: Array.from({ length: count }, (_, n) => [1, 200, 2, NaN][n % 4]!),
      },
    };
    const kept: { reason: string; explanation: string }[] = [];
    const append = door.ingest.quarantine.append.bind(door.ingest.quarantine);
    door.ingest.quarantine.append = (id, items) => {
      kept.push(...items);
      return append(id, items);
    };
    const { result } = await door.publishOnce([columns]);
    assert.equal(result?.items.length, count);
    const explained = result.items.filter(({ explanation }) => explanation !== '');
    assert.equal(explained.length, 50);
    assert.match(explained[0]!.explanation, /^200 %LEL is outside 0 to 100\.$/);
    assert.equal(result.items.at(-1)!.reason, 'QUARANTINE_REASON_NOT_FINITE');
    assert.deepEqual(
      kept.map(({ reason, explanation }) => [reason, explanation]),
      [
        ['RANGE', '200 %LEL is outside 0 to 100. And 499 more of this item for the same reason.'],
        ['NOT_FINITE', 'NaN is not a number of %LEL. And 499 more of this item for the same reason.'],
      ],
    );
  });
});
