/*
 * A gas detector that never loses a reading: each is on disk before anything else happens, and is forgotten only
 * when the server says that it is stored.
 *
 *   TOCSIN_KEY=... node --import tsx examples/vendor-typescript/send.ts [address] [readings]
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
// In a project of your own: from '@tocsin/vendor'.
import { Outbox, VendorClient } from '../../vendor/index.ts';

const [address = '127.0.0.1:50051', readings = '20'] = process.argv.slice(2);
const key = process.env['TOCSIN_KEY'];
if (key === undefined) {
  console.error('Set TOCSIN_KEY to the key that you got from the operator.');
  process.exit(2);
}

const client = new VendorClient({
  address,
  key,
  onReconnect: (reason) => console.error(`connecting again: ${reason}`),
});

// At every start: the server must know a sensor before it takes readings of it.
await client.describe([
  {
    sensor: 'example-riser-1',
    site: process.env['TOCSIN_SITE'] ?? 'riverside-tower',
    channel: 'methane',
    unit: '%LEL',
    low: 0,
    high: 100,
    samplingHz: 5,
    clockQuality: 'CLOCK_QUALITY_NETWORK',
  },
]);

const outbox = await Outbox.open({
  client,
  directory: process.env['TOCSIN_SPOOL'] ?? '.tocsin/example-spool',
  onReceipt: ({ refusals, gaps }) => {
    for (const { reason, explanation } of refusals) console.error(`refused: ${reason}: ${explanation}`);
    for (const { firstSequence, lastSequence } of gaps) {
      console.error(`the server is missing ${firstSequence} to ${lastSequence}`);
    }
  },
  onStopped: (error) => console.error(`stopped: ${error.message}`),
});

// This process is this device's boot: it counts its readings from 1.
const boot = randomUUID();
for (let sequence = 1; sequence <= Number(readings); sequence++) {
  const value = 1 + Math.sin(sequence / 10) / 2;
  await outbox.put([
    { reading: { sensor: 'example-riser-1', boot, sequence, observedAtMs: Date.now(), value } },
  ]);
  await sleep(50);
}

await outbox.drained();
const { accepted, duplicate, quarantined } = outbox.state;
console.log(`${accepted} accepted, ${duplicate} duplicate, ${quarantined} quarantined`);
await outbox.close();
client.close();
