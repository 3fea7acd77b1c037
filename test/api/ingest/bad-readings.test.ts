import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { Dedup } from '../../../api/ingest/dedup.ts';
import { FLAG } from '../../../api/ingest/frame.ts';
import type { StoredBlock } from '../../../api/ingest/frame.ts';
import { createIntake } from '../../../api/ingest/intake.ts';
import { INGEST_LIMITS } from '../../../api/ingest/limits.ts';
import { readMessage } from '../../../api/ingest/message.ts';
import { createRandom } from '../../../domain/random.ts';
import { IngestService } from '../../../proto/load.ts';
import { BAD_CLASSES, NOW } from './bad-readings.ts';

const VARIANTS = 250;
const sender = { tenant: 'city', vendor: 'gasworks' };

function openIntake(): ReturnType<typeof createIntake> {
  return createIntake({
    dedup: new Dedup(),
    sensorOf: ({ tenant, vendor }, name) =>
      /^s\d+$/.test(name)
        ? {
            id: `${tenant}/${vendor}/${name}`,
            tenant,
            vendor,
            site: 'tower',
            channel: 'methane',
            unit: '%LEL',
            low: 0,
            high: 100,
            position: null,
          }
        : undefined,
    revision: () => 0,
    clockOf: () => 'wall',
    limits: INGEST_LIMITS,
  });
}

function marksOf(blocks: readonly StoredBlock[]): string {
  const flags = blocks.reduce(
    (all, block) =>
      all | (typeof block.flags === 'number' ? block.flags : block.flags.reduce((a, b) => a | b, 0)),
    0,
  );
  return `${(flags & FLAG.skew) === 0 ? '' : ', skew'}${(flags & FLAG.late) === 0 ? '' : ', late'}`;
}

describe('bad readings', () => {
  for (const [index, { name, becomes, make }] of BAD_CLASSES.entries()) {
    it(`${name}: ${becomes}`, () => {
      const random = createRandom(index);
      const intake = openIntake();
      for (let n = 1; n <= VARIANTS; n++) {
        const made = make({ random, n, sensor: `s${index}` });
        const items = Array.isArray(made) ? made : [made];
        const bytes = IngestService.service.Publish.requestSerialize({ sequence: n, sentAtMs: NOW, items });
        const taking = intake.take(sender, readMessage('Publish', bytes, intake.namesOf(sender)), NOW);
        const of = taking.runs.filter(({ firstItem, items: count }) => firstItem + count === items.length);
        const verdicts = of.map(({ verdict }) => (verdict === 'new' ? 'ACCEPTED' : verdict));
        assert.equal(`${verdicts.join(' ')}${marksOf(taking.blocks)}`, becomes, `variant ${n}`);
        const refused = verdicts.filter((verdict) => verdict !== 'ACCEPTED' && verdict !== 'DUPLICATE');
        assert.equal(taking.quarantined.length > 0, refused.length > 0, 'what is refused is kept for people');
        for (const one of taking.quarantined) assert.notEqual(one.explanation, '');
      }
    });
  }

  it('are at least forty classes, and the guide shows each with what becomes of it', () => {
    assert.ok(BAD_CLASSES.length >= 40);
    const guide = fs.readFileSync(path.resolve(import.meta.dirname, '../../../docs/ingestion.md'), 'utf8');
    const rows = [...guide.matchAll(/^\| (.+?) +\| `(.+?)` +\|$/gm)].map(([, name, becomes]) => [
      name,
      becomes,
    ]);
    assert.deepEqual(
      rows,
      BAD_CLASSES.map(({ name, becomes }) => [name, becomes]),
    );
  });
});
