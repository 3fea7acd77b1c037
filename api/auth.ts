import { timingSafeEqual } from 'node:crypto';
import { TocsinError } from '../domain/errors.ts';
import type { Principal, PrincipalStore } from '../domain/ports.ts';
import { sha256Hex } from './hash.ts';

/** Who calls, as far as the API needs to know. */
export interface Caller {
  readonly id: string;
  readonly tenant: string;
  readonly roles: readonly string[];
  /** The vendor name of a vendor's principal. */
  readonly vendor?: string;
}

export interface AuthOptions {
  readonly principals: PrincipalStore;
  /**
   * Who a caller without a key on the loopback interface is; null: nobody.
   * @default null
   */
  readonly loopback?: Caller | null;
  /**
   * How long a key that was found stays valid without asking the store again: the longest a revocation takes.
   * @default 5_000
   */
  readonly cacheMs?: number;
  readonly now?: () => number;
}

export interface Auth {
  /**
   * The principal behind an API key.
   * @throws TocsinError UNAUTHENTICATED when the key is unknown or revoked
   */
  byKey(key: string): Promise<Caller>;
  /**
   * The caller behind an `Authorization` value. `fromLoopback` must be true only when the peer itself is local
   * and no proxy stands between.
   * @throws TocsinError UNAUTHENTICATED
   */
  byAuthorization(authorization: string | undefined, fromLoopback: boolean): Promise<Caller>;
}

/** The keyless caller of one machine: may look, may not touch. */
export function loopbackViewer(tenant: string): Caller {
  return { id: 'loopback', tenant, roles: ['viewer'] };
}

const CACHE_SIZE = 1_000;

/** Checks API keys (stored as SHA-256). One for HTTP and gRPC alike. */
export function createAuth({
  principals,
  loopback = null,
  cacheMs = 5_000,
  now = Date.now,
}: AuthOptions): Auth {
  const seen = new Map<string, { caller: Caller; untilMs: number }>();

  async function byKey(key: string): Promise<Caller> {
    const hash = sha256Hex(key);
    const cached = seen.get(hash);
    if (cached !== undefined && cached.untilMs > now()) return cached.caller;
    seen.delete(hash);
    const principal = await principals.byKeyHash(hash);
    if (principal === null || !sameHash(principal.keySha256, hash) || isRevoked(principal, now())) {
      throw new TocsinError('UNAUTHENTICATED', 'This key is not known or was revoked.');
    }
    const caller = callerOf(principal);
    if (seen.size >= CACHE_SIZE) seen.clear();
    seen.set(hash, { caller, untilMs: now() + cacheMs });
    return caller;
  }

  return {
    byKey,
    async byAuthorization(authorization, fromLoopback) {
      if (authorization === undefined || authorization === '') {
        if (fromLoopback && loopback !== null) return loopback;
        throw new TocsinError('UNAUTHENTICATED', 'This needs a key.');
      }
      const key = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1];
      if (key === undefined) {
        throw new TocsinError('UNAUTHENTICATED', 'The Authorization header is not "Bearer <key>".');
      }
      return byKey(key);
    },
  };
}

const isRevoked = (principal: Principal, nowMs: number): boolean =>
  principal.revokedAtMs !== null && principal.revokedAtMs <= nowMs;

function sameHash(a: string, b: string): boolean {
  const left = Buffer.from(a, 'utf8');
  const right = Buffer.from(b, 'utf8');
  return left.length === right.length && timingSafeEqual(left, right);
}

const callerOf = (principal: Principal): Caller => ({
  id: principal.id,
  tenant: principal.tenant,
  roles: principal.roles,
  ...(principal.vendor === undefined ? {} : { vendor: principal.vendor }),
});

/** @throws TocsinError ROLE_REQUIRED unless the caller has one of the roles */
export function requireRole(caller: Caller, roles: readonly string[]): void {
  if (caller.roles.some((role) => roles.includes(role))) return;
  throw new TocsinError('ROLE_REQUIRED', `This needs one of the roles ${roles.join(', ')}.`, {
    details: { roles, yours: caller.roles },
  });
}

/** True when a caller may see what belongs to a tenant: their own, or all for an administrator. */
export const maySee = (caller: Caller, tenant: string): boolean =>
  caller.tenant === tenant || caller.roles.includes('admin');
