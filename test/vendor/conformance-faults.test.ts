import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runConformance } from '../../vendor/conformance/run.ts';
import { FAULTS } from '../../vendor/mock/ledger.ts';
import type { Fault } from '../../vendor/mock/ledger.ts';
import { startMockServer } from '../../vendor/mock/server.ts';

/** What the checks say of a server with a fault. */
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
  return report.outcomes
    .filter(({ status }) => status === 'failed')
    .map(({ name, came }) => `${name}: ${came}`)
    .join('\n');
}

describe('the conformance checks', () => {
  const found: Readonly<Record<Fault, readonly [check: string, words: RegExp]>> = {
    forgets: ['ack-after-reconnect', /is ACCEPTED (now|on the next): it was acknowledged and forgotten/],
    'no-duplicates': ['duplicate-same-stream', /time 2: expected DUPLICATE, got ACCEPTED/],
    'out-of-order': ['ack-contiguous', /message \d+ was answered after message \d+/],
    skips: ['ack-covers', /item 0 is answered 0 times/],
    'no-gaps': ['gaps', /after 1, 2, 5 expected gaps 3-4, got none/],
    'takes-anything': ['quarantine: NaN', /NaN is ACCEPTED/],
    'falls-over': ['garbage', /then the stream ended with INTERNAL/],
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
