import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRandom } from '../../../domain/random.ts';
import {
  callHeaders,
  callWith,
  grpcMessage,
  openSession,
  PUBLISH,
  PUBLISH_ONCE,
} from '../../support/abuse.ts';
import { openDoor } from '../../support/door.ts';
import { mutated, randomMessage } from '../../support/mutations.ts';

/** 50,000 take some minutes: `TOCSIN_MUTATIONS=50000`. */
const MUTATIONS = Number(process.env['TOCSIN_MUTATIONS'] ?? 2_000);
const AT_ONCE = 16;
/** OK, and the refusals that a vendor can understand: never UNKNOWN, INTERNAL or silence. */
const ANSWERS = new Set(['0', '3', '8', '9', '12']);

describe('messages damaged on their way', () => {
  it(`are each answered or refused after ${MUTATIONS} mutations, of the message and of its frame`, async () => {
    const door = await openDoor();
    const random = createRandom(7);
    const outcomes = new Map<string, number>();
    let next = 1;
    const callOf = (): readonly [string, Buffer] => {
      const message = mutated(
        randomMessage(random, (_, count) => (next += count)),
        random,
      );
      const path = random.unit() < 0.5 ? PUBLISH : PUBLISH_ONCE;
      switch (random.integer(10)) {
        case 0: // A length that is not that of the message.
          return [path, grpcMessage(message, 0, random.integer(2 * message.length + 2))];
        case 1: // Said to be compressed.
          return [path, grpcMessage(message, 1)];
        case 2: // The frame itself damaged.
          return [path, mutated(grpcMessage(message), random)];
        default:
          return [path, grpcMessage(message)];
      }
    };
    let session = openSession(door);
    for (let sent = 0; sent < MUTATIONS; sent += AT_ONCE) {
      // Node cuts connections that reset more than a thousand calls, as clients do with a refused one.
      if (sent % (30 * AT_ONCE) === 0) {
        session.destroy();
        session = openSession(door);
      }
      const calls = Array.from({ length: AT_ONCE }, () => {
        const [path, body] = callOf();
        return callWith(session, callHeaders(path), body).outcome;
      });
      for (const outcome of await Promise.all(calls)) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    session.destroy();
    await door.stop();
    const strange = [...outcomes].filter(([outcome]) => !ANSWERS.has(outcome));
    assert.deepEqual(strange, []);
    assert.ok(outcomes.get('0')! > MUTATIONS / 2, JSON.stringify([...outcomes]));
    assert.deepEqual(door.complaints, []);
  });
});
