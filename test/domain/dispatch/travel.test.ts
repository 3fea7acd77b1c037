import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { greatCircleKm, ROAD_FACTOR, travelEstimateMs, TURNOUT_MS } from '../../../domain/dispatch/travel.ts';

const position = fc.record({
  latitudeDeg: fc.double({ min: -90, max: 90, noNaN: true }),
  longitudeDeg: fc.double({ min: -180, max: 180, noNaN: true }),
});

test('a quarter of the equator is a quarter of 40,030 km', () => {
  const km = greatCircleKm({ latitudeDeg: 0, longitudeDeg: 0 }, { latitudeDeg: 0, longitudeDeg: 90 });
  assert.ok(Math.abs(km - 10_007.557) < 0.01);
});

test('Taipei to Hualien is about 118 km as the crow flies', () => {
  const taipei = { latitudeDeg: 25.033, longitudeDeg: 121.565 };
  const hualien = { latitudeDeg: 23.977, longitudeDeg: 121.604 };
  assert.ok(Math.abs(greatCircleKm(taipei, hualien) - 117.5) < 1);
});

test('the short way over the antimeridian is taken', () => {
  const km = greatCircleKm({ latitudeDeg: 0, longitudeDeg: 179.5 }, { latitudeDeg: 0, longitudeDeg: -179.5 });
  assert.ok(Math.abs(km - 111.195) < 0.01);
});

test('distance is symmetric, zero to itself and never beyond half the globe', () => {
  fc.assert(
    fc.property(position, position, (a, b) => {
      assert.equal(greatCircleKm(a, a), 0);
      assert.ok(Math.abs(greatCircleKm(a, b) - greatCircleKm(b, a)) < 1e-6);
      assert.ok(greatCircleKm(a, b) <= 20_016);
    }),
  );
});

test('a unit next door still needs its turnout, and 50 km of road take an hour at 50 km/h', () => {
  const here = { latitudeDeg: 0, longitudeDeg: 0 };
  assert.equal(travelEstimateMs(here, here, 50), TURNOUT_MS);
  const away = { latitudeDeg: 0, longitudeDeg: 50 / ROAD_FACTOR / 111.1949 };
  assert.ok(Math.abs(travelEstimateMs(here, away, 50) - TURNOUT_MS - 3_600_000) < 1_000);
});

test('a unit that does not move is refused', () => {
  const here = { latitudeDeg: 0, longitudeDeg: 0 };
  for (const speedKmh of [0, -1, Number.NaN])
    assert.throws(() => travelEstimateMs(here, here, speedKmh), RangeError);
});
