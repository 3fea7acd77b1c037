import type { Principal, PrincipalStore } from '../domain/ports.ts';
import { createFakeTable } from './fake-table.ts';
import { keyTaken, sameHash } from './principals.ts';
import { byId } from './roster.ts';

export function createFakePrincipalStore(): PrincipalStore {
  const principals = createFakeTable<Principal>();
  const keys = createFakeTable<string>();
  return {
    async put(principal) {
      if (keys.insert(principal.keySha256, principal.id) === 'exists')
        if (keys.get(principal.keySha256) !== principal.id) throw keyTaken();
      principals.replace(principal.id, principal);
    },
    byKeyHash: async (keySha256) =>
      principals.all().find((principal) => sameHash(principal.keySha256, keySha256)) ?? null,
    list: async () => principals.all().sort(byId),
  };
}
