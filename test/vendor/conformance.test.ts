import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runConformance } from '../../vendor/conformance/run.ts';
import type { ConformanceReport } from '../../vendor/conformance/run.ts';
import { FAULTS } from '../../vendor/mock/ledger.ts';
import type { Fault } from '../../vendor/mock/ledger.ts';
import { startMockServer } from '../../vendor/mock/server.ts';
import { openDoor, OTHER_VENDOR_KEY, VENDOR_KEY } from '../support/door.ts';

const failures = ({ outcomes }: ConformanceReport): string[] =>
  outcomes.filter(({ status }) => status === 'failed').map(({ name, came }) => `${name}: ${came}`);

async function against(fault: Fault, only: string): Promise<string> {
  const server = await startMockServer({ faults: [fault], keys: ['one', 'two'] });
  const report = await runConformance({
    address: server.address,
    key: 'one',
    otherKey: 'two',
    site: 'tower',
    only,
  });
  await server.stop();
  return failures(report).join('\n');
}

describe('the conformance checks', () => {
  it('pass against the server of this project', async () => {
    const door = await openDoor();
    const report = await runConformance({
      address: door.address,
      key: VENDOR_KEY,
      otherKey: OTHER_VENDOR_KEY,
      site: 'tower',
    });
    await door.stop();
    assert.deepEqual(failures(report), []);
    assert.deepEqual(
      report.outcomes.filter(({ status }) => status === 'skipped').map(({ name }) => name),
      ['ack-survives-restart'],
    );
  });

  it('pass against the mock server while it is honest', async () => {
    const server = await startMockServer({ keys: ['one', 'two'] });
    const report = await runConformance({
      address: server.address,
      key: 'one',
      otherKey: 'two',
      site: 'tower',
      restart: async () => undefined,
    });
    await server.stop();
    assert.deepEqual(failures(report), []);
    assert.equal(report.skipped, 0);
  });

  const found: Readonly<Record<Fault, readonly [check: string, words: RegExp]>> = {
    forgets: ['ack-after-reconnect', /is ACCEPTED (now|on the next): it was acknowledged and forgotten/],
    'no-duplicates': ['duplicate-same-stream', /time 2: expected DUPLICATE, got ACCEPTED/],
    'out-of-order': ['ack-contiguous', /message \d+ was answered after message \d+/],
    skips: ['ack-covers', /item 0 is answered 0 times/],
    'no-gaps': ['gaps', /after 1, 2, 5 expected gaps 3-4, got none/],
    'takes-anything': ['quarantine: NaN', /NaN is ACCEPTED/],
    'falls-over': ['garbage', /then the stream ended with INTERNAL/],
    'never-pauses': ['back-pressure', /it took 6000 messages while none of its answers was taken/],
    'open-door': ['unauthenticated', /with no key was let in/],
    shares: ['apart', /the same of the second vendor: expected ACCEPTED, got DUPLICATE/],
    'half-describes': ['describe-all', /expected QUARANTINED\(UNKNOWN_SENSOR\), got ACCEPTED/],
  };
  for (const fault of Object.keys(FAULTS) as Fault[]) {
    const [check, words] = found[fault];
    it(`find a server that ${FAULTS[fault]}`, async () => {
      assert.match(await against(fault, check), words);
    });
  }
});
