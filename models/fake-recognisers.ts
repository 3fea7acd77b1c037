import { canonicalJson } from '../domain/canonical.ts';
import type { RecogniserStore, StoredRecogniser } from '../domain/ports.ts';
import { refuseTooLarge } from './recognisers.ts';

export function createFakeRecogniserStore(): RecogniserStore {
  const recognisers = new Map<string, StoredRecogniser>();
  const activations = new Map<string, string[]>();
  const copyOf = (recogniser: StoredRecogniser): StoredRecogniser => ({
    name: recogniser.name,
    hash: recogniser.hash,
    artefact: recogniser.artefact.slice(),
    card: JSON.parse(canonicalJson(recogniser.card)) as StoredRecogniser['card'],
    atMs: recogniser.atMs,
  });
  return {
    async insert(recogniser) {
      refuseTooLarge(recogniser.artefact);
      const id = `${recogniser.name}@${recogniser.hash}`;
      if (recognisers.has(id)) return 'exists';
      recognisers.set(id, copyOf(recogniser));
      return 'inserted';
    },
    async get(name, hash) {
      const found = recognisers.get(`${name}@${hash}`);
      return found === undefined ? null : copyOf(found);
    },
    async activate({ name, hash }) {
      const hashes = activations.get(name) ?? [];
      activations.set(name, [...hashes, hash]);
      return hashes.length + 1;
    },
    async active(name) {
      const hashes = activations.get(name) ?? [];
      const hash = hashes.at(-1);
      return hash === undefined ? null : { hash, n: hashes.length };
    },
    names: async () => [...new Set([...recognisers.values()].map(({ name }) => name))].sort(),
  };
}
