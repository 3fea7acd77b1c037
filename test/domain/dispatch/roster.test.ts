import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAPABILITIES, generateRoster } from '../../../domain/dispatch/roster.ts';
import { greatCircleKm } from '../../../domain/dispatch/travel.ts';
import type { Place } from '../../../domain/evidence.ts';

const place = (id: string, latitudeDeg: number, longitudeDeg: number, district = id): Place => ({
  id,
  name: { en: id, zh: id },
  kind: 'place-of-care',
  district,
  population: 1,
  latitudeDeg,
  longitudeDeg,
});

const HUALIEN = place('hualien', 23.98, 121.6);
const BUTTE = place('butte', 46, -112.5);

test('the same seed gives the same roster, another seed another', () => {
  assert.deepEqual(
    generateRoster({ seed: 5, places: [HUALIEN] }),
    generateRoster({ seed: 5, places: [HUALIEN] }),
  );
  assert.notDeepEqual(
    generateRoster({ seed: 5, places: [HUALIEN] }),
    generateRoster({ seed: 6, places: [HUALIEN] }),
  );
});

test('every unit is marked and named as fictional in both languages', () => {
  for (const unit of generateRoster({ places: [HUALIEN, BUTTE] })) {
    assert.equal(unit.fictional, true);
    assert.match(unit.name.en, /^[A-Z][a-z ]+ \d+ \(fictional\)$/);
    assert.match(unit.name.zh, /\d+号（虚构）$/);
  }
});

test('each place has every capability, stationed within 12 km, with its own speed', () => {
  const units = generateRoster({ places: [HUALIEN, BUTTE] });
  for (const where of [HUALIEN, BUTTE]) {
    const near = units.filter(({ district }) => district === where.district);
    for (const capability of CAPABILITIES)
      assert.ok(
        near.some(({ capabilities }) => capabilities.includes(capability)),
        capability,
      );
    for (const { home, speedKmh } of near) {
      assert.ok(greatCircleKm(home, where) <= 12.1);
      assert.ok(speedKmh >= 40 && speedKmh <= 60);
    }
  }
});

test('ids are unique, also where two places share a district', () => {
  const units = generateRoster({ places: [place('tower', 1, 1, 'd'), place('mill', 2, 2, 'd')] });
  assert.equal(new Set(units.map(({ id }) => id)).size, units.length);
});

test('a place keeps its units when another place is added', () => {
  const alone = generateRoster({ seed: 3, places: [BUTTE] });
  const both = generateRoster({ seed: 3, places: [HUALIEN, BUTTE] });
  assert.deepEqual(
    both.filter(({ district }) => district === 'butte'),
    alone,
  );
});

test('the number of each kind can be chosen', () => {
  const units = generateRoster({ places: [HUALIEN], perPlace: { hazmat: 1 } });
  assert.deepEqual(
    units.map(({ id }) => id),
    ['hualien-hazmat-1'],
  );
});

test('stations near the antimeridian and a pole stay on the globe', () => {
  for (const unit of generateRoster({ places: [place('east', 0, 179.99), place('north', 89.99, 0)] })) {
    assert.ok(Math.abs(unit.home.latitudeDeg) <= 90);
    assert.ok(Math.abs(unit.home.longitudeDeg) <= 180);
  }
});
