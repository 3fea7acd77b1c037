import { evaluateCondition, walkConditions } from '../detect/condition.ts';
import { detectorKinds, detectorNamed } from '../detect/detectors.ts';
import { misfitOf } from '../forecast/trained.ts';
import { networkParameters } from '../detect/seismic/network-parameters.ts';
import { TocsinError } from '../errors.ts';
import type { CheckContext, KnownSensor } from './check-context.ts';
import type {
  DetectorCondition,
  ForecastCondition,
  NetworkCondition,
  PlanDocument,
  TogetherCondition,
} from './document.ts';
import type { Say } from './finding.ts';
import { quoted } from './finding.ts';
import { resolutionsOf, wholeConditionsOf } from './walk.ts';

/** What conditions name exists; `detect` needs evidence to hold, and an incident does not end as it begins. */
export function checkConditions(plan: PlanDocument, context: CheckContext, say: Say): void {
  checkNames(plan, context, say);
  checkDetect(plan, say);
  checkResolution(plan, say);
}

function checkNames(plan: PlanDocument, context: CheckContext, say: Say): void {
  for (const whole of wholeConditionsOf(plan)) {
    for (const { condition, path: place } of walkConditions(whole.condition, whole.place)) {
      if ('channel' in condition) {
        const unit = plan.channels[condition.channel];
        if (unit === undefined) {
          unknownChannel(plan, condition.channel, `${place}.channel`, say);
        } else if (unit !== condition.unit) {
          say(
            'mandatory',
            'PLAN_UNIT_MISMATCH',
            `${place}.unit`,
            `${condition.channel} is compared in ${quoted(condition.unit)}, but declared in ${quoted(unit)}.`,
            `Give the threshold in ${unit}.`,
          );
        }
      }
      if ('channels' in condition) {
        condition.channels.forEach((channel, n) =>
          unknownChannel(plan, channel, `${place}.channels.${n}`, say),
        );
      }
      if ('probability' in condition) checkForecaster(condition, place, context, say);
      if (condition.when === 'networkTriggers') checkNetwork(plan, condition, place, context, say);
      if ('detector' in condition) checkDetector(condition, place, say);
      if ('bulletin' in condition) unknownBulletin(plan, condition.bulletin, `${place}.bulletin`, say);
    }
  }
  const { sequence, classify } = plan;
  if (sequence !== undefined) unknownBulletin(plan, sequence.bulletin, 'sequence.bulletin', say);
  if (classify.by.kind === 'vote') unknownBulletin(plan, classify.by.bulletin, 'classify.by.bulletin', say);
}

function unknownChannel(plan: PlanDocument, channel: string, place: string, say: Say): void {
  if (plan.channels[channel] !== undefined) return;
  say(
    'mandatory',
    'PLAN_CHANNEL_UNKNOWN',
    place,
    `The plan has no channel ${quoted(channel)}.`,
    `Declare it under channels with its unit, or use one of: ${listed(Object.keys(plan.channels))}.`,
  );
}

function checkDetector(condition: DetectorCondition | TogetherCondition, place: string, say: Say): void {
  const { detector, parameters } = condition;
  const kind = detectorKinds().find(({ name }) => name === detector);
  if (kind === undefined) {
    say(
      'mandatory',
      'PLAN_DETECTOR_UNKNOWN',
      `${place}.detector`,
      `There is no detector ${quoted(detector)}.`,
      `Use one of: ${listed(detectorKinds().map(({ name }) => name))}.`,
    );
    return;
  }
  const channels = condition.when === 'detects' ? 1 : Math.max(2, condition.channels.length);
  checkParameters(
    () => detectorNamed(detector, parameters).create(channels),
    place,
    '`tocsin detect list` shows what each detector takes.',
    say,
  );
}

/** `use` throws when the condition's parameters are none of its detector's. */
function checkParameters(use: () => unknown, place: string, advice: string, say: Say): void {
  try {
    use();
  } catch (error) {
    if (!(error instanceof TocsinError)) throw error;
    say('mandatory', 'PLAN_DETECTOR_PARAMETER', `${place}.parameters`, error.message, advice);
  }
}

/** What a plan asks of a trained forecast is what it was trained for. */
function checkForecaster(
  condition: ForecastCondition,
  place: string,
  { forecasters, sensors = [] }: CheckContext,
  say: Say,
): void {
  const { model, forecaster: name, channel } = condition;
  if ((model === 'trained') !== (name !== undefined)) {
    say(
      'mandatory',
      'PLAN_FORECASTER_UNNAMED',
      `${place}.forecaster`,
      name === undefined
        ? 'A trained forecast is asked for, and none is named.'
        : `${quoted(name)} is named, and ${quoted(model)} is asked.`,
      'Name a forecaster, or a model, not both.',
    );
    return;
  }
  if (name === undefined || forecasters === undefined) return;
  const registered = forecasters.find((one) => one.name === name);
  if (registered === undefined) {
    say(
      'mandatory',
      'PLAN_FORECASTER_UNKNOWN',
      `${place}.forecaster`,
      `No forecaster ${quoted(name)} is in use here.`,
      `Train it, then: tocsin forecast add, tocsin forecast activate. In use: ${listed(forecasters.map((one) => one.name))}.`,
    );
    return;
  }
  const misfit = misfitOf(registered, condition);
  if (misfit !== null) {
    say(
      'mandatory',
      'PLAN_FORECASTER_MISFIT',
      `${place}.${misfit.part}`,
      `The forecaster ${quoted(name)} does not fit: ${misfit.why}.`,
      'Train one for this channel, unit and time, or ask what it can answer.',
    );
  }
  const slow = sensors.filter(
    (sensor) =>
      sensor.channel === channel && sensor.samplingHz && 1_000 / sensor.samplingHz > registered.everyMs,
  );
  if (slow.length === 0) return;
  say(
    'advisory',
    'PLAN_FORECASTER_STEP',
    `${place}.forecaster`,
    `${slow.length} sensors of ${channel} speak less often than each ${registered.everyMs / 1_000} s, a step of ${quoted(name)}: gaps may leave it nothing to go on from.`,
    'Train it on the steps in which the sensors speak.',
  );
}

function checkNetwork(
  plan: PlanDocument,
  condition: NetworkCondition,
  place: string,
  { sensors }: CheckContext,
  say: Say,
): void {
  condition.channels.forEach((channel, n) => {
    const unit = plan.channels[channel];
    if (unit === undefined || unit === condition.unit) return;
    say(
      'mandatory',
      'PLAN_UNIT_MISMATCH',
      `${place}.channels.${n}`,
      `The axes are read in ${quoted(condition.unit)}, but ${channel} is declared in ${quoted(unit)}.`,
      'Declare all axes of a station in one unit.',
    );
  });
  checkParameters(
    () => networkParameters(condition.parameters),
    place,
    'docs/seismic.md shows what a network can be given.',
    say,
  );
  const needed = condition.parameters['onStations'] ?? 2;
  const stations = stationsAmong(sensors ?? [], condition.channels);
  if (sensors === undefined || stations >= needed) return;
  say(
    'advisory',
    'PLAN_NETWORK_SMALL',
    `${place}.parameters.onStations`,
    `${needed} stations must agree, and ${stations} ${stations === 1 ? 'is' : 'are'} registered on ${listed(condition.channels)}.`,
    'Register the sensors of more stations, each with its position, or ask for fewer.',
  );
}

/** Sensors of one vendor at one position are one station. */
function stationsAmong(sensors: readonly KnownSensor[], channels: readonly string[]): number {
  const places = sensors
    .filter(({ channel }) => channels.includes(channel))
    .map(({ vendor, site, position }) => JSON.stringify([vendor, position ?? site]));
  return new Set(places).size;
}

function unknownBulletin(plan: PlanDocument, bulletin: string, place: string, say: Say): void {
  if (plan.bulletins.includes(bulletin)) return;
  say(
    'mandatory',
    'PLAN_BULLETIN_UNKNOWN',
    place,
    `The plan has no bulletin ${quoted(bulletin)}.`,
    `Declare it under bulletins, or use one of: ${listed(plan.bulletins)}.`,
  );
}

const listed = (names: readonly string[]): string => (names.length === 0 ? 'none so far' : names.join(', '));

/** Nothing was heard yet. */
const SILENCE = { evidence: [], leaves: {} };

function checkDetect(plan: PlanDocument, say: Say): void {
  if (evaluateCondition(plan.detect, 'detect', SILENCE, 0).holds) {
    say(
      'mandatory',
      'PLAN_DETECTS_NOTHING',
      'detect',
      'The condition holds when nothing was heard at all, so everything would open an incident.',
      'Let detection depend on readings or notices that show the hazard.',
    );
  }
  for (const { condition, path: place } of walkConditions(plan.detect, 'detect')) {
    if (condition.when !== 'quietFor') continue;
    say(
      'mandatory',
      'PLAN_DETECTS_QUIET',
      place,
      'No incident is open while detection is read, so nothing can have been quiet in it.',
      'Use quietFor in evaluate.resolvedWhen only.',
    );
  }
}

function checkResolution(plan: PlanDocument, say: Say): void {
  const detected = [...walkConditions(plan.detect, 'detect')];
  for (const { condition, place } of resolutionsOf(plan)) {
    const parts = [...walkConditions(condition, place)];
    const calms = parts.some(
      ({ condition: part }) => 'channel' in part || 'channels' in part || part.when === 'quietFor',
    );
    if (!calms || evaluateCondition(condition, place, SILENCE, 0).holds) {
      say(
        'mandatory',
        'PLAN_RESOLVES_AT_ONCE',
        place,
        'This can hold as soon as the incident begins, so it would end without a response.',
        'Resolve on quietFor, or on readings that came back to normal.',
      );
    }
    for (const { condition: ends, path: endsAt } of parts) {
      if (ends.when !== 'atLeast' && ends.when !== 'below') continue;
      const overlapping = detected.find(
        ({ condition: begins }) =>
          (begins.when === 'atLeast' || begins.when === 'below') &&
          begins.channel === ends.channel &&
          begins.when !== ends.when &&
          (ends.when === 'below' ? ends.threshold >= begins.threshold : ends.threshold <= begins.threshold),
      );
      if (overlapping === undefined) continue;
      say(
        'mandatory',
        'PLAN_RESOLVES_WHILE_DETECTING',
        `${endsAt}.threshold`,
        `The incident may end where ${overlapping.path} begins one: ${ends.channel} at ${ends.threshold} ${ends.unit}.`,
        ends.when === 'below'
          ? 'Resolve below the threshold of detection, with a distance that noise does not bridge.'
          : 'Resolve above the threshold of detection, with a distance that noise does not bridge.',
      );
    }
  }
}
