import { createHash } from 'node:crypto';
import { credentials, Metadata } from '@grpc/grpc-js';
import { createAuth } from '../../api/auth.ts';
import { createIngestServer } from '../../api/ingest/server.ts';
import type { IngestServer, IngestServerOptions } from '../../api/ingest/server.ts';
import { incidentIdOf } from '../../domain/evidence.ts';
import type { Evidence } from '../../domain/evidence.ts';
import type { PlanDocument } from '../../domain/plan/document.ts';
import type { Stores } from '../../domain/ports.ts';
import type { IncidentStarter, IngestStores } from '../../domain/ports-ingest.ts';
import { createFakeIngestStores } from '../../models/fake-inbox.ts';
import { createFakeStores } from '../../models/fake-stores.ts';
import { IngestService, OperationsService } from '../../proto/load.ts';
import type { IngestServiceClient } from '../../proto/gen/tocsin/v1/IngestService.ts';
import type { Item } from '../../proto/gen/tocsin/v1/Item.ts';
import type { PublishOnceResponse__Output } from '../../proto/gen/tocsin/v1/PublishOnceResponse.ts';
import type { SensorDescription } from '../../proto/gen/tocsin/v1/SensorDescription.ts';
import type { StatusResponse__Output } from '../../proto/gen/tocsin/v1/StatusResponse.ts';
import { gasPlan, quakePlan, riverside } from './plans.ts';

/** A vendors' door with fakes behind it, on a port of its own. */
export interface Door {
  readonly address: string;
  readonly server: IngestServer;
  readonly stores: Stores;
  readonly ingest: IngestStores;
  readonly incidents: FakeIncidents;
  /** Lines of level warn and error. */
  readonly complaints: readonly string[];
  readonly client: IngestServiceClient;
  publishOnce(
    items: readonly Item[],
    options?: { key?: string; sentAtMs?: number },
  ): Promise<PublishOnceResponse__Output>;
  /** Registers sensors: all, or it fails and none is. Answers how many. */
  describe(sensors: readonly SensorDescription[], key?: string): Promise<number>;
  status(request?: {
    relayedThrough?: number;
    waitMs?: number;
    touchedAfter?: number;
  }): Promise<StatusResponse__Output>;
  stop(): Promise<void>;
}

export interface FakeIncidents extends IncidentStarter {
  /** `start <incident>` and `join <incident> <key>`, as they arrived. */
  readonly log: string[];
  readonly evidence: Map<string, Map<string, Evidence>>;
  readonly closed: Set<string>;
  /** Set to make Temporal unreachable. */
  down: Error | null;
}

/** Incidents that take each evidence once, as the real ones do. */
export function createFakeIncidents(): FakeIncidents {
  const incidents: FakeIncidents = {
    log: [],
    evidence: new Map(),
    closed: new Set(),
    down: null,
    async start(detection) {
      if (incidents.down !== null) throw incidents.down;
      const id = incidentIdOf(detection);
      if (incidents.closed.has(id)) return 'closed';
      incidents.log.push(`start ${id}`);
      if (!incidents.evidence.has(id)) incidents.evidence.set(id, new Map());
      for (const item of detection.evidence) incidents.evidence.get(id)!.set(item.key, item);
      return 'open';
    },
    async join(id, evidence) {
      if (incidents.down !== null) throw incidents.down;
      if (incidents.closed.has(id) || !incidents.evidence.has(id)) return 'closed';
      for (const item of evidence) {
        incidents.log.push(`join ${id} ${item.key}`);
        incidents.evidence.get(id)!.set(item.key, item);
      }
      return 'open';
    },
  };
  return incidents;
}

export const VENDOR_KEY = 'key-of-the-gasworks';
export const OTHER_VENDOR_KEY = 'key-of-another-vendor';
export const OTHER_TENANT_KEY = 'key-of-another-tenant';
export const VIEWER_KEY = 'key-of-a-viewer';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Stores with two plans in force, two places, three sensors of the gasworks, and the keys above. */
export async function fillStores(stores: Stores): Promise<void> {
  for (const document of [quakePlan, gasPlan]) await activate(stores, document);
  await stores.sites.putPlace(riverside);
  await stores.sites.putPlace({ ...riverside, id: 'tower', kind: 'building' });
  for (const id of ['a', 'b', 'c']) {
    await stores.sites.putSensor({
      id: `city/gasworks/${id}`,
      vendor: 'gasworks',
      tenant: 'city',
      site: 'tower',
      channel: 'methane',
      unit: '%LEL',
      low: 0,
      high: 100,
      position: null,
    });
  }
  const principal = { revokedAtMs: null, tenant: 'city', roles: ['vendor'] };
  for (const [key, who] of [
    [VENDOR_KEY, { id: 'gasworks', vendor: 'gasworks' }],
    [OTHER_VENDOR_KEY, { id: 'other', vendor: 'other' }],
    [OTHER_TENANT_KEY, { id: 'elsewhere', tenant: 'village', vendor: 'gasworks' }],
    [VIEWER_KEY, { id: 'viewer', roles: ['viewer'] }],
  ] as const) {
    await stores.principals.put({
      ...principal,
      ...who,
      roles: [...('roles' in who ? who.roles : principal.roles)],
      keySha256: sha256(key),
    });
  }
}

export async function activate(stores: Stores, document: PlanDocument): Promise<void> {
  const hash = sha256(JSON.stringify(document));
  await stores.plans.publish({
    planId: document.id,
    hash,
    document,
    author: 'test',
    publishedAtMs: 0,
    parent: null,
    proposal: null,
  });
  await stores.plans.activate({ planId: document.id, hash, by: 'test', reason: 'test', atMs: 0 });
}

export interface DoorOptions extends Partial<Omit<IngestServerOptions, 'stores' | 'starter' | 'log'>> {
  readonly stores?: Stores;
  readonly ingest?: IngestStores;
  readonly incidents?: FakeIncidents;
  /** @default one of its own */
  readonly port?: number;
}

export async function openDoor(options: DoorOptions = {}): Promise<Door> {
  const {
    stores = createFakeStores(),
    ingest = createFakeIngestStores(),
    incidents = createFakeIncidents(),
    port: wanted = 0,
    ...rest
  } = options;
  if ((await stores.plans.plans()).length === 0) await fillStores(stores);
  const complaints: string[] = [];
  const complain = (facts: object, text: string): void =>
    void complaints.push(`${text} ${'err' in facts ? String(facts.err) : ''}`);
  const server = createIngestServer({
    auth: createAuth({ principals: stores.principals, cacheMs: 0 }),
    ...rest,
    stores: { ...stores, ...ingest },
    starter: incidents,
    log: { info: () => undefined, warn: complain, error: complain } as unknown as IngestServerOptions['log'],
  });
  const port = await server.start('127.0.0.1', wanted);
  const address = `127.0.0.1:${port}`;
  const { close, ...calls } = callDoor(address);
  return {
    address,
    server,
    stores,
    ingest,
    incidents,
    complaints,
    ...calls,
    async stop() {
      close();
      await server.stop(1_000);
    },
  };
}

/** What a vendor and an operator ask of a door, wherever it runs. */
export type DoorCalls = Pick<Door, 'client' | 'publishOnce' | 'describe' | 'status'>;

export function callDoor(address: string): DoorCalls & { readonly close: () => void } {
  const client = new IngestService(address, credentials.createInsecure());
  const operations = new OperationsService(address, credentials.createInsecure());
  return {
    client,
    publishOnce: (items, { key = VENDOR_KEY, sentAtMs = Date.now() } = {}) =>
      new Promise((resolve, reject) =>
        client.PublishOnce({ items: [...items], sentAtMs }, withKey(key), (error, answer) =>
          error === null ? resolve(answer!) : reject(error),
        ),
      ),
    describe: (sensors, key = VENDOR_KEY) =>
      new Promise((resolve, reject) =>
        client.Describe({ sensors: [...sensors] }, withKey(key), (error, answer) =>
          error === null ? resolve(answer!.registered) : reject(error),
        ),
      ),
    status: (request = {}) =>
      new Promise((resolve, reject) =>
        operations.Status(request, withKey(VIEWER_KEY), (error, answer) =>
          error === null ? resolve(answer!) : reject(error),
        ),
      ),
    close() {
      client.close();
      operations.close();
    },
  };
}

export function withKey(key: string): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${key}`);
  return metadata;
}

/** One reading of a sensor of the gasworks, numbered, observed now. */
export const reading = (sequence: number, change: Partial<NonNullable<Item['reading']>> = {}): Item => ({
  reading: { sensor: 'a', boot: 'b1', sequence, observedAtMs: Date.now(), value: 1, ...change },
});

/** A sensor to describe: it measures methane once a second, by a clock that is set over the network. */
export const probe = (change: Partial<SensorDescription> = {}): SensorDescription => ({
  sensor: 'probe',
  site: 'tower',
  channel: 'methane',
  unit: '%LEL',
  low: 0,
  high: 100,
  samplingHz: 1,
  clockQuality: 'CLOCK_QUALITY_NETWORK',
  ...change,
});

export const bulletin = (id: string, change: Partial<NonNullable<Item['bulletin']>> = {}): Item => ({
  bulletin: {
    source: 'net',
    id,
    type: 'earthquake-notice',
    observedAtMs: Date.now() - 60_000,
    position: { latitudeDeg: 24, longitudeDeg: 121.6 },
    fields: { magnitude: { number: 5 }, depthKm: { number: 10 } },
    ...change,
  },
});
