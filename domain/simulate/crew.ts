import { createRandom } from '../random.ts';
import type { Mission, MissionStatus } from '../situation.ts';
import type { DurationMs, EpochMs } from '../units.ts';

/**
 * How a simulated crew reports on a mission: acknowledged, en route, on scene, done. Times vary by a draw that
 * depends on the mission alone, so a rehearsal, a replay and the exercise conductor see the same crew.
 *
 * Acknowledgement 20-60 s and turnout 60-80 s after NFPA 1710 (2020) 4.1.2.1; driving 0.9-1.2 of the estimate;
 * work on scene 40-80 minutes (our judgement).
 */
export function crewReports(
  mission: Mission,
  atMs: EpochMs,
): { readonly status: MissionStatus; readonly atMs: EpochMs }[] {
  const random = createRandom(hashOf(mission.id));
  const between = (low: number, high: number): DurationMs => Math.round(low + random.unit() * (high - low));
  const acknowledgedMs = atMs + between(20_000, 60_000);
  const enRouteMs = acknowledgedMs + between(60_000, 80_000);
  const onSceneMs = enRouteMs + Math.round(mission.travelMs * (0.9 + 0.3 * random.unit()));
  const doneMs = onSceneMs + between(40 * 60_000, 80 * 60_000);
  return [
    { status: 'acknowledged', atMs: acknowledgedMs },
    { status: 'en-route', atMs: enRouteMs },
    { status: 'on-scene', atMs: onSceneMs },
    { status: 'done', atMs: doneMs },
  ];
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}
