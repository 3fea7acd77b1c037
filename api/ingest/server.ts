import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import type { Logger } from 'pino';
import type { Registry as MetricsRegistry } from 'prom-client';
import { TocsinError } from '../../domain/errors.ts';
import { SensorNumbers } from '../../domain/ingest/sensor-numbers.ts';
import type {
  ForecasterStore,
  IncidentStore,
  PlanStore,
  PrincipalStore,
  SiteStore,
} from '../../domain/ports.ts';
import type { IncidentStarter, IngestStores } from '../../domain/ports-ingest.ts';
import type { ClockKind, EpochMs } from '../../domain/units.ts';
import { IngestService, OperationsService, wire } from '../../proto/load.ts';
import type { DescribeRequest__Output } from '../../proto/gen/tocsin/v1/DescribeRequest.ts';
import type { DescribeResponse } from '../../proto/gen/tocsin/v1/DescribeResponse.ts';
import type { PublishOnceResponse } from '../../proto/gen/tocsin/v1/PublishOnceResponse.ts';
import type { StatusRequest__Output } from '../../proto/gen/tocsin/v1/StatusRequest.ts';
import type { StatusResponse } from '../../proto/gen/tocsin/v1/StatusResponse.ts';
import type { Auth, Caller } from '../auth.ts';
import { requireRole } from '../auth.ts';
import { Archive } from './archive.ts';
import { GroupCommit } from './commit.ts';
import { createCallerCheck, isRefusal } from './credentials.ts';
import type { CallerCheckOptions, IncomingCall } from './credentials.ts';
import type { Dedup } from './dedup.ts';
import { createFairness } from './fair.ts';
import { toServiceError } from './grpc-error.ts';
import { createConnectionLimit, receiveWithin } from './guard.ts';
import { createIntake } from './intake.ts';
import type { TokenCheck } from './jwt.ts';
import type { Sender } from './sender.ts';
import { INGEST_LIMITS } from './limits.ts';
import type { IngestLimits } from './limits.ts';
import { withRawMessages } from './message.ts';
import { createIngestMetrics } from './metrics.ts';
import { elapsed } from './persist.ts';
import { createPrincipalDirectory } from './principals.ts';
import { publishOnce, servePublish } from './publish.ts';
import type { PublishCall, PublishOptions } from './publish.ts';
import { createRegistry } from './registry.ts';
import type { Registry } from './registry.ts';
import { Relay } from './relay.ts';
import type { RelayStatus } from './relay.ts';
import { doubtsBlock } from './sensor-doubts.ts';
import { createVendorLog } from './vendor-log.ts';

const DEDUP_CHECKPOINT_EVERY_MS = 60_000;
const REGISTRY_REFRESH_EVERY_MS = 10_000;
const STATUS_WAIT_AT_MOST_MS = 60_000;
const OPERATORS = ['viewer', 'operator', 'manager', 'auditor', 'admin'];
const INGEST = 'tocsin.v1.IngestService';

export interface IngestServerOptions {
  readonly stores: IngestStores & {
    readonly plans: PlanStore;
    readonly sites: SiteStore;
    readonly forecasters: ForecasterStore;
    readonly incidents: IncidentStore;
    readonly principals: PrincipalStore;
  };
  readonly starter: IncidentStarter;
  readonly auth: Auth;
  /** Checks JSON Web Tokens. @default none: API keys only */
  readonly tokens?: TokenCheck;
  /** What names in clients' certificates stand for. @default certificates are not looked at */
  readonly certificates?: CallerCheckOptions['certificates'];
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** By which clock a tenant's lateness is judged. @default wall for all */
  readonly clockOf?: (tenant: string) => ClockKind;
  /** @default INGEST_LIMITS */
  readonly limits?: Partial<IngestLimits>;
  readonly metrics?: MetricsRegistry;
  /** @default Date.now */
  readonly now?: () => EpochMs;
  /** @default insecure: for loopback, or behind something that ends TLS */
  readonly credentials?: ServerCredentials;
  /** How often plans, places and sensors are read again for detection. @default 2_000 */
  readonly refreshEveryMs?: number;
}

export interface IngestServer {
  /**
   * Recovers what the last process left, and listens.
   * @returns the port: the one given, or the one chosen for 0
   */
  start(host: string, port: number): Promise<number>;
  /** Answers what was taken, ends the streams, saves positions. @param graceMs default 4_000 */
  stop(graceMs?: number): Promise<void>;
  status(): IngestStatus;
}

export interface IngestStatus extends RelayStatus {
  readonly archivedThrough: number;
  readonly pendingBytes: number;
}

/** The vendors' door: gRPC in front, the archive behind it, and the relay to the incidents. One process only. */
export function createIngestServer(options: IngestServerOptions): IngestServer {
  const { stores, starter, auth, log, clockOf = () => 'wall', now = Date.now } = options;
  const limits: IngestLimits = { ...INGEST_LIMITS, ...options.limits };
  const writer = `${new Date(now()).toISOString()}/${randomUUID()}`;
  const vendors = createVendorLog();
  const metrics = options.metrics === undefined ? null : createIngestMetrics(options.metrics, now, vendors);
  const archive = new Archive({ frames: stores.frames, checkpoints: stores.checkpoints, writer });
  const registry = createRegistry({ sites: stores.sites, plans: stores.plans, log });
  const numbers = new SensorNumbers();
  const relay = new Relay({
    archive,
    stores,
    registry,
    numbers,
    starter,
    log,
    ...(options.refreshEveryMs === undefined ? {} : { refreshEveryMs: options.refreshEveryMs }),
    clockOf,
    now,
    onDelivered: (kind, ms) => metrics?.delivered(kind, ms / 1_000),
    onDoubts: (readings) => {
      // Lost in a crash, they are said again: nobody was promised them.
      commit.submit(readings.map(doubtsBlock)).catch((error: unknown) => {
        if (!ending.signal.aborted) log.warn({ err: error }, 'doubts about sensors were not archived');
      });
    },
  });
  metrics?.sensors(() => relay.sensors());
  const commit = new GroupCommit({
    archive,
    quarantine: stores.quarantine,
    log,
    now,
    mayGoOn: () => relay.keptUp(),
    onCommitted: (ms, load) => {
      metrics?.committed(ms / 1_000, fairness.stillMs());
      fairness.committed(load, commit.pending);
    },
  });
  const fairness = createFairness(limits);
  const health = new HealthImplementation({ '': 'NOT_SERVING', [INGEST]: 'NOT_SERVING' });
  const server = new Server({
    'grpc.max_receive_message_length': limits.messageBytesAtMost,
    'grpc.max_concurrent_streams': limits.streamsPerConnectionAtMost,
    'grpc.keepalive_time_ms': limits.keepaliveEveryMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveWithinMs,
    'grpc.max_connection_age_ms': limits.connectionAgeAtMostMs,
    'grpc.max_connection_age_grace_ms': limits.connectionAgeGraceMs,
    'grpc.max_connection_idle_ms': limits.connectionIdleAtMostMs,
    'grpc-node.max_session_memory': limits.sessionMegabytesAtMost,
    interceptors: [receiveWithin(limits.receiveWithinMs)],
  });
  const onConnection = createConnectionLimit(limits.connectionsPerVendorAtMost);
  const ending = new AbortController();
  // Every open stream listens.
  setMaxListeners(0, ending.signal);
  const streams = new Map<string, number>();
  const serving = new Set<Promise<void>>();
  const timers: NodeJS.Timeout[] = [];
  let dedup: Dedup | null = null;

  metrics?.backlog(() => ({
    inbox: relay.status().inboxDepth,
    frames: archive.head - relay.status().relayedThrough,
    pendingBytes: commit.pending.memoryBytes,
    roomBytes: fairness.room(),
    roomTaken: fairness.taken(),
    stillMs: fairness.stillMs(),
  }));

  const callerOf = createCallerCheck({
    auth,
    principals: createPrincipalDirectory(stores.principals, { now }),
    ...(options.tokens === undefined ? {} : { tokens: options.tokens }),
    ...(options.certificates === undefined ? {} : { certificates: options.certificates }),
    now,
  });
  const authenticate = (call: IncomingCall): Promise<Caller> =>
    within(limits.authenticateWithinMs, callerOf(call));

  async function senderOf(call: IncomingCall): Promise<Sender> {
    const caller = await authenticate(call);
    requireRole(caller, ['vendor']);
    if (caller.vendor === undefined) {
      throw new TocsinError('ROLE_REQUIRED', 'This caller belongs to no vendor.', {
        details: { roles: ['vendor'] },
      });
    }
    return { tenant: caller.tenant, vendor: caller.vendor };
  }

  /**
   * Whether an open stream may go on. While nobody can say who the caller is, it may, until `uncheckedAtMostMs`
   * after somebody last could: a short outage of the store ends no stream, and a long one hides no revocation.
   */
  function keepChecking(call: IncomingCall, sender: Sender): () => Promise<void> {
    let goodAt = performance.now();
    return async () => {
      const askedAt = performance.now();
      try {
        const { tenant, vendor } = await senderOf(call);
        if (tenant !== sender.tenant || vendor !== sender.vendor) {
          throw new TocsinError('UNAUTHENTICATED', 'This caller is somebody else now.');
        }
        goodAt = askedAt;
      } catch (error) {
        if (isRefusal(error)) throw error;
        const leftMs = limits.uncheckedAtMostMs - (performance.now() - goodAt);
        // The next check comes in time.
        if (leftMs > limits.reauthenticateEveryMs) return;
        const known = goodAt;
        await elapsed(Math.max(0, leftMs));
        if (goodAt !== known) return;
        throw new TocsinError('STORE_UNAVAILABLE', 'Who calls could not be checked for too long.', {
          cause: error,
          retryable: true,
        });
      }
    };
  }

  function addServices(publishing: PublishOptions, sensors: Registry): void {
    const unary =
      <Q, A>(work: (call: ServerUnaryCall<Q, A>) => Promise<A>): handleUnaryCall<Q, A> =>
      (call, callback) => {
        work(call).then(
          (answer) => callback(null, answer),
          (error: unknown) => {
            const status = toServiceError(error);
            if (status.code === 13) log.error({ err: error, method: call.getPath() }, 'call failed');
            callback(status);
          },
        );
      };

    const publish = async (call: PublishCall): Promise<void> => {
      const sender = await senderOf(call);
      const key = `${sender.tenant}|${sender.vendor}`;
      const open = streams.get(key) ?? 0;
      if (open >= limits.streamsPerVendorAtMost) {
        throw new TocsinError('STREAM_LIMIT', `At most ${limits.streamsPerVendorAtMost} streams a vendor.`, {
          retryable: true,
          details: { retryAfterMs: 5_000 },
        });
      }
      streams.set(key, open + 1);
      try {
        await onConnection(sender, call.getPeer(), () =>
          servePublish(call, sender, keepChecking(call, sender), ending.signal, publishing),
        );
      } finally {
        streams.set(key, streams.get(key)! - 1);
      }
    };

    server.addService(withRawMessages(IngestService.service), {
      Publish: (call: PublishCall) => {
        // Until somebody reads it, a stream that the vendor breaks must not bring the process down.
        call.on('error', () => undefined);
        const served = publish(call).catch(
          (error: unknown) => void call.emit('error', toServiceError(error)),
        );
        serving.add(served);
        void served.then(() => serving.delete(served));
      },
      PublishOnce: unary<Buffer, PublishOnceResponse>(async (call) => {
        const sender = await senderOf(call);
        return onConnection(sender, call.getPeer(), () => publishOnce(call.request, sender, publishing));
      }),
      Describe: unary<DescribeRequest__Output, DescribeResponse>(async (call) => {
        const sender = await senderOf(call);
        return { registered: await sensors.describe(sender, call.request) };
      }),
    });

    server.addService(OperationsService.service, {
      Status: unary<StatusRequest__Output, StatusResponse>(async (call) => {
        const caller = await authenticate(call);
        requireRole(caller, OPERATORS);
        const { relayedThrough, waitMs, touchedAfter } = call.request;
        const through = Math.min(Number(relayedThrough), archive.head);
        await relay.relayed(through, Math.min(waitMs, STATUS_WAIT_AT_MOST_MS));
        const mine = caller.roles.includes('admin') ? null : caller.tenant;
        const touched = relay.touchedAfter(Number(touchedAfter));
        const status = relay.status();
        return {
          archivedThrough: archive.head,
          relayedThrough: status.relayedThrough,
          inboxDepth: status.inboxDepth,
          touches: status.touches,
          touched: touched.incidents.filter((id) => mine === null || id.startsWith(`incident/${mine}/`)),
          touchedComplete: touched.complete,
          vendors: vendors.status(mine),
          process: writer,
        };
      }),
    });
  }

  return {
    async start(host, port) {
      const known = await archive.recover();
      dedup = known;
      await registry.refresh();
      await relay.start();
      const intake = createIntake({
        dedup: known,
        sensorOf: registry.of,
        revision: registry.revision,
        hears: (tenant, sensor) => relay.hears(tenant, sensor),
        clockOf,
        limits,
        numbers,
      });
      addServices({ intake, commit, fairness, limits, metrics, vendors, now, log }, registry);
      health.addToServer(server);
      new ReflectionService(wire).addToServer(server);
      const bound = await new Promise<number>((resolve, reject) =>
        server.bindAsync(
          `${host}:${port}`,
          options.credentials ?? ServerCredentials.createInsecure(),
          (error, chosen) => (error === null ? resolve(chosen) : reject(error)),
        ),
      );
      health.setStatus('', 'SERVING');
      health.setStatus(INGEST, 'SERVING');
      const repeat = (everyMs: number, what: string, work: () => Promise<unknown>): void => {
        const run = (): void =>
          void work().catch((error: unknown) =>
            log.warn({ what, err: error }, 'failed; will be tried again'),
          );
        timers.push(setInterval(run, everyMs));
      };
      repeat(DEDUP_CHECKPOINT_EVERY_MS, 'checkpoint', () => checkpoint(known));
      repeat(REGISTRY_REFRESH_EVERY_MS, 'sensors', () => registry.refresh());
      log.info({ host, port: bound, archivedThrough: archive.head }, 'ingest serves');
      return bound;
    },
    async stop(graceMs = 4_000) {
      health.setStatus('', 'NOT_SERVING');
      health.setStatus(INGEST, 'NOT_SERVING');
      timers.forEach((timer) => clearInterval(timer));
      ending.abort();
      await Promise.race([Promise.all(serving), elapsed(graceMs / 2)]);
      await commit.stop(graceMs / 4);
      // The last answers must leave before the connections are cut.
      await Promise.race([new Promise((resolve) => server.tryShutdown(resolve)), elapsed(graceMs / 4)]);
      server.forceShutdown();
      await relay.stop(graceMs / 4);
      if (dedup !== null) {
        await Promise.race([checkpoint(dedup, false), elapsed(graceMs / 4)]).catch((error: unknown) =>
          log.warn({ err: error }, 'no checkpoint: the next start reads more frames'),
        );
      }
    },
    status: () => ({
      ...relay.status(),
      archivedThrough: archive.head,
      pendingBytes: commit.pending.memoryBytes,
    }),
  };

  /** Stopped, nothing is under way unless the store failed: then nothing is saved. */
  async function checkpoint(known: Dedup, isServing = true): Promise<void> {
    if (!isServing && commit.pending.memoryBytes > 0) return;
    const beforeMs = now() - limits.lateAtMostMs;
    // A feed's clock is what its vendor says: nothing may be forgotten on its word.
    const forgetting = known.forget((tenant) => (clockOf(tenant) === 'wall' ? beforeMs : -Infinity));
    while (forgetting.next().done !== true) await nextTurn();
    await archive.checkpoint(known, async () => {
      if (isServing) await commit.submit();
    });
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new TocsinError('STORE_UNAVAILABLE', 'Who calls could not be checked in time.', {
            retryable: true,
          }),
        ),
      ms,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
