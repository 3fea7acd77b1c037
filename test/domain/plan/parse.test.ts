import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { canonicalJson } from '../../../domain/canonical.ts';
import { checkPlan } from '../../../domain/plan/check.ts';
import { parsePlan } from '../../../domain/plan/parse.ts';
import { earthquake, gasLeak, plans } from '../../../plans/index.ts';

const codesOf = (value: unknown): string[] => {
  const parsed = parsePlan(value);
  return 'findings' in parsed ? parsed.findings.map(({ code, place }) => `${code} ${place}`) : [];
};

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- rows write wrong values on purpose
type Loose = any;
const spoilt = (spoil: (plan: Loose) => void): unknown => {
  const copy: Loose = structuredClone(gasLeak);
  spoil(copy);
  return copy;
};

for (const plan of plans) {
  test(`${plan.id}: is read back as it was written`, () => {
    const parsed = parsePlan(JSON.parse(canonicalJson(plan)));
    assert.ok('document' in parsed);
    assert.deepEqual(parsed.document, plan);
  });
}

test('the document is a copy: what the sender does to his afterwards has no effect', () => {
  const sent: Loose = structuredClone(gasLeak);
  const parsed = parsePlan(sent);
  sent.detect.threshold = 99;
  assert.ok('document' in parsed && parsed.document.detect.when === 'atLeast');
  assert.equal(parsed.document.detect.threshold, 10);
});

const cyclic: Loose = structuredClone(gasLeak);
cyclic.detect = { when: 'all', of: [cyclic] };

const deep = (levels: number): unknown =>
  Array.from({ length: levels }).reduce((inner) => ({ when: 'not', of: [inner] }), { when: 'always' });

const rows: readonly (readonly [what: string, value: unknown, said: string])[] = [
  ['nothing', undefined, 'PLAN_NOT_JSON '],
  ['null', null, 'PLAN_VALUE_INVALID '],
  ['a text', 'plan', 'PLAN_VALUE_INVALID '],
  ['a list', [], 'PLAN_VALUE_INVALID '],
  ['a cycle', cyclic, 'PLAN_NOT_JSON detect.of.0'],
  ['a function', spoilt((p) => (p.detect = () => true)), 'PLAN_NOT_JSON detect'],
  ['a date', spoilt((p) => (p.title = new Date())), 'PLAN_NOT_JSON title'],
  ['a bigint', spoilt((p) => (p.refine.afterIncidents = 5n)), 'PLAN_NOT_JSON refine.afterIncidents'],
  [
    'a getter',
    Object.defineProperty({ ...gasLeak }, 'id', { get: () => 'x', enumerable: true }),
    'PLAN_NOT_JSON id',
  ],
  ['NaN', spoilt((p) => (p.detect.threshold = NaN)), 'PLAN_NUMBER_NOT_FINITE detect.threshold'],
  ['infinity', spoilt((p) => (p.evaluate.everyMs = Infinity)), 'PLAN_NUMBER_NOT_FINITE evaluate.everyMs'],
  ['a hundred conditions in one another', spoilt((p) => (p.detect = deep(100))), 'PLAN_TOO_DEEP '],
  ['a hundred thousand steps in one another', spoilt((p) => (p.detect = deep(100_000))), 'PLAN_TOO_DEEP '],
  [
    'a million bulletins',
    spoilt((p) => (p.bulletins = Array.from({ length: 1_000_000 }, () => 'a'))),
    'PLAN_TOO_LARGE ',
  ],
  [
    'a hole of four billion entries',
    spoilt((p) => {
      p.bulletins = [];
      p.bulletins.length = 2 ** 32 - 1;
    }),
    'PLAN_TOO_LARGE ',
  ],
  ['a text of a megabyte', spoilt((p) => (p.title.en = 'x'.repeat(1e6))), 'PLAN_TEXT_INVALID title.en'],
  ['half a character', spoilt((p) => (p.title.zh = '\ud800')), 'PLAN_TEXT_INVALID title.zh'],
  [
    'a prototype',
    { ...gasLeak, severities: JSON.parse('{"__proto__":"I"}') as unknown },
    'PLAN_NAME_FORBIDDEN severities',
  ],
  [
    'a severity that every object has',
    spoilt((p) => (p.severities.toString = 'I')),
    'PLAN_NAME_FORBIDDEN severities',
  ],
  ['another form', spoilt((p) => (p.schema = 'tocsin/plan/v9')), 'PLAN_SCHEMA_UNKNOWN schema'],
  ['a missing part', spoilt((p) => delete p.detect), 'PLAN_KEY_MISSING detect'],
  [
    'a misspelt part',
    spoilt((p) => (p.evaluate.escalatesWhen = p.detect)),
    'PLAN_KEY_UNKNOWN evaluate.escalatesWhen',
  ],
  [
    'a misspelt member of a step',
    spoilt((p) => (p.dispatch.nuisance[0].too = 'x')),
    'PLAN_KEY_UNKNOWN dispatch.nuisance.0.too',
  ],
  ['an id with a space', spoilt((p) => (p.id = 'gas leak')), 'PLAN_VALUE_INVALID id'],
  ['a basis outside the project', spoilt((p) => (p.basis = 'plans/../../x.md')), 'PLAN_VALUE_INVALID basis'],
  ['a level V', spoilt((p) => (p.severities.minor = 'V')), 'PLAN_VALUE_INVALID severities.minor'],
  ['no severities', spoilt((p) => (p.severities = {})), 'PLAN_VALUE_INVALID severities'],
  ['an empty name', spoilt((p) => (p.refine.approvedBy = '')), 'PLAN_VALUE_INVALID refine.approvedBy'],
  ['a number as text', spoilt((p) => (p.detect.threshold = '10')), 'PLAN_VALUE_INVALID detect.threshold'],
  [
    'a negative deadline',
    spoilt((p) => (p.evaluate.everyMs = -1)),
    'PLAN_NUMBER_OUT_OF_RANGE evaluate.everyMs',
  ],
  [
    'half a millisecond',
    spoilt((p) => (p.evaluate.everyMs = 1.5)),
    'PLAN_NUMBER_OUT_OF_RANGE evaluate.everyMs',
  ],
  ['two years', spoilt((p) => (p.evaluate.everyMs = 7e10)), 'PLAN_NUMBER_OUT_OF_RANGE evaluate.everyMs'],
  [
    'confidence of 80',
    spoilt((p) => (p.classify.minConfidence = 80)),
    'PLAN_NUMBER_OUT_OF_RANGE classify.minConfidence',
  ],
  ['no sensors', spoilt((p) => (p.detect.onSensors = 0)), 'PLAN_NUMBER_OUT_OF_RANGE detect.onSensors'],
  ['an unknown condition', spoilt((p) => (p.detect.when = 'smells')), 'PLAN_CONDITION_UNKNOWN detect.when'],
  [
    'a condition named like an object’s own',
    spoilt((p) => (p.detect.when = 'constructor')),
    'PLAN_CONDITION_UNKNOWN detect.when',
  ],
  ['all of nothing', spoilt((p) => (p.detect = { when: 'all', of: [] })), 'PLAN_VALUE_INVALID detect.of'],
  [
    'not of two',
    spoilt((p) => (p.detect = { when: 'not', of: [p.detect, p.detect] })),
    'PLAN_VALUE_INVALID detect.of',
  ],
  [
    'an unknown step',
    spoilt((p) => (p.dispatch.nuisance[0].do = 'panic')),
    'PLAN_STEP_UNKNOWN dispatch.nuisance.0.do',
  ],
  [
    'an unknown classifier',
    spoilt((p) => (p.classify.by.kind = 'oracle')),
    'PLAN_CLASSIFIER_UNKNOWN classify.by.kind',
  ],
  [
    'an act without an approval',
    spoilt((p) => delete p.dispatch.major[0].steps[1].approval),
    'PLAN_IRREVERSIBLE_WITHOUT_HUMAN dispatch.major.0.steps.1.approval',
  ],
  [
    'an approval without a deadline',
    spoilt((p) => delete p.dispatch.major[0].steps[0].approval.withinMs),
    'PLAN_KEY_MISSING dispatch.major.0.steps.0.approval.withinMs',
  ],
  [
    'an approval that silence neither holds nor lets proceed',
    spoilt((p) => (p.dispatch.major[0].steps[0].approval.otherwise = 'maybe')),
    'PLAN_VALUE_INVALID dispatch.major.0.steps.0.approval.otherwise',
  ],
];

for (const [what, value, said] of rows) {
  test(`refuses ${what}`, () => {
    const codes = codesOf(value);
    assert.ok(codes.includes(said), `said instead: ${codes.join('; ') || 'nothing'}`);
  });
}

test('refuses a loop without a bound', () => {
  const unbounded: Loose = structuredClone(earthquake);
  delete unbounded.dispatch.severe[0].steps.at(-1).atMost;
  const [said] = codesOf(unbounded);
  assert.match(said ?? '', /^PLAN_LOOP_UNBOUNDED dispatch\.severe\.0\.steps\.\d+\.atMost$/);
});

test('checkPlan assumes nothing of the form either', () => {
  const parts = Object.keys(gasLeak).map((part) => `PLAN_KEY_MISSING ${part}`);
  assert.deepEqual(
    checkPlan({} as never).map(({ code, place }) => `${code} ${place}`),
    parts,
  );
});

test('a hostile document causes a hundred findings at most', () => {
  const channels = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`c ${n}`, 7]));
  assert.equal(codesOf({ ...gasLeak, channels }).length, 100);
});

test('what the sender wrote cannot forge lines or fill the screen in a finding', () => {
  const parsed = parsePlan({ ...gasLeak, [`x\n${'y'.repeat(5_000)}`]: 1, id: 'a\u202e\n\u001b[31mb' });
  assert.ok('findings' in parsed);
  for (const { message, place } of parsed.findings) {
    assert.doesNotMatch(place + message, /[\p{Cc}\p{Cf}]/u);
    assert.ok(message.length < 300 && place.length < 100);
  }
});

test('any JSON at all is read or refused, never thrown at', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.ok(codesOf(value).length > 0);
    }),
  );
});

test('a sound plan with anything in any place is read or refused, never thrown at', () => {
  const paths = (value: Loose, at: string[] = []): string[][] =>
    value !== null && typeof value === 'object'
      ? [at, ...Object.keys(value).flatMap((key) => paths(value[key], [...at, key]))]
      : [at];
  const everywhere = paths(earthquake).filter((path) => path.length > 0);
  fc.assert(
    fc.property(fc.constantFrom(...everywhere), fc.jsonValue(), (path, value) => {
      const copy: Loose = structuredClone(earthquake);
      const parent = path.slice(0, -1).reduce((inner, key) => inner[key], copy);
      parent[path.at(-1)!] = value;
      const findings = checkPlan(copy);
      assert.ok(findings.every(({ code }) => code.startsWith('PLAN_')));
    }),
    { numRuns: 500 },
  );
});
