import { canonicalJson } from '../domain/canonical.ts';
import type { RecogniserActivation, RecogniserStore, StoredRecogniser } from '../domain/ports.ts';
import { byStoring, refuseTooLarge } from './recognisers.ts';
import type { Registered } from './recognisers.ts';

export function createFakeRecogniserStore(of: Registered = 'recogniser'): RecogniserStore {
  const recognisers = new Map<string, StoredRecogniser>();
  const activations = new Map<string, RecogniserActivation[]>();
  const copyOf = (recogniser: StoredRecogniser): StoredRecogniser => ({
    name: recogniser.name,
    hash: recogniser.hash,
    artefact: recogniser.artefact.slice(),
    card: JSON.parse(canonicalJson(recogniser.card)) as StoredRecogniser['card'],
    atMs: recogniser.atMs,
  });
  return {
    async insert(recogniser) {
      refuseTooLarge(of, recogniser.artefact);
      const id = `${recogniser.name}@${recogniser.hash}`;
      if (recognisers.has(id)) return 'exists';
      recognisers.set(id, copyOf(recogniser));
      return 'inserted';
    },
    async get(name, hash) {
      const found = recognisers.get(`${name}@${hash}`);
      return found === undefined ? null : copyOf(found);
    },
    versions: async (name) =>
      [...recognisers.values()]
        .filter((one) => one.name === name)
        .map((one) => {
          const { artefact: _artefact, ...version } = copyOf(one);
          return version;
        })
        .sort(byStoring),
    async activate({ name, hash, by, reason, atMs }) {
      const earlier = activations.get(name) ?? [];
      const n = earlier.length + 1;
      activations.set(name, [...earlier, { n, hash, by, reason, atMs }]);
      return n;
    },
    async active(name) {
      const last = activations.get(name)?.at(-1);
      return last === undefined ? null : { hash: last.hash, n: last.n };
    },
    activations: async (name) => [...(activations.get(name) ?? [])],
    names: async () => [...new Set([...recognisers.values()].map(({ name }) => name))].sort(),
  };
}
