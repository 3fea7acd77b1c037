import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLACES, SENSORS } from '../../exercise/places.ts';

test('ids of places are unique slugs, and so are their districts', () => {
  const ids = PLACES.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const { id, district } of PLACES) {
    assert.match(id, /^[a-z]+(-[a-z]+)*$/);
    assert.match(district, /^[a-z]+(-[a-z]+)*$/);
  }
});

test('positions are on the globe and names are in both languages', () => {
  for (const { name, latitudeDeg, longitudeDeg, population } of PLACES) {
    assert.ok(Math.abs(latitudeDeg) <= 90 && Math.abs(longitudeDeg) <= 180);
    assert.ok(name.en.length > 0 && /\p{Script=Han}/u.test(name.zh));
    assert.ok(Number.isInteger(population) && population >= 0);
  }
});

test('the only invented place says so, and it is the building with the sensors', () => {
  const invented = PLACES.filter(({ name }) => name.en.includes('(fictional)'));
  assert.deepEqual(
    invented.map(({ id, kind }) => [id, kind]),
    [['riverside-tower', 'building']],
  );
  assert.ok(
    SENSORS.every(
      ({ site, channel, unit }) => site === 'riverside-tower' && channel === 'methane' && unit === '%LEL',
    ),
  );
  assert.ok(SENSORS.length >= 3);
});

test('the building is served by the district of a place of care', () => {
  const tower = PLACES.find(({ kind }) => kind === 'building');
  assert.ok(PLACES.some(({ kind, district }) => kind === 'place-of-care' && district === tower?.district));
});
