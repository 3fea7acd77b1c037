import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effectsOf } from '../../domain/detect/intensity.ts';
import { PLACES } from '../../exercise/places.ts';
import { earthquake } from '../../plans/index.ts';
import { coursesOf, weekOfNotices } from './week.ts';

const HOUR = 3_600_000;
const notices = weekOfNotices();
const courses = coursesOf(earthquake, notices, PLACES);
const at = (iso: string): number => Date.parse(iso);
const hualien = courses.filter(({ placeId }) => placeId === 'hualien');
const [sequence] = hualien;
const eventsOfHualien = sequence?.joined ?? [];

const joinedNear = (iso: string): (typeof eventsOfHualien)[number] | undefined =>
  eventsOfHualien.find(({ atMs }) => Math.abs(atMs - at(iso)) < 60_000);

test('the recorded week is a day’s work for a desk: between 40 and 80 incidents', () => {
  assert.equal(notices.length, 1_707);
  assert.ok(courses.length >= 40 && courses.length <= 80, `${courses.length} incidents`);
});

test('most incidents are tremors, a good part are blasts, and exactly one needs rescue', () => {
  const count = (severity: string): number =>
    courses.filter(({ choice }) => choice.severity === severity).length;
  assert.deepEqual(
    { tremor: count('tremor'), blast: count('blast'), moderate: count('moderate'), severe: count('severe') },
    { tremor: 31, blast: 15, moderate: 0, severe: 1 },
  );
});

test('every place of care has at least one incident in the week', () => {
  const visited = new Set(courses.map(({ placeId }) => placeId));
  const care = PLACES.filter(({ kind }) => kind === 'place-of-care').map(({ id }) => id);
  assert.deepEqual(
    care.filter((id) => !visited.has(id)),
    [],
  );
});

test('Hualien is one incident: foreshocks, main shock and aftershocks', () => {
  assert.equal(hualien.length, 1);
  assert.equal(joinedNear('2018-02-04T13:12:52Z')?.bulletin.fields.magnitude, 5.3);
  assert.equal(joinedNear('2018-02-04T13:56:42Z')?.bulletin.fields.magnitude, 6.1);
  assert.equal(joinedNear('2018-02-06T15:50:42Z')?.bulletin.fields.magnitude, 6.4);
});

test('no gap within the Hualien sequence reaches 72 hours', () => {
  const times = eventsOfHualien.map(({ atMs }) => atMs);
  const gaps = times.slice(1).map((atMs, index) => atMs - times[index]!);
  assert.ok(gaps.length > 10);
  assert.ok(Math.max(...gaps) < 72 * HOUR);
});

test('the Hualien main shock raises the incident to level II, and its foreshocks do not', () => {
  const beforeMain = notices.filter(({ observedAtMs }) => observedAtMs < at('2018-02-06T15:50:00Z'));
  const [before] = coursesOf(earthquake, beforeMain, PLACES).filter(({ placeId }) => placeId === 'hualien');
  assert.equal(before?.choice.severity, 'moderate');
  assert.equal(sequence?.choice.severity, 'severe');
  assert.equal(sequence?.choice.level, 'II');
});

test('the M6.4 is expected at an intensity of VII in Hualien', () => {
  const main = notices.find(
    ({ observedAtMs }) => Math.abs(observedAtMs - at('2018-02-06T15:50:42Z')) < 60_000,
  );
  assert.ok(main !== undefined);
  const [effect] = effectsOf(main, PLACES);
  assert.equal(effect?.placeId, 'hualien');
  assert.equal(Math.round(effect?.expectedMmi ?? 0), 7);
});

test('the incident at Hualien ends 72 hours after its last event', () => {
  assert.equal(sequence?.closedAtMs, eventsOfHualien.at(-1)!.atMs + 72 * HOUR);
});
