import fs from 'node:fs';
import path from 'node:path';
import type { JobContext } from '../../jobs/job.ts';
import { connectStore } from '../../models/connect.ts';
import { createJobRunStore } from '../../models/job-runs.ts';
import { createStores } from '../../models/stores.ts';
import { bundleFileName, collectBundle, saveBundle } from '../bundles.ts';
import { dataDirectory, loadConfig } from '../config.ts';
import { connectTemporal, storeUri } from '../connections.ts';
import { createHistorySource } from '../histories.ts';
import { createLog } from './context.ts';

/** What counts as recent when recognisers are watched. */
const WATCHED_MS = 7 * 86_400_000;

/** What a job works with, opened in the thread that runs it. */
export async function openJobContext(job: string): Promise<JobContext> {
  const loaded = loadConfig();
  const log = createLog('jobs', loaded).child({ job });
  const data = dataDirectory();
  const connected = await connectStore(storeUri(loaded), { dbName: loaded.config.store.database });
  const stores = createStores(connected.connection);
  const client = await connectTemporal(loaded).catch(async (error: unknown) => {
    await connected.close();
    throw error;
  });
  const histories = createHistorySource(client);
  const fileOf = (incidentId: string): string => path.join(data, 'bundles', bundleFileName(incidentId));
  const voting = async (): Promise<string[]> => {
    const names = await stores.recognisers.names();
    const active = await Promise.all(names.map((name) => stores.recognisers.active(name)));
    return names.filter((_, i) => active[i] !== null);
  };
  return {
    incidents: stores.incidents,
    jobRuns: createJobRunStore(connected.connection),
    bundles: {
      has: (incidentId) => fs.existsSync(fileOf(incidentId)),
      put: async (incidentId) =>
        saveBundle(await collectBundle(incidentId, stores, histories), fileOf(incidentId)),
    },
    disk() {
      const { bavail, blocks, bsize } = fs.statfsSync(data);
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    },
    async watchRecognisers() {
      const { watchRecogniser } = await import('../../activities/recognition/registry.ts');
      const watched = await voting();
      return Promise.all(watched.map((name) => watchRecogniser(stores, name, Date.now() - WATCHED_MS)));
    },
    async retrainRecognisers() {
      const { startRetraining } = await import('../../activities/gateways.ts');
      const started = [];
      for (const name of await voting()) {
        const input = {
          name,
          incidentsAtLeast: loaded.config.retraining.incidents_at_least,
          by: 'job/retrain-recognisers',
        };
        started.push({ name, started: (await startRetraining(client, input)).started });
      }
      return started;
    },
    log,
    now: Date.now,
    async close() {
      await client.connection.close();
      await connected.close();
    },
  };
}
