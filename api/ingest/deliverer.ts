import type { Logger } from 'pino';
import { TocsinError } from '../../domain/errors.ts';
import { incidentIdOf } from '../../domain/evidence.ts';
import type { Delivery, IncidentStarter, IngestStores } from '../../domain/ports-ingest.ts';
import { undelivered } from './aside-records.ts';
import { failpoint } from './failpoint.ts';
import { persist } from './persist.ts';

const TOUCHES_KEPT = 10_000;

export type EvidenceDelivery = Extract<Delivery, { readonly kind: 'evidence' }>;

export interface DelivererOptions {
  readonly asides: IngestStores['asides'];
  readonly starter: IncidentStarter;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly signal: AbortSignal;
  /** An incident was found closed. */
  readonly onEnded: (tenant: string, incidentId: string) => void;
  /** What is to be delivered in place of evidence whose incident was found closed. */
  readonly reconsider: (tenant: string, delivery: EvidenceDelivery) => Delivery[];
  /** Sees that what follows from a delivery that reached its incident is not lost, and forgets the delivery. */
  readonly told: (delivery: Delivery, followers: readonly Delivery[]) => Promise<void>;
  /** Told after each. */
  readonly onDelivered: (kind: Delivery['kind'], ms: number) => void;
}

/**
 * Takes deliveries to their incidents, one after the other. An incident takes each evidence once, so a delivery may be
 * repeated.
 */
export class Deliverer {
  readonly #options: DelivererOptions;
  readonly #waiting: Delivery[] = [];
  #touched: { readonly n: number; readonly incidentId: string }[] = [];
  #touches = 0;
  #wake: () => void = () => {};

  constructor(options: DelivererOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', () => this.#wake());
  }

  /** Takes these after those before. */
  add(deliveries: readonly Delivery[]): void {
    this.#waiting.push(...deliveries);
    if (deliveries.length > 0) this.#wake();
  }

  get depth(): number {
    return this.#waiting.length;
  }

  /** Deliveries to incidents since the start. */
  get touches(): number {
    return this.#touches;
  }

  /** What was found up to this frame has reached its incidents, as far as it was added; Infinity: all of it. */
  get deliveredThrough(): number {
    const oldest = this.#waiting[0];
    return oldest === undefined ? Infinity : oldest.seq - 1;
  }

  /** Incidents touched after the `after`th delivery, each once; `complete` is false when some are forgotten. */
  touchedAfter(after: number): { readonly incidents: readonly string[]; readonly complete: boolean } {
    const oldest = this.#touched[0]?.n ?? this.#touches + 1;
    return {
      incidents: [...new Set(this.#touched.filter(({ n }) => n > after).map(({ incidentId }) => incidentId))],
      complete: after + 1 >= oldest,
    };
  }

  /** Delivers until the signal is aborted. */
  async run(): Promise<void> {
    const { signal, told, onDelivered } = this.#options;
    while (!signal.aborted) {
      const next = this.#waiting[0];
      if (next === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      const startedAt = performance.now();
      const followers = await this.#deliver(next);
      failpoint('incident-told');
      await told(next, followers);
      this.#waiting.splice(0, 1, ...followers);
      onDelivered(next.kind, performance.now() - startedAt);
    }
  }

  /** Answers what has to be delivered instead. */
  async #deliver(delivery: Delivery): Promise<Delivery[]> {
    const { starter, signal, log, onEnded, reconsider } = this.#options;
    const incidentId = delivery.kind === 'detection' ? incidentIdOf(delivery.detection) : delivery.incidentId;
    const tenant = tenantOf(incidentId);
    let state: 'open' | 'closed';
    try {
      state = await this.#persist('incident', () =>
        delivery.kind === 'detection'
          ? starter.start(delivery.detection, delivery.plan)
          : starter.join(incidentId, [delivery.evidence]),
      );
    } catch (error) {
      if (signal.aborted || !(error instanceof TocsinError)) throw error;
      log.error({ incidentId, err: error }, 'evidence cannot be delivered');
      await this.#keepAside(delivery, incidentId, 'undeliverable');
      return [];
    }
    if (state === 'open') {
      this.#touched.push({ n: ++this.#touches, incidentId });
      if (this.#touched.length > TOUCHES_KEPT) this.#touched.shift();
      return [];
    }
    onEnded(tenant, incidentId);
    // An incident that ran and ended before has its trigger already: this is a repetition.
    if (delivery.kind === 'detection') return [];
    await this.#keepAside(delivery, incidentId, 'incident-closed');
    return reconsider(tenant, delivery);
  }

  async #keepAside(delivery: Delivery, incidentId: string, reason: string): Promise<void> {
    const record = undelivered(delivery, tenantOf(incidentId), incidentId, reason);
    await this.#persist('asides', () => this.#options.asides.put([record]));
  }

  #persist<T>(what: string, step: () => Promise<T>): Promise<T> {
    return persist(what, step, this.#options);
  }
}

/** `incident/<tenant>/…` */
const tenantOf = (incidentId: string): string => incidentId.split('/')[1]!;
