import { TocsinError } from '../errors.ts';
import type { Mission, MissionStatus } from '../situation.ts';
import type { EpochMs } from '../units.ts';

/** The way of a mission. `stood-down` may end it from anywhere before `done`. */
const ORDER_OF_STATUS: readonly MissionStatus[] = ['granted', 'acknowledged', 'en-route', 'on-scene', 'done'];

export const isFinal = (status: MissionStatus): boolean => status === 'done' || status === 'stood-down';

/**
 * Why a crew's report may not move the mission on; null when it may, and for a repeat, which changes nothing.
 *
 * A crew may leave steps out on the way to the scene: a button nobody pressed must not hide an arrival. Nobody is
 * `done` without having been there.
 *
 * @returns MISSION_EPOCH (the unit was granted anew), MISSION_OVER, MISSION_STATUS_BACKWARDS, MISSION_NOT_ON_SCENE
 */
export function refusalOf(
  mission: Mission,
  reported: { readonly status: MissionStatus; readonly epoch: number },
): TocsinError | null {
  const { status, epoch } = reported;
  const details = { mission: mission.id, from: mission.status, to: status };
  if (epoch !== mission.epoch)
    return new TocsinError('MISSION_EPOCH', 'This report belongs to another grant of the unit.', {
      details: { ...details, epoch, expected: mission.epoch },
    });
  if (status === mission.status) return null;
  if (isFinal(mission.status))
    return new TocsinError('MISSION_OVER', `The mission has ended: ${mission.status}.`, { details });
  if (status === 'stood-down') return null;
  if (ORDER_OF_STATUS.indexOf(status) < ORDER_OF_STATUS.indexOf(mission.status))
    return new TocsinError('MISSION_STATUS_BACKWARDS', `The mission is already ${mission.status}.`, {
      details,
    });
  if (status === 'done' && mission.status !== 'on-scene')
    return new TocsinError('MISSION_NOT_ON_SCENE', 'A mission is done only after it was on scene.', {
      details,
    });
  return null;
}

/**
 * Moves the mission on and notes the time. A repeat, or a report that `refusalOf` refuses, changes nothing.
 *
 * @param atMs when the status was reached; earlier than a former step it counts as that step's time
 * @returns true when the mission changed
 */
export function advance(mission: Mission, status: MissionStatus, atMs: EpochMs): boolean {
  if (status === mission.status || refusalOf(mission, { status, epoch: mission.epoch }) !== null)
    return false;
  const latest = Math.max(...Object.values(mission.times), mission.grantedAtMs);
  mission.status = status;
  mission.times = { ...mission.times, [status]: Math.max(atMs, latest) };
  return true;
}
