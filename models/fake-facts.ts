import { canonicalJson } from '../domain/canonical.ts';
import type { FactStore } from '../domain/ports.ts';
import type { Fact } from '../domain/situation.ts';
import { createFakeTable } from './fake-table.ts';
import { factConflict } from './facts.ts';

export function createFakeFactStore(): FactStore {
  const facts = createFakeTable<Fact>();
  return {
    async append(batch) {
      for (const fact of batch) canonicalJson(fact);
      const conflicts: string[] = [];
      for (const fact of batch) {
        const id = `${fact.incidentId}/${fact.seq}`;
        const stored = facts.insert(id, fact) === 'exists' ? facts.get(id) : fact;
        if (canonicalJson(stored) !== canonicalJson(fact)) conflicts.push(id);
      }
      if (conflicts[0] !== undefined) throw factConflict(conflicts[0]);
    },
    async of(incidentId) {
      const record: Fact[] = [];
      for (;;) {
        const fact = facts.get(`${incidentId}/${record.length}`);
        if (fact === null) return record;
        record.push(fact);
      }
    },
  };
}
