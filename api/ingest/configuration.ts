import type { Logger } from 'pino';
import type { PinnedPlan, WatchOptions } from '../../domain/detect/watch.ts';
import type { ForecasterStore, PlanStore, SiteStore } from '../../domain/ports.ts';
import type { IngestStores } from '../../domain/ports-ingest.ts';
import type { EpochMs } from '../../domain/units.ts';
import { forecasterDoubtRecord } from './aside-records.ts';
import { createForecasterLoader, NO_FORECASTERS } from './forecasters.ts';
import type { Forecasters } from './forecasters.ts';
import type { Registry } from './registry.ts';

export interface ConfigurationOptions {
  readonly stores: Pick<IngestStores, 'asides'> & {
    readonly plans: PlanStore;
    readonly sites: SiteStore;
    readonly forecasters: ForecasterStore;
  };
  readonly registry: Pick<Registry, 'all' | 'revision'>;
  readonly log: Pick<Logger, 'warn'>;
  /** How often the stores are read again. */
  readonly refreshEveryMs: number;
  readonly now: () => EpochMs;
}

/** What detection goes by, as last read: the plans in force and those that incidents are pinned to, places, forecasters. */
export class Configuration {
  readonly #options: ConfigurationOptions;
  readonly #loadForecasters: ReturnType<typeof createForecasterLoader>;
  readonly #pinned = new Map<string, PinnedPlan>();
  #plans: readonly PinnedPlan[] = [];
  #places: WatchOptions['places'] = [];
  #forecasters: Forecasters = NO_FORECASTERS;
  #readAt = -Infinity;
  /** Changes with whatever watches are built from. */
  #version = '';
  #hasRecordedDoubts = true;

  constructor(options: ConfigurationOptions) {
    this.#options = options;
    this.#loadForecasters = createForecasterLoader(options.stores.forecasters);
  }

  get isDue(): boolean {
    return performance.now() - this.#readAt >= this.#options.refreshEveryMs;
  }

  /**
   * Reads plans, places and forecasters.
   * @returns whether these or the sensors changed: then the watches must be built anew
   */
  async read(): Promise<boolean> {
    const { registry } = this.#options;
    const { plans, sites } = this.#options.stores;
    const active: PinnedPlan[] = [];
    for (const planId of await plans.plans()) {
      const activation = await plans.active(planId);
      if (activation === null) continue;
      const known = this.#plans.find((plan) => plan.hash === activation.hash);
      const version = known ?? (await plans.version(planId, activation.hash));
      if (version !== null) active.push({ document: version.document, hash: version.hash });
    }
    const places = await sites.places();
    const forecasters = await this.#loadForecasters([...active, ...this.#pinned.values()]);
    this.#readAt = performance.now();
    const version = JSON.stringify([
      active.map((plan) => plan.hash),
      places,
      registry.revision(),
      forecasters.versions,
    ]);
    if (version === this.#version) return false;
    this.#version = version;
    this.#hasRecordedDoubts = false;
    this.#forecasters = forecasters;
    this.#plans = active;
    this.#places = places;
    for (const plan of active) this.pin(plan);
    return true;
  }

  /** Keeps a version for incidents that are pinned to it. */
  pin(plan: PinnedPlan): void {
    this.#pinned.set(plan.hash, plan);
  }

  /** Fetches the versions that open incidents are pinned to. */
  async pinAllOf(open: readonly { readonly planId: string; readonly planHash: string }[]): Promise<void> {
    for (const { planId, planHash } of open) {
      if (this.#pinned.has(planHash)) continue;
      const version = await this.#options.stores.plans.version(planId, planHash);
      if (version === null) {
        this.#options.log.warn({ planId, planHash }, 'an open incident is pinned to an unknown plan version');
      } else {
        this.pin({ document: version.document, hash: version.hash });
      }
    }
  }

  pinned(hash: string): PinnedPlan | undefined {
    return this.#pinned.get(hash);
  }

  /** What a watch is built from, but for its tenant, its sensors and what it remembers. */
  get forWatches(): Omit<WatchOptions, 'tenant' | 'sensors' | 'state'> {
    return {
      plans: this.#plans,
      pinned: [...this.#pinned.values()],
      places: this.#places,
      forecasters: this.#forecasters.usable,
    };
  }

  /** Whether any plan in force watches a channel. */
  watchesChannel(channel: string): boolean {
    return this.#plans.some(({ document }) => Object.hasOwn(document.channels, channel));
  }

  /** Records each forecaster that cannot be used, for the tenants that it concerns, once after each change. */
  async recordDoubts(): Promise<void> {
    if (this.#hasRecordedDoubts) return;
    const { now, stores, registry, log } = this.#options;
    const { doubts } = this.#forecasters;
    const sensors = registry.all();
    const records = doubts.flatMap((doubt) => {
      const concerned = sensors.filter(({ channel }) => channel === doubt.channel);
      return [...new Set(concerned.map(({ tenant }) => tenant))].map((tenant) =>
        forecasterDoubtRecord(tenant, doubt, now()),
      );
    });
    if (records.length > 0) {
      await stores.asides.put(records);
      for (const doubt of doubts) log.warn(doubt, 'a trained forecast cannot be used');
    }
    this.#hasRecordedDoubts = true;
  }
}
