import { timingSafeEqual } from 'node:crypto';
import type { Connection } from 'mongoose';
import { canonicalJson } from '../domain/canonical.ts';
import { TocsinError } from '../domain/errors.ts';
import type { Principal, PrincipalStore } from '../domain/ports.ts';
import { openCollection } from './collection.ts';
import type { Row } from './collection.ts';
import { byId } from './roster.ts';

interface PrincipalRow extends Row {
  readonly json: string;
}

/** `_id` is the SHA-256 of a key: every call looks a key up, so it must be an exact read. */
interface KeyRow extends Row {
  readonly principalId: string;
}

/** Who may call. Rotating a key leaves the old one behind as a row that no longer leads to its principal. */
export function createPrincipalStore(connection: Connection): PrincipalStore {
  const principals = openCollection<PrincipalRow>(connection, 'principals', { json: String });
  const keys = openCollection<KeyRow>(connection, 'principalKeys', { principalId: String });
  return {
    async put(principal) {
      const key = { _id: principal.keySha256, principalId: principal.id };
      if ((await keys.insert(key)) === 'exists') {
        const taken = await keys.get(key._id);
        if (taken?.principalId !== principal.id) throw keyTaken();
      }
      await principals.replace({ _id: principal.id, json: canonicalJson(principal) });
    },
    async byKeyHash(keySha256) {
      const key = await keys.get(keySha256);
      const row = key === null ? null : await principals.get(key.principalId);
      if (row === null) return null;
      const principal = JSON.parse(row.json) as Principal;
      return sameHash(principal.keySha256, keySha256) ? principal : null;
    },
    list: async () => (await principals.find({})).map((row) => JSON.parse(row.json) as Principal).sort(byId),
  };
}

/** A key names one principal for ever. */
export function keyTaken(): TocsinError {
  return new TocsinError('PRINCIPAL_KEY_TAKEN', 'This key belongs to another principal. Make a new key.');
}

/** In constant time for hashes of one length. */
export function sameHash(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
