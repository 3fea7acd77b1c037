import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createWatch } from '../../../domain/detect/watch.ts';
import type { Sensor } from '../../../domain/ports.ts';
import { fromGeoJson, readEarthquakeWeek } from '../../../exercise/feeds/earthquakes.ts';
import { methaneScenario } from '../../../exercise/feeds/methane.ts';
import { fromWire } from '../../../proto/map.ts';
import { bulletinToWire } from '../../../proto/map.ts';
import { IngestService } from '../../../proto/load.ts';
import { gasLeak } from '../../../plans/gas-leak.ts';
import { riverside, T0 } from '../../support/plans.ts';

describe('the week of earthquakes', () => {
  it('is all there, in time order, each event once', async () => {
    const { bulletins, labels } = await readEarthquakeWeek();
    assert.equal(bulletins.length, 1_707);
    assert.equal(new Set(bulletins.map(({ id }) => id)).size, 1_707);
    assert.ok(bulletins.every((one, n) => n === 0 || one.observedAtMs >= bulletins[n - 1]!.observedAtMs));
    const counts: Record<string, number> = {};
    for (const label of labels.values()) counts[label] = (counts[label] ?? 0) + 1;
    assert.deepEqual(counts, { earthquake: 1_679, explosion: 15, 'quarry-blast': 13 });
  });

  it('does not give away what an event turned out to be', async () => {
    const { bulletins } = await readEarthquakeWeek();
    const text = JSON.stringify(bulletins);
    assert.doesNotMatch(text, /quarry|blast|"explosion/i);
    assert.deepEqual([...new Set(bulletins.map(({ type }) => type))], ['earthquake-notice']);
  });

  it('passes through the wire unchanged', async () => {
    const { bulletins } = await readEarthquakeWeek();
    const { requestSerialize, requestDeserialize } = IngestService.service.Publish;
    for (const bulletin of bulletins.slice(0, 200)) {
      const { items } = requestDeserialize(requestSerialize({ items: [bulletinToWire(bulletin)] }));
      assert.deepEqual(fromWire(items[0]!), { kind: 'bulletin', bulletin: sorted(bulletin) });
    }
  });

  it('keeps what was not measured apart from zero', () => {
    const feature = {
      id: 'x',
      properties: {
        mag: null,
        magType: null,
        place: null,
        time: 5,
        tz: null,
        net: 'n',
        nst: 0,
        gap: null,
        dmin: null,
        rms: null,
        type: 'earthquake',
      },
      geometry: { coordinates: [1, 2, null] as const },
    };
    const [bulletin] = fromGeoJson({ features: [feature] }).bulletins;
    assert.equal(bulletin!.fields['magnitude'], null);
    assert.equal(bulletin!.fields['stations'], 0);
    assert.equal(bulletin!.fields['depthKm'], null);
  });
});

const sorted = <T extends { readonly fields: object }>(bulletin: T): T => ({
  ...bulletin,
  fields: Object.fromEntries(Object.entries(bulletin.fields).sort(([a], [b]) => (a < b ? -1 : 1))),
});

const rooms = ['boiler-room', 'riser', 'lobby', 'kitchen'];
const sensors = rooms.map((id): Sensor => ({
  id,
  vendor: 'gasworks',
  tenant: 'city',
  site: 'tower',
  channel: 'methane',
  unit: '%LEL',
  low: 0,
  high: 100,
  position: null,
}));

/** What the gas plan makes of a scenario: when it opens, when each condition turns. */
function watched(seed: number): { opened: number[]; turns: (readonly [string, boolean, number])[] } {
  const scenario = methaneScenario({ startMs: T0, seed, sensors: rooms });
  const watch = createWatch({
    tenant: 'city',
    plans: [{ document: gasLeak, hash: 'g' }],
    places: [{ ...riverside, id: 'tower', kind: 'building' }],
    sensors,
  });
  const found = scenario.sweeps.flatMap(({ atMs, readings }) =>
    readings.flatMap(({ sensor, valueLel }) =>
      watch.acceptReadings({ sensor, atMs: [atMs], values: [valueLel], receivedAtMs: atMs }),
    ),
  );
  return {
    opened: found.flatMap((one) => (one.kind === 'detection' ? [one.detection.atMs] : [])),
    turns: found.flatMap((one) =>
      one.kind === 'evidence' && one.evidence.kind === 'readings'
        ? [[one.evidence.leaf, one.evidence.holds, one.evidence.atMs] as const]
        : [],
    ),
  };
}

describe('the gas-leak scenario', () => {
  it('is the same for the same seed, and another for another', () => {
    const of = (seed: number): string =>
      JSON.stringify(methaneScenario({ startMs: T0, seed, sensors: rooms }));
    assert.equal(of(1), of(1));
    assert.notEqual(of(1), of(2));
  });

  it('opens exactly one incident, in the leak and not at the cook, which resolves after the gas is shut off', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (seed) => {
        const { truth } = methaneScenario({ startMs: T0, seed, sensors: rooms });
        const { opened, turns } = watched(seed);
        assert.equal(opened.length, 1);
        assert.ok(opened[0]! > truth.leak.fromMs && opened[0]! < truth.leak.fromMs + 8 * 60_000);
        const resolved = turns.find(([leaf, holds]) => leaf === 'evaluate.resolvedWhen' && holds);
        assert.ok(resolved !== undefined && resolved[2] > truth.shutAtMs);
        assert.ok(turns.some(([leaf, holds]) => leaf === 'classify.scale.0.when' && holds));
      }),
      { numRuns: 25 },
    );
  });

  it('gives every sensor a plausible value every 5 seconds', () => {
    const { sweeps } = methaneScenario({ startMs: T0, seed: 3, sensors: rooms });
    sweeps.forEach(({ atMs, readings }, n) => {
      assert.equal(atMs, T0 + n * 5_000);
      assert.deepEqual(
        readings.map(({ sensor }) => sensor),
        rooms,
      );
      assert.ok(readings.every(({ valueLel }) => valueLel >= 0 && valueLel <= 100));
    });
  });
});
