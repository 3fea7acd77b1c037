import { createHash } from 'node:crypto';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import pino from 'pino';
import { Registry } from 'prom-client';
import { createAuth } from '../../api/auth.ts';
import { Archive } from '../../api/ingest/archive.ts';
import { GroupCommit } from '../../api/ingest/commit.ts';
import { createFairness } from '../../api/ingest/fair.ts';
import { createIntake } from '../../api/ingest/intake.ts';
import { INGEST_LIMITS } from '../../api/ingest/limits.ts';
import { limitHeapGrowth } from '../../api/ingest/memory.ts';
import { withRawMessages } from '../../api/ingest/message.ts';
import { createIngestMetrics } from '../../api/ingest/metrics.ts';
import { servePublish } from '../../api/ingest/publish.ts';
import type { PublishCall } from '../../api/ingest/publish.ts';
import { createIngestServer } from '../../api/ingest/server.ts';
import type { IngestServer } from '../../api/ingest/server.ts';
import { createVendorLog } from '../../api/ingest/vendor-log.ts';
import { DetectorBank } from '../../domain/detect/kernel.ts';
import { SensorNumbers } from '../../domain/ingest/sensor-numbers.ts';
import type { PlanDocument } from '../../domain/plan/document.ts';
import type { Sensor, Stores } from '../../domain/ports.ts';
import type {
  CheckpointStore,
  FrameArchive,
  IncidentStarter,
  IngestStores,
} from '../../domain/ports-ingest.ts';
import { connectStore } from '../../models/connect.ts';
import { createFakeIngestStores } from '../../models/fake-inbox.ts';
import { createFakeStores } from '../../models/fake-stores.ts';
import { createIngestStores } from '../../models/inbox.ts';
import { IngestService } from '../../proto/load.ts';
import { gasPlan, riverside } from '../../test/support/plans.ts';
import { KEY, sensorId, TENANT, VENDOR } from './messages.ts';

/**
 * `kernel`: the way from the wire to the acknowledgement, with four detectors and nothing behind the archive.
 * `door`: the whole server, on stores in memory and an archive that forgets. `durable`: the whole server on a store.
 */
export interface ServerOptions {
  readonly mode: 'kernel' | 'door' | 'durable';
  /** Numbers of the sensors to register. */
  readonly sensors: readonly number[];
  readonly sites: number;
  /** Of the store; for `durable`. */
  readonly uri?: string;
}

/** What the server saw up to now, once everything archived went through detection. */
export interface ServerReport {
  readonly readings: number;
  readonly detectedAtMs: number;
  /** In the order in which they came, as a digest. */
  readonly alarms: string;
  readonly alarmCount: number;
  /** From the arrival of a reading to the call that tells its incident, ms; since the last report. */
  readonly signalMs: readonly number[];
  readonly rssBytes: number;
  readonly pendingBytes: number;
}

const nowMs = (): number => performance.timeOrigin + performance.now();
/** As the real store takes them: as text, of which nothing is read again. */
const written: CheckpointStore = {
  load: () => Promise.resolve(null),
  save: (_name, value) => Promise.resolve(void JSON.stringify(value)),
};
const forgetful: FrameArchive = { append: () => Promise.resolve(), read: () => Promise.resolve(null) };

const sensorOf = (n: number, sites: number): Sensor => ({
  id: sensorId(n),
  tenant: TENANT,
  vendor: VENDOR,
  site: `site-${n % sites}`,
  channel: 'methane',
  unit: '%LEL',
  low: 0,
  high: 100,
  position: null,
});

const drained = async (isDone: () => boolean): Promise<void> => {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 2));
};

interface Running {
  readonly port: number;
  report(): Promise<ServerReport>;
}

/** The parts of the door that every reading passes, and the detector bank at their end. */
async function kernel({ sensors, sites }: ServerOptions): Promise<Running> {
  const known = new Map(sensors.map((n) => [sensorId(n), sensorOf(n, sites)]));
  const numbers = new SensorNumbers();
  // The bank goes by the numbers that blocks have; alarms are told by the sensors' own.
  const sensorOfNumber = Uint32Array.from(sensors);
  sensors.forEach((n) => (sensorOfNumber[numbers.of(sensorId(n))] = n));
  const archive = new Archive({
    frames: forgetful,
    checkpoints: createFakeIngestStores().checkpoints,
    writer: 'bench',
  });
  const dedup = await archive.recover();
  const log = pino({ level: 'warn' });
  const fairness = createFairness(INGEST_LIMITS);
  const commit = new GroupCommit({
    archive,
    quarantine: createFakeIngestStores().quarantine,
    log,
    now: nowMs,
    onCommitted: (_, load) => fairness.committed(load, commit.pending),
  });
  const intake = createIntake({
    dedup,
    sensorOf: (sender, name) => known.get(`${sender.tenant}/${sender.vendor}/${name}`),
    revision: () => 0,
    clockOf: () => 'wall',
    limits: INGEST_LIMITS,
    numbers,
  });
  const bank = new DetectorBank(sensors.length);
  let readings = 0;
  let alarmCount = 0;
  let detectedAtMs = 0;
  const alarms = createHash('sha256');
  let through = 0;
  let column = new Uint32Array(65_536);
  const masks = new Uint8Array(65_536);
  let isScheduled = false;
  const detect = async (): Promise<void> => {
    while (through < archive.head) {
      for (const block of (await archive.blocks(through + 1)) ?? []) {
        if (block.kind !== 'runs') throw new Error(`A block of ${block.kind}.`);
        const own = block.numbers!;
        if (block.values.length > column.length) column = new Uint32Array(block.values.length * 2);
        for (let run = 0, at = 0; run < block.ends.length; run++) {
          const sensor = own[block.sensors[run]!]!;
          for (const end = block.ends[run]!; at < end; at++) column[at] = sensor;
        }
        readings += block.values.length;
        if (bank.pushColumn(column, block.values, block.values.length, masks) === 0) continue;
        for (let at = 0; at < block.values.length; at++) {
          if (masks[at] === 0) continue;
          alarms.update(`${sensorOfNumber[column[at]!]}|${block.values[at]}|${masks[at]}\n`);
          alarmCount += 1;
        }
      }
      through += 1;
    }
    detectedAtMs = nowMs();
    isScheduled = false;
  };
  archive.onGrowth(() => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => void detect());
  });
  const server = new Server({ 'grpc.max_receive_message_length': INGEST_LIMITS.messageBytesAtMost });
  const vendors = createVendorLog();
  const publishing = {
    intake,
    commit,
    fairness,
    limits: INGEST_LIMITS,
    metrics: createIngestMetrics(new Registry(), nowMs, vendors),
    vendors,
    now: nowMs,
    log,
  };
  const sender = { tenant: TENANT, vendor: VENDOR };
  server.addService(withRawMessages(IngestService.service), {
    Publish: (call: PublishCall) =>
      void servePublish(call, sender, () => Promise.resolve(), new AbortController().signal, publishing),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, chosen) =>
      error === null ? resolve(chosen) : reject(error),
    ),
  );
  return {
    port,
    async report() {
      await drained(() => through === archive.head && commit.pending.memoryBytes === 0);
      return {
        readings,
        detectedAtMs,
        alarms: alarms.copy().digest('hex'),
        alarmCount,
        signalMs: [],
        rssBytes: process.memoryUsage.rss(),
        pendingBytes: commit.pending.memoryBytes,
      };
    },
  };
}

/** Opens an incident at a site when one of its sensors is high. */
const plan: PlanDocument = {
  ...gasPlan,
  detect: {
    when: 'atLeast',
    channel: 'methane',
    unit: '%LEL',
    threshold: 50,
    forMs: 0,
    onSensors: 1,
  } as PlanDocument['detect'],
};

async function door({ mode, sensors, sites, uri }: ServerOptions): Promise<Running> {
  const stores: Stores = createFakeStores();
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const hash = sha256(JSON.stringify(plan));
  await stores.plans.publish({
    planId: plan.id,
    hash,
    document: plan,
    author: 'bench',
    publishedAtMs: 0,
    parent: null,
    proposal: null,
  });
  await stores.plans.activate({ planId: plan.id, hash, by: 'bench', reason: 'bench', atMs: 0 });
  for (let n = 0; n < sites; n++) await stores.sites.putPlace({ ...riverside, id: `site-${n}` });
  for (const n of sensors) await stores.sites.putSensor(sensorOf(n, sites));
  await stores.principals.put({
    id: VENDOR,
    revokedAtMs: null,
    tenant: TENANT,
    roles: ['vendor'],
    vendor: VENDOR,
    keySha256: sha256(KEY),
  });
  let readings = 0;
  const alarms = createHash('sha256');
  let alarmCount = 0;
  let signalMs: number[] = [];
  const heard = (what: string, receivedAtMs: number): Promise<'open'> => {
    signalMs.push(nowMs() - receivedAtMs);
    alarms.update(`${what}\n`);
    alarmCount += 1;
    return Promise.resolve('open');
  };
  const starter: IncidentStarter = {
    start: ({ place, evidence }) => heard(`start ${place.id}`, evidence.at(-1)!.receivedAtMs),
    join: (id, evidence) => heard(`join ${id.split('/')[3]} ${evidence[0]!.atMs}`, evidence[0]!.receivedAtMs),
  };
  const ingest: IngestStores =
    mode === 'door'
      ? { ...createFakeIngestStores(), frames: forgetful, checkpoints: written }
      : createIngestStores((await connectStore(uri!, { dbName: 'bench' })).connection);
  const metrics = new Registry();
  const server: IngestServer = createIngestServer({
    stores: { ...stores, ...ingest },
    starter,
    auth: createAuth({ principals: stores.principals }),
    log: pino({ level: 'error' }),
    metrics,
    now: nowMs,
  });
  const port = await server.start('127.0.0.1', 0);
  return {
    port,
    async report() {
      await drained(() => {
        const { relayedThrough, archivedThrough, pendingBytes } = server.status();
        return relayedThrough === archivedThrough && pendingBytes === 0;
      });
      const detectedAtMs = nowMs();
      readings = 0;
      for (const { value, labels } of (await metrics.getSingleMetric('tocsin_ingest_items_total')!.get())
        .values) {
        if (labels['disposition'] === 'accepted') readings += value;
      }
      const signals = signalMs;
      signalMs = [];
      return {
        readings,
        detectedAtMs,
        alarms: alarms.copy().digest('hex'),
        alarmCount,
        signalMs: signals,
        rssBytes: process.memoryUsage.rss(),
        pendingBytes: server.status().pendingBytes,
      };
    },
  };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

limitHeapGrowth();
const options = JSON.parse(process.argv[2]!) as ServerOptions;
const running = await (options.mode === 'kernel' ? kernel(options) : door(options));
process.on('message', (ask: 'report' | 'usage') => {
  if (ask === 'usage') process.send!({ rssBytes: process.memoryUsage.rss(), cpuMs: cpuMs() });
  else void running.report().then((report) => process.send!(report));
});
process.send!({ port: running.port });
// The parent is gone, however it went.
process.on('disconnect', () => process.exit());
