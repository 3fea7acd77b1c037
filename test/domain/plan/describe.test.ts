import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { describeCondition, describeDuration, describeStep } from '../../../domain/plan/describe.ts';
import type { Condition, Step } from '../../../domain/plan/document.ts';

const notice = 'earthquake-notice';
const MINUTE = 60_000;

for (const [ms, en, zh] of [
  [1_000, '1 second', '1秒'],
  [90_000, '90 seconds', '90秒'],
  [MINUTE, '1 minute', '1分钟'],
  [90 * MINUTE, '90 minutes', '90分钟'],
  [120 * MINUTE, '2 hours', '2小时'],
  [72 * 60 * MINUTE, '3 days', '3天'],
  [1_500, '1.5 seconds', '1.5秒'],
] as const) {
  test(`${ms} ms is ${en}`, () => assert.deepEqual(describeDuration(ms), { en, zh }));
}

const conditions: readonly (readonly [Condition, string, string])[] = [
  [{ when: 'always' }, 'in any other case', '其他情况'],
  [
    { when: 'magnitudeNear', bulletin: notice, magnitude: 1, withinKm: 20 },
    'magnitude at least 1.0 within 20 km of a place of care',
    '照护地点20公里内震级不低于1.0',
  ],
  [
    { when: 'intensity', bulletin: notice, atLeastMmi: 6.5 },
    'expected intensity at least MMI 6.5 at a place of care',
    '照护地点预计烈度不低于6.5度',
  ],
  [
    { when: 'quietFor', bulletin: notice, forMs: 60 * MINUTE },
    'no further earthquake-notice for 1 hour',
    '1小时内无新的earthquake-notice',
  ],
  [
    { when: 'atLeast', channel: 'methane', threshold: 10, unit: '%LEL', forMs: 30_000, onSensors: 2 },
    'methane at least 10 %LEL for 30 seconds on 2 sensors',
    '2个传感器的methane不低于10 %LEL持续30秒',
  ],
  [
    { when: 'below', channel: 'methane', threshold: 5, unit: '%LEL', forMs: 0, onSensors: 'all' },
    'methane below 5 %LEL on all sensors',
    '所有传感器的methane低于5 %LEL',
  ],
  [
    { when: 'not', of: [{ when: 'any', of: [{ when: 'always' }, { when: 'always' }] }] },
    'not (in any other case or in any other case)',
    '非（其他情况或其他情况）',
  ],
];

for (const [condition, en, zh] of conditions) {
  test(`says: ${en}`, () => assert.deepEqual(describeCondition(condition), { en, zh }));
}

test('a compound inside another kind of compound is bracketed, so that it cannot be read in two ways', () => {
  const quiet = (bulletin: string): Condition => ({ when: 'quietFor', bulletin, forMs: MINUTE });
  const either: Condition = { when: 'any', of: [quiet('b'), quiet('c')] };
  assert.equal(
    describeCondition({ when: 'all', of: [quiet('a'), either] }).en,
    'no further a for 1 minute and (no further b for 1 minute or no further c for 1 minute)',
  );
});

const approval = { from: 'duty-officer', withinMs: MINUTE, otherwise: 'hold' } as const;
const told: Step = { do: 'notify', id: 'a.0', to: 'desk' };
const steps: readonly (readonly [Step, string, string])[] = [
  [told, 'notify desk', '通知desk'],
  [
    { ...told, acknowledgedWithinMs: 3 * MINUTE },
    'notify desk, acknowledged within 3 minutes',
    '通知desk，3分钟内确认',
  ],
  [
    { do: 'send', id: 'a', capability: 'hazmat', count: 2, withinMs: 8 * MINUTE },
    'send 2 hazmat, on scene within 8 minutes',
    '派出2支hazmat，8分钟内到场',
  ],
  [
    { do: 'evacuate', id: 'a', radiusM: 100, approval },
    'evacuate 100 m around, when duty-officer approves',
    '经duty-officer批准后疏散周围100米',
  ],
  [
    { do: 'actuate', id: 'a', device: 'main', action: 'close-valve', approval },
    'close valve main, when duty-officer approves',
    '经duty-officer批准后执行close-valve（main）',
  ],
  [
    { do: 'together', id: 'a', steps: [told, told] },
    'together: notify desk; notify desk',
    '同时：通知desk；通知desk',
  ],
  [
    { do: 'forEachPlace', id: 'a', atLeastMmi: 6, atMost: 5, steps: [told] },
    'for each place with at least MMI 6, at most 5: notify desk',
    '对烈度不低于6度的每个地点（至多5个）：通知desk',
  ],
  [
    { do: 'procedure', id: 'a', name: 'locks', codeHash: 'x', arguments: {} },
    'run the procedure locks',
    '执行流程locks',
  ],
];

for (const [step, en, zh] of steps) {
  test(`says: ${en}`, () => assert.deepEqual(describeStep(step), { en, zh }));
}

test('a time span in words always means the time span', () => {
  const msPer = { second: 1_000, minute: MINUTE, hour: 60 * MINUTE, day: 1_440 * MINUTE };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400_000 }), (seconds) => {
      const [count, unit = ''] = describeDuration(seconds * 1_000).en.split(' ');
      const per = msPer[unit.replace(/s$/, '') as keyof typeof msPer];
      assert.equal(Number(count) * per, seconds * 1_000);
    }),
  );
});
