import type { Json } from '../units.ts';
import { LEVELS } from '../units.ts';
import { LIVE_FORECASTS } from '../forecast/live.ts';
import type { Say } from './finding.ts';
import { quoted } from './finding.ts';
import { under } from './plain-json.ts';

/** Reads one value and says what is wrong with its form. */
type Read = (value: Json, place: string, say: Say) => void;
type Members = Readonly<Record<string, Json>>;

const DAY_MS = 86_400_000;
/** No deadline and no quiet time of an emergency is longer. */
export const LONGEST_MS = 366 * DAY_MS;
export const MAX_NAME = 100;

const isObject = (value: Json): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const invalid = (say: Say, place: string, expected: string, value: Json): void =>
  say(
    'mandatory',
    'PLAN_VALUE_INVALID',
    place,
    `Expected ${expected}, got ${kindOf(value)}.`,
    `Give ${expected}.`,
  );

const kindOf = (value: Json): string => {
  if (value === null) return 'null';
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object';
  return typeof value === 'string' ? quoted(value) : String(value);
};

const text: Read = (value, place, say) => {
  if (typeof value !== 'string' || value.trim() === '' || value.length > MAX_NAME) {
    invalid(say, place, `a text of 1 to ${MAX_NAME} characters`, value);
  }
};

const matching =
  (pattern: RegExp, expected: string): Read =>
  (value, place, say) => {
    if (typeof value !== 'string' || !pattern.test(value)) invalid(say, place, expected, value);
  };

const slug = matching(/^[a-z][a-z0-9-]{0,62}$/, 'a lower-case slug such as "gas-leak"');
const name = matching(/^[A-Za-z][A-Za-z0-9._-]{0,62}$/, 'a name of letters, digits and dashes');

const oneOf =
  (...allowed: readonly string[]): Read =>
  (value, place, say) => {
    if (typeof value !== 'string' || !allowed.includes(value)) {
      invalid(say, place, `one of ${allowed.map((one) => `"${one}"`).join(', ')}`, value);
    }
  };

const number =
  (low: number, high: number, { whole = false } = {}): Read =>
  (value, place, say) => {
    if (typeof value !== 'number') return invalid(say, place, whole ? 'a whole number' : 'a number', value);
    if (value >= low && value <= high && (!whole || Number.isInteger(value))) return;
    say(
      'mandatory',
      'PLAN_NUMBER_OUT_OF_RANGE',
      place,
      `${value} is not ${whole ? 'a whole number ' : ''}from ${low} to ${high}.`,
      `Give a ${whole ? 'whole ' : ''}number from ${low} to ${high}.`,
    );
  };

const duration = number(1, LONGEST_MS, { whole: true });
const count = number(1, 1_000, { whole: true });

const listOf =
  (item: Read, fewest: number): Read =>
  (value, place, say) => {
    if (!Array.isArray(value)) return invalid(say, place, 'a list', value);
    if (value.length < fewest) invalid(say, place, `a list of at least ${fewest}`, value as Json);
    value.forEach((one: Json, index) => item(one, under(place, String(index)), say));
  };

const recordOf =
  (key: Read, item: Read, fewest = 0): Read =>
  (value, place, say) => {
    if (!isObject(value)) return invalid(say, place, 'an object', value);
    const entries = Object.entries(value);
    if (entries.length < fewest) invalid(say, place, `an object with at least ${fewest} entry`, value);
    for (const [one, member] of entries) {
      key(one, under(place, one), say);
      item(member, under(place, one), say);
    }
  };

interface Missing {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** An object of exactly these members; a misspelt one must not be silently without effect. */
const object =
  (
    required: Readonly<Record<string, Read>>,
    optional: Readonly<Record<string, Read>> = {},
    missing: Readonly<Record<string, Missing>> = {},
  ): Read =>
  (value, place, say) => {
    if (!isObject(value)) return invalid(say, place, 'an object', value);
    for (const [key, read] of Object.entries(required)) {
      const member = value[key];
      if (member !== undefined) {
        read(member, under(place, key), say);
        continue;
      }
      const { code, message, remedy } = missing[key] ?? {
        code: 'PLAN_KEY_MISSING',
        message: `"${key}" is missing.`,
        remedy: `Add "${key}".`,
      };
      say('mandatory', code, under(place, key), message, remedy);
    }
    for (const [key, member] of Object.entries(value)) {
      if (key in required) continue;
      const read = optional[key];
      if (read !== undefined) {
        read(member, under(place, key), say);
        continue;
      }
      say(
        'mandatory',
        'PLAN_KEY_UNKNOWN',
        under(place, key),
        `${quoted(key)} is no part of a plan here, so it would have no effect.`,
        `Remove it, or use one of ${[...Object.keys(required), ...Object.keys(optional)].join(', ')}.`,
      );
    }
  };

/** An object whose form depends on one of its members. */
const kindsOf =
  (member: string, code: string, kinds: () => Readonly<Record<string, Read>>): Read =>
  (value, place, say) => {
    if (!isObject(value)) return invalid(say, place, 'an object', value);
    const kind = value[member];
    const known = kinds();
    const read = typeof kind === 'string' && Object.hasOwn(known, kind) ? known[kind] : undefined;
    if (read !== undefined) return read(value, place, say);
    say(
      'mandatory',
      code,
      under(place, member),
      `Nothing is known of ${kind === undefined ? 'a missing' : kindOf(kind)} "${member}".`,
      `Use one of ${Object.keys(known).join(', ')}.`,
    );
  };

const onChannel = object({
  when: text,
  channel: name,
  threshold: number(-1e9, 1e9),
  unit: text,
  forMs: number(0, LONGEST_MS, { whole: true }),
  onSensors: (value, place, say) => (value === 'all' ? undefined : count(value, place, say)),
});

const onDetector = object({
  when: text,
  channel: name,
  unit: text,
  detector: name,
  parameters: recordOf(name, number(-1e12, 1e12)),
  forMs: number(0, LONGEST_MS, { whole: true }),
  onSensors: (value, place, say) => (value === 'all' ? undefined : count(value, place, say)),
});

const onTogether = object({
  when: text,
  channels: listOf(name, 1),
  detector: name,
  parameters: recordOf(name, number(-1e12, 1e12)),
  forMs: number(0, LONGEST_MS, { whole: true }),
});

const onNetwork = object({
  when: text,
  channels: (value, place, say) => {
    listOf(name, 1)(value, place, say);
    if (Array.isArray(value) && value.length > 3)
      invalid(say, place, 'a list of at most three', value as Json);
  },
  unit: text,
  parameters: recordOf(name, number(-1e12, 1e12)),
});

const onForecast = object(
  {
    when: text,
    channel: name,
    threshold: number(-1e9, 1e9),
    unit: text,
    withinMs: duration,
    probability: number(0.001, 0.999),
    model: oneOf(...LIVE_FORECASTS, 'trained'),
    forMs: number(0, LONGEST_MS, { whole: true }),
    onSensors: (value, place, say) => (value === 'all' ? undefined : count(value, place, say)),
  },
  { forecaster: name },
);

const condition: Read = kindsOf('when', 'PLAN_CONDITION_UNKNOWN', () => ({
  atLeast: onChannel,
  below: onChannel,
  detects: onDetector,
  detectsTogether: onTogether,
  networkTriggers: onNetwork,
  expectedAtLeast: onForecast,
  expectedBelow: onForecast,
  magnitudeNear: object({
    when: text,
    bulletin: name,
    magnitude: number(-2, 10),
    withinKm: number(0.001, 20_100),
  }),
  intensity: object({ when: text, bulletin: name, atLeastMmi: number(1, 12) }),
  quietFor: object({ when: text, bulletin: name, forMs: duration }),
  always: object({ when: text }),
  all: object({ when: text, of: listOf(condition, 1) }),
  any: object({ when: text, of: listOf(condition, 1) }),
  not: object({
    when: text,
    of: (value, place, say) => {
      if (!Array.isArray(value) || value.length !== 1) return invalid(say, place, 'a list of one', value);
      condition(value[0] as Json, under(place, '0'), say);
    },
  }),
}));

const approval = object({ from: name, withinMs: duration, otherwise: oneOf('proceed', 'hold') });
const approved = {
  approval: {
    code: 'PLAN_IRREVERSIBLE_WITHOUT_HUMAN',
    message: 'This cannot be undone, and no person is asked before it.',
    remedy: 'Add an approval: whom to ask, within what time, and what silence means.',
  },
};

const steps: Read = (value, place, say) => listOf(step, 0)(value, place, say);
const someSteps: Read = (value, place, say) => listOf(step, 1)(value, place, say);

const step: Read = kindsOf('do', 'PLAN_STEP_UNKNOWN', () => ({
  notify: object({ do: text, id: text, to: name }, { acknowledgedWithinMs: duration, otherwise: step }),
  send: object({ do: text, id: text, capability: name, count, withinMs: duration }, { otherwise: step }),
  evacuate: object({ do: text, id: text, radiusM: number(1, 1e6), approval }, {}, approved),
  actuate: object(
    {
      do: text,
      id: text,
      device: name,
      action: oneOf('close-valve', 'open-valve', 'stop-trains', 'shut-power'),
      approval,
    },
    {},
    approved,
  ),
  together: object({ do: text, id: text, steps: someSteps }),
  forEachPlace: object(
    { do: text, id: text, atLeastMmi: number(1, 12), atMost: count, steps: someSteps },
    {},
    {
      atMost: {
        code: 'PLAN_LOOP_UNBOUNDED',
        message: 'These steps run at any number of places.',
        remedy: 'Add atMost: how many places at most, the most affected first.',
      },
    },
  ),
  procedure: object({
    do: text,
    id: text,
    name,
    codeHash: text,
    arguments: recordOf(name, (value, place, say) => {
      if (value === null || typeof value === 'object') {
        invalid(say, place, 'a text, a number or true or false', value);
      }
    }),
  }),
}));

/** The form of `PlanDocument`. What a plan means is for the other checks. */
export const readPlanShape: Read = object(
  {
    schema: (value, place, say) => {
      if (value === 'tocsin/plan/v1') return;
      say(
        'mandatory',
        'PLAN_SCHEMA_UNKNOWN',
        place,
        `This is no plan of form "tocsin/plan/v1", but ${kindOf(value)}.`,
        'Compile the plan with a version of Tocsin that writes "tocsin/plan/v1".',
      );
    },
    id: slug,
    title: object({ en: text, zh: text }),
    basis: matching(/^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/, 'a path inside the project'),
    covers: object({ hazard: slug }),
    channels: recordOf(name, text),
    bulletins: listOf(name, 0),
    severities: recordOf(name, oneOf(...LEVELS), 1),
    detect: condition,
    classify: object({
      by: kindsOf('kind', 'PLAN_CLASSIFIER_UNKNOWN', () => ({
        vote: object({ kind: text, recognisers: listOf(name, 1), bulletin: name }),
        rule: object({ kind: text, type: slug }),
      })),
      minConfidence: number(0, 1),
      ifUnsure: object({ ask: name, withinMs: duration, otherwise: name }),
      types: recordOf(slug, name, 1),
      scale: listOf(object({ severity: name, when: condition }), 1),
    }),
    dispatch: recordOf(name, steps),
    evaluate: object(
      {
        everyMs: duration,
        resolvedWhen: condition,
        measures: recordOf(
          name,
          object({
            measure: oneOf('arrival'),
            capability: name,
            percentile: number(1, 100),
            goalMs: duration,
          }),
        ),
      },
      {
        staleAfterMs: duration,
        resolvedWhenBySeverity: recordOf(name, condition),
        escalateWhen: condition,
      },
    ),
    refine: object({
      mayTune: recordOf(text, object({ low: number(-1e9, 1e9), high: number(-1e9, 1e9) })),
      afterIncidents: count,
      approvedBy: name,
    }),
  },
  { sequence: object({ bulletin: name, radius: oneOf('gardner-knopoff-1974'), withinMs: duration }) },
);
