import type { Mission, Situation } from '../situation.ts';
import type { World } from '../world.ts';

export const unfinishedMissions = (situation: Situation): Mission[] =>
  Object.values(situation.missions).filter(
    (mission) => mission.status !== 'done' && mission.status !== 'stood-down',
  );

/**
 * For as long as the response lasts: transmits each new grant, and gives each finished unit back to its desk.
 * All it needs to know is in the situation, so it can be taken up again at any time.
 */
export async function followMissions(situation: Situation, world: World, over: () => boolean): Promise<void> {
  for (;;) {
    await world.until(() => hasLooseUnits(situation) || over(), null);
    for (const mission of toTransmit(situation)) await transmitOrStandDown(mission, situation, world);
    const finished = toRelease(situation);
    if (finished.length > 0) {
      await world.release(finished);
      for (const mission of finished) {
        mission.releasedAtMs = world.now();
        world.record({
          stage: 'dispatch',
          kind: 'released',
          data: { mission: mission.id, unit: mission.unit, epoch: mission.epoch, after: mission.status },
        });
      }
    } else if (over() && toTransmit(situation).length === 0) {
      return;
    }
  }
}

const toTransmit = (situation: Situation): Mission[] =>
  Object.values(situation.missions).filter(
    (mission) => mission.status === 'granted' && mission.transmittedAtMs === undefined,
  );

const toRelease = (situation: Situation): Mission[] =>
  Object.values(situation.missions).filter(
    (mission) =>
      (mission.status === 'done' || mission.status === 'stood-down') && mission.releasedAtMs === undefined,
  );

/** True while a grant has not been acted on or a unit has not been given back. */
export const hasLooseUnits = (situation: Situation): boolean =>
  toTransmit(situation).length > 0 || toRelease(situation).length > 0;

async function transmitOrStandDown(mission: Mission, situation: Situation, world: World): Promise<void> {
  const order = situation.orders[mission.orderId];
  // The order may have been withdrawn while the grant was on its way: the unit must not drive.
  const wanted = order !== undefined && situation.phase === 'responding';
  const transmitted = wanted && (await world.transmit(mission, order));
  if (transmitted) {
    mission.transmittedAtMs = world.now();
    world.record({
      stage: 'dispatch',
      kind: 'transmitted',
      data: { mission: mission.id, order: mission.orderId, unit: mission.unit, epoch: mission.epoch },
    });
    return;
  }
  mission.status = 'stood-down';
  mission.times['stood-down'] = world.now();
}
