import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { IncidentStore, IncidentView, ProposalStore } from '../../domain/ports.ts';

/** Something changed; `tenant` null: everybody may know. */
export interface Change {
  /** `<run of this process>-<number>`: what Last-Event-ID carries. */
  readonly id: string;
  readonly event: 'incident' | 'proposal';
  readonly tenant: string | null;
  readonly data: IncidentView | { readonly proposalId: string; readonly decided: boolean };
}

export interface ChangeFeed {
  /** Calls back for every change from now on; the feed reads the store only while somebody listens. */
  subscribe(listener: (change: Change) => void): () => void;
  /** Changes after `lastId`, oldest first; null when they are no longer known and all must be read again. */
  since(lastId: string): readonly Change[] | null;
  readonly lastId: string;
  /** Wall time of the last successful reading of the store; null before the first. */
  readonly asOfMs: number | null;
  close(): void;
}

export interface ChangeFeedOptions {
  readonly incidents: IncidentStore;
  readonly proposals: ProposalStore;
  readonly log: Logger;
  readonly now?: () => number;
  /**
   * Shortest time between two readings. A reading that takes long is followed by a rest of nine times its
   * length, so that looking never takes more than a tenth of the store.
   * @default 500
   */
  readonly everyMs?: number;
  /**
   * Changes kept for those who come back.
   * @default 1_000
   */
  readonly keep?: number;
}

/** Every n-th reading looks at all incidents and proposals, the others at open incidents only. */
const FULL_EVERY = 10;
const LONGEST_REST_MS = 5_000;

/** Finds changes by reading small projections again and again: the store has no change streams to rely on. */
export function createChangeFeed({
  incidents,
  proposals,
  log,
  now = Date.now,
  everyMs = 500,
  keep = 1_000,
}: ChangeFeedOptions): ChangeFeed {
  const run = randomBytes(6).toString('hex');
  const listeners = new Set<(change: Change) => void>();
  const kept: Change[] = [];
  const writtenAt = new Map<string, string>();
  const decided = new Map<string, boolean>();
  let open = new Set<string>();
  let count = 0;
  let readings = 0;
  let asOfMs: number | null = null;
  let timer: NodeJS.Timeout | null = null;
  let reading = false;
  let failing = false;

  function emit(change: Omit<Change, 'id'>): void {
    count += 1;
    const numbered = { ...change, id: `${run}-${count}` };
    kept.push(numbered);
    if (kept.length > keep) kept.shift();
    for (const listener of listeners) listener(numbered);
  }

  function compare(view: IncidentView, quiet: boolean): void {
    const mark = `${view.updatedAtMs}|${view.writtenAtMs}|${view.phase}|${view.situation.factCount}`;
    if (writtenAt.get(view.incidentId) === mark) return;
    writtenAt.set(view.incidentId, mark);
    if (!quiet) emit({ event: 'incident', tenant: view.tenant, data: view });
  }

  async function readIncidents(full: boolean, quiet: boolean): Promise<void> {
    const views = await incidents.list(full ? {} : { open: true });
    for (const view of [...views].reverse()) compare(view, quiet);
    const openNow = new Set(views.filter((view) => view.phase !== 'closed').map((view) => view.incidentId));
    for (const gone of open) {
      if (openNow.has(gone)) continue;
      const view = await incidents.get(gone);
      if (view !== null) compare(view, quiet);
    }
    open = openNow;
  }

  async function readProposals(quiet: boolean): Promise<void> {
    for (const proposal of await proposals.list()) {
      if (decided.get(proposal.id) === true) continue;
      const isDecided = (await proposals.decision(proposal.id)) !== null;
      if (decided.get(proposal.id) === isDecided) continue;
      decided.set(proposal.id, isDecided);
      if (quiet) continue;
      emit({ event: 'proposal', tenant: null, data: { proposalId: proposal.id, decided: isDecided } });
    }
  }

  async function read(): Promise<void> {
    // The first reading only learns what is there: listeners have read the lists themselves.
    const quiet = readings === 0;
    const full = readings % FULL_EVERY === 0;
    await readIncidents(full, quiet);
    if (full) await readProposals(quiet);
    readings += 1;
    asOfMs = now();
  }

  async function turn(): Promise<void> {
    if (reading) return;
    reading = true;
    const startedAt = performance.now();
    try {
      await read();
      if (failing) log.info('changes can be read again');
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'changes cannot be read; viewers are told that their data ages');
      failing = true;
    } finally {
      reading = false;
    }
    if (listeners.size === 0) return;
    const tookMs = performance.now() - startedAt;
    const rest = Math.min(Math.max(everyMs, tookMs * 9), Math.max(everyMs, LONGEST_REST_MS));
    timer = setTimeout(() => void turn(), rest);
    timer.unref();
  }

  return {
    subscribe(listener) {
      listeners.add(listener);
      if (timer === null && !reading) void turn();
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0 || timer === null) return;
        clearTimeout(timer);
        timer = null;
      };
    },
    since(lastId) {
      const [ofRun, number] = lastId.split('-');
      if (ofRun !== run || number === undefined || !/^\d+$/.test(number)) return null;
      const after = Number(number);
      if (after > count || after < count - kept.length) return null;
      return kept.slice(kept.length - (count - after));
    },
    get lastId() {
      return `${run}-${count}`;
    },
    get asOfMs() {
      return asOfMs;
    },
    close() {
      listeners.clear();
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
