import { requireRole } from '../api/auth.ts';
import { MAY } from '../api/http/route.ts';
import type { Principal, Stores } from '../domain/ports.ts';
import { TocsinError } from '../domain/errors.ts';
import { sha256Hex } from '../models/hash.ts';
import { chosenKey } from './credentials.ts';

/**
 * Who writes into the register of recognisers: the principal of `--as`, of TOCSIN_KEY or TOCSIN_AS, else this
 * machine's `admin`. What is recorded is who held the key, not who was named.
 *
 * @throws TocsinError UNAUTHENTICATED or ROLE_REQUIRED; CommandFailed (usage) when no key is known
 */
export async function actingPrincipal(
  { principals }: Pick<Stores, 'principals'>,
  as: string | undefined,
): Promise<Principal> {
  const key = chosenKey(as) ?? chosenKey('admin')!;
  const principal = await principals.byKeyHash(sha256Hex(key));
  if (principal === null || principal.revokedAtMs !== null) {
    throw new TocsinError('UNAUTHENTICATED', 'This key is not known to the store or was revoked.');
  }
  requireRole(principal, MAY.decideProposals);
  return principal;
}
