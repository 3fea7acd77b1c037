import { TocsinError } from '../../domain/errors.ts';
import type { Principal, PrincipalStore } from '../../domain/ports.ts';
import type { Caller } from '../auth.ts';

/** The principals as they were at most 5 s ago. Few people and vendors exist: all are read at once. */
export interface PrincipalDirectory {
  /** @throws TocsinError UNAUTHENTICATED for nobody, or somebody who was revoked */
  byId(id: string): Promise<Caller>;
}

const READ_EVERY_MS = 5_000;

export function createPrincipalDirectory(
  principals: Pick<PrincipalStore, 'list'>,
  { forMs = READ_EVERY_MS, now = Date.now }: { readonly forMs?: number; readonly now?: () => number } = {},
): PrincipalDirectory {
  let known: ReadonlyMap<string, Principal> = new Map();
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: { readonly done: Promise<void>; readonly sinceMs: number } | null = null;

  async function read(askedAtMs: number): Promise<void> {
    const found = new Map((await principals.list()).map((one) => [one.id, one]));
    // An answer that was overtaken by a later one says less.
    if (askedAtMs < readAtMs) return;
    known = found;
    readAtMs = askedAtMs;
  }
  /** However many ask, the store is read once; a store that never answers is asked again. */
  function readOnce(): Promise<void> {
    const nowMs = now();
    if (reading === null || nowMs - reading.sinceMs > READ_EVERY_MS) {
      const begun = { done: read(nowMs), sinceMs: nowMs };
      reading = begun;
      const forget = (): void => void (reading === begun && (reading = null));
      begun.done.then(forget, forget);
    }
    return reading.done;
  }
  return {
    async byId(id) {
      if (now() - readAtMs >= forMs) await readOnce();
      const principal = known.get(id);
      if (principal === undefined || (principal.revokedAtMs !== null && principal.revokedAtMs <= now())) {
        throw new TocsinError('UNAUTHENTICATED', 'This caller is not known or was revoked.');
      }
      const { tenant, roles, vendor } = principal;
      return { id, tenant, roles, ...(vendor === undefined ? {} : { vendor }) };
    },
  };
}
