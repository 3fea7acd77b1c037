import fs from 'node:fs';
import { createWatch } from '../../domain/detect/watch.ts';
import type { PinnedPlan } from '../../domain/detect/watch.ts';
import { evaluateCondition } from '../../domain/detect/condition.ts';
import type { Bulletin, BulletinEvidence, Place } from '../../domain/evidence.ts';
import { incidentIdOf } from '../../domain/evidence.ts';
import { choose } from '../../domain/plan/choose.ts';
import type { Choice } from '../../domain/plan/choose.ts';
import type { PlanDocument } from '../../domain/plan/document.ts';
import { levelRank } from '../../domain/units.ts';

const WEEK = new URL('../../node_modules/vega-datasets/data/earthquakes.json', import.meta.url);

export interface Notice extends Bulletin {
  /** What analysts found it to be: `earthquake`, `explosion`, `quarry-blast`, and a few others. */
  readonly label: string;
}

interface Feature {
  readonly id: string;
  readonly properties: Readonly<Record<string, number | string | null>>;
  readonly geometry: { readonly coordinates: readonly [number, number, number | null] };
}

/** The recorded week of notices of the USGS, 2018-01-31 to 2018-02-07, oldest first. */
export function weekOfNotices(): Notice[] {
  const feed = JSON.parse(fs.readFileSync(WEEK, 'utf8')) as { readonly features: readonly Feature[] };
  return feed.features
    .map(({ id, properties, geometry }): Notice => {
      const [longitudeDeg, latitudeDeg, depthKm] = geometry.coordinates;
      return {
        source: 'usgs',
        id,
        type: 'earthquake-notice',
        observedAtMs: Number(properties.time),
        position: { latitudeDeg, longitudeDeg },
        fields: { magnitude: properties.mag ?? null, depthKm, place: properties.place ?? null },
        label: String(properties.type).replaceAll(' ', '-'),
      };
    })
    .sort((a, b) => a.observedAtMs - b.observedAtMs || (a.id < b.id ? -1 : 1));
}

/** What became of one incident, when every notice is recognised for what it is and nobody commands anything. */
export interface Course {
  readonly incidentId: string;
  readonly placeId: string;
  readonly joined: BulletinEvidence[];
  choice: Choice;
  closedAtMs: number | null;
}

/** The incidents a plan opens over notices in time order: detection, scale and resolution, without dispatch. */
export function coursesOf(
  plan: PlanDocument,
  notices: readonly Notice[],
  places: readonly Place[],
): Course[] {
  const pinned: PinnedPlan = { document: plan, hash: 'f'.repeat(64) };
  const watch = createWatch({ tenant: 'demo', plans: [pinned], places, sensors: [] });
  const labels = new Map(notices.map(({ id, label }) => [id, label]));
  const courses = new Map<string, Course>();
  const open = new Set<Course>();

  const holds =
    (joined: readonly BulletinEvidence[], nowMs: number) =>
    (condition: PlanDocument['detect'], path: string): boolean =>
      evaluateCondition(condition, path, { evidence: joined, leaves: {} }, nowMs).holds;
  const judge = (joined: readonly BulletinEvidence[], atMs: number): Choice => {
    const magnitudeOf = (item: BulletinEvidence): number => Number(item.bulletin.fields.magnitude ?? -9);
    const strongest = joined.reduce((a, b) => (magnitudeOf(b) > magnitudeOf(a) ? b : a));
    return choose(plan, labels.get(strongest.bulletin.id) ?? 'earthquake', undefined, holds(joined, atMs));
  };
  const closeQuiet = (nowMs: number): void => {
    for (const course of open) {
      const { resolvedWhen, resolvedWhenBySeverity = {} } = plan.evaluate;
      const condition = resolvedWhenBySeverity[course.choice.severity] ?? resolvedWhen;
      if (!holds(course.joined, nowMs)(condition, 'evaluate.resolvedWhen')) continue;
      const { sinceMs } = evaluateCondition(condition, '', { evidence: course.joined, leaves: {} }, nowMs);
      course.closedAtMs = sinceMs ?? nowMs;
      watch.closed(course.incidentId);
      open.delete(course);
    }
  };

  for (const bulletin of notices) {
    const atMs = bulletin.observedAtMs;
    closeQuiet(atMs);
    const key = `${bulletin.source}|${bulletin.id}`;
    for (const found of watch.acceptBulletin({
      key,
      vendor: 'usgs',
      bulletin,
      receivedAtMs: atMs,
      late: false,
    })) {
      if (found.kind === 'detection') {
        const joined = found.detection.evidence.filter((item) => item.kind === 'bulletin');
        const incidentId = incidentIdOf(found.detection);
        const placeId = found.detection.place.id;
        const course: Course = { incidentId, placeId, joined, choice: judge(joined, atMs), closedAtMs: null };
        courses.set(incidentId, course);
        open.add(course);
      } else if (found.kind === 'evidence') {
        const course = courses.get(found.incidentId);
        if (course === undefined || found.evidence.kind !== 'bulletin') continue;
        course.joined.push(found.evidence);
        const now = judge(course.joined, atMs);
        // As the engine does: an incident never becomes milder by itself.
        if (levelRank(now.level) <= levelRank(course.choice.level)) course.choice = now;
      }
    }
  }
  closeQuiet(Infinity);
  return [...courses.values()];
}
