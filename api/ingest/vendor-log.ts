import type { EpochMs } from '../../domain/units.ts';
import type { VendorStatus } from '../../proto/gen/tocsin/v1/VendorStatus.ts';
import type { Counts } from './intake.ts';
import type { Sender } from './sender.ts';

/** What each vendor sent since the process started. */
export interface VendorLog {
  heard(sender: Sender, atMs: EpochMs): void;
  taken(sender: Sender, counts: Counts): void;
  retryLater(sender: Sender): void;
  of(tenant: string | null): VendorStatus[];
}

interface Entry {
  readonly sender: Sender;
  lastHeardAtMs: EpochMs;
  accepted: number;
  duplicate: number;
  retryLater: number;
  readonly quarantined: Record<string, number>;
}

export function createVendorLog(): VendorLog {
  const entries = new Map<string, Entry>();
  const entry = (sender: Sender): Entry => {
    const key = `${sender.tenant}|${sender.vendor}`;
    let known = entries.get(key);
    if (known === undefined) {
      known = { sender, lastHeardAtMs: 0, accepted: 0, duplicate: 0, retryLater: 0, quarantined: {} };
      entries.set(key, known);
    }
    return known;
  };
  return {
    heard: (sender, atMs) => void (entry(sender).lastHeardAtMs = atMs),
    taken(sender, counts) {
      const one = entry(sender);
      one.accepted += counts.accepted;
      one.duplicate += counts.duplicate;
      for (const [reason, count] of counts.quarantined) {
        one.quarantined[reason] = (one.quarantined[reason] ?? 0) + count;
      }
    },
    retryLater: (sender) => void (entry(sender).retryLater += 1),
    of: (tenant) =>
      [...entries.values()]
        .filter(({ sender }) => tenant === null || sender.tenant === tenant)
        .map(({ sender, ...counts }) => ({ vendor: sender.vendor, ...counts })),
  };
}
