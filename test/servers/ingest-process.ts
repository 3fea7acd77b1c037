import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAuth } from '../../api/auth.ts';
import { createIngestServer } from '../../api/ingest/server.ts';
import type { IngestServerOptions } from '../../api/ingest/server.ts';
import { TocsinError } from '../../domain/errors.ts';
import { incidentIdOf } from '../../domain/evidence.ts';
import type { Evidence } from '../../domain/evidence.ts';
import { exitWithParent, reportReady } from '../../embedded/role.ts';
import { connectStore } from '../../models/connect.ts';
import { createIngestStores } from '../../models/inbox.ts';
import { createStores } from '../../models/stores.ts';

/*
 * Ingestion as it runs in production, on a real store, with incidents that are rows: `<incident>|<evidence>`, each
 * once, as a workflow keeps its evidence, and that cannot be reached at times. Arguments: store uri, database, and a
 * file: it is ready when everything is loaded, begins when that file exists, and writes its port into another next to
 * it. Fourth: the port that it must be.
 */
const [uri = '', dbName = '', turn = '', wanted = '0'] = process.argv.slice(2);
exitWithParent(() => process.exit(0));
reportReady();
while (!fs.existsSync(turn)) await sleep(10);
const { connection } = await connectStore(uri, { dbName });
const stores = createStores(connection);
const evidences = connection.collection<{ _id: string }>('test_evidence');

/** Longer than deliveries wait before they go into the inbox. */
const AWAY_MS = 400;
const AWAY_EVERY_CALLS = 10;
let calls = 0;
let isAway = false;

function mustBeThere(): void {
  if (!isAway && ++calls % AWAY_EVERY_CALLS === 0) {
    isAway = true;
    setTimeout(() => (isAway = false), AWAY_MS);
  }
  if (isAway)
    throw new TocsinError('BACKEND_UNAVAILABLE', 'Incidents cannot be reached.', { retryable: true });
}

async function keep(incidentId: string, evidence: readonly Evidence[]): Promise<'open'> {
  mustBeThere();
  for (const { key } of evidence) {
    const _id = `${incidentId}|${key}`;
    await evidences.updateOne({ _id }, { $setOnInsert: { _id } }, { upsert: true });
  }
  return 'open';
}

const quiet = (): void => undefined;
const server = createIngestServer({
  stores: { ...stores, ...createIngestStores(connection) },
  starter: {
    start: (detection) => keep(incidentIdOf(detection), detection.evidence),
    join: keep,
  },
  auth: createAuth({ principals: stores.principals }),
  log: {
    info: quiet,
    warn: quiet,
    error: (facts: unknown, text: string) => process.stderr.write(`${text}\n`),
  } as unknown as IngestServerOptions['log'],
  clockOf: () => 'feed',
  refreshEveryMs: 50,
});
const port = await server.start('127.0.0.1', Number(wanted));
fs.writeFileSync(`${turn}.tmp`, String(port));
fs.renameSync(`${turn}.tmp`, `${turn}.port`);
