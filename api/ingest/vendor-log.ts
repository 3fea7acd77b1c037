import type { EpochMs } from '../../domain/units.ts';
import type { VendorStatus } from '../../proto/gen/tocsin/v1/VendorStatus.ts';
import type { Refusal } from './fair.ts';
import type { StoredBlock } from './frame.ts';
import type { Sender } from './sender.ts';
import type { Reason, Taking } from './taking.ts';

/** Why something was not taken: a refusal of `fair.ts`, or work that nothing but the archive waits for. */
export type RetryCause = Refusal['cause'] | 'archive-only';

/** What each vendor sent since the process started. Vendors are few; each stream asks for its own account once. */
export interface VendorLog {
  of(sender: Sender): VendorAccount;
  all(): readonly VendorAccount[];
  /** @param tenant null: of all tenants */
  status(tenant: string | null): VendorStatus[];
}

/** One vendor's counts, kept where every message passes: plain numbers, read when somebody asks. */
export class VendorAccount {
  readonly sender: Sender;
  /** 0: never. */
  lastHeardAtMs: EpochMs = 0;
  /** When the newest of what is archived was observed; -Infinity: nothing is. */
  newestAtMs: EpochMs = -Infinity;
  accepted = 0;
  duplicate = 0;
  readonly quarantined = new Map<Reason, number>();
  /** Messages that were answered so, in whole or in part. */
  readonly retryLater = new Map<RetryCause, number>();

  constructor(sender: Sender) {
    this.sender = sender;
  }

  heard(atMs: EpochMs): void {
    this.lastHeardAtMs = atMs;
  }

  /** It is archived. */
  archived({ counts, blocks }: Taking): void {
    this.accepted += counts.accepted;
    this.duplicate += counts.duplicate;
    if (counts.quarantined !== null) {
      for (const [reason, count] of counts.quarantined) add(this.quarantined, reason, count);
    }
    for (const block of blocks) {
      const atMs = observedAt(block);
      if (atMs > this.newestAtMs) this.newestAtMs = atMs;
    }
  }

  askedAgain(cause: RetryCause): void {
    add(this.retryLater, cause, 1);
  }
}

export function createVendorLog(): VendorLog {
  const accounts = new Map<string, VendorAccount>();
  return {
    of(sender) {
      const key = `${sender.tenant}|${sender.vendor}`;
      let known = accounts.get(key);
      if (known === undefined) accounts.set(key, (known = new VendorAccount(sender)));
      return known;
    },
    all: () => [...accounts.values()],
    status: (tenant) =>
      [...accounts.values()]
        .filter(({ sender }) => tenant === null || sender.tenant === tenant)
        .map(({ sender, lastHeardAtMs, accepted, duplicate, retryLater, quarantined }) => ({
          vendor: sender.vendor,
          lastHeardAtMs,
          accepted,
          duplicate,
          retryLater: [...retryLater.values()].reduce((sum, count) => sum + count, 0),
          quarantined: Object.fromEntries(quarantined),
        })),
  };
}

function add<K>(counts: Map<K, number>, key: K, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

/** When the last of a block was observed. */
function observedAt(block: StoredBlock): number {
  switch (block.kind) {
    case 'readings':
      return block.atMs.at(-1) ?? -Infinity;
    case 'runs': {
      let latest = -Infinity;
      for (const end of block.ends) latest = Math.max(latest, block.atMs[end - 1]!);
      return latest;
    }
    case 'waveform':
      return block.startedAtMs + (block.samples.length * 1_000) / block.rateHz;
    default:
      return block.bulletin.observedAtMs;
  }
}
