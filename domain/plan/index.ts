/** The vocabulary of plan files: everything a file in `plans/` imports. */
export {
  all,
  always,
  any,
  atLeast,
  below,
  detects,
  detectsTogether,
  expectedAtLeast,
  expectedBelow,
  expectedIntensity,
  magnitudeNear,
  not,
  quietFor,
} from './conditions.ts';
export { arrival, definePlan, rule, vote } from './define.ts';
export {
  between,
  celsius,
  kilopascals,
  km,
  lel,
  magnitude,
  metres,
  millimetresPerHour,
  mmi,
  mps,
  ppm,
} from './quantities.ts';
export {
  affectedPlaces,
  closeValve,
  evacuate,
  forEach,
  notify,
  openValve,
  procedure,
  send,
  shutPower,
  stopTrains,
  together,
} from './steps.ts';
