import {
  MAJOR_LEAF,
  MINUTE,
  T0,
  agreed,
  disagreed,
  gasPlan,
  methaneReading,
  notice,
  quakePlan,
  unitsOf,
} from './plans.ts';
import type { Scenario } from './script.ts';

const at = (minutes: number): number => T0 + Math.round(minutes * MINUTE);
const shock = (id: string, minutes: number, magnitude: number, mmi: number) =>
  notice({ id, atMs: at(minutes), magnitude, mmi });

const majorLeak = (minutes: number) => [
  methaneReading('detect', true, at(minutes)),
  methaneReading(MAJOR_LEAF, true, at(minutes)),
];

/** Scenarios that the simulator and Temporal must record alike. Between them they reach every fact kind but failures. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a quarry blast that only needs a report': {
    plan: quakePlan,
    vote: () => agreed('quarry-blast'),
    happenings: [{ atMs: T0, tag: '', evidence: [shock('b', 0, 2.1, 2)] }],
  },
  'a foreshock, a severe main shock, aftershocks and an approval': {
    plan: quakePlan,
    happenings: [
      { atMs: T0, tag: '', evidence: [shock('f', 0, 5, 4)] },
      { atMs: at(40), tag: '', evidence: [shock('m', 40, 7, 8.4)] },
      {
        atMs: at(40.5),
        tag: '',
        answer: { questionId: 'severe.0', choice: 'approve', by: 'lin', reason: '' },
      },
      {
        atMs: at(41),
        tag: '',
        answer: { questionId: 'severe.1.1', choice: 'acknowledge', by: 'ho', reason: '' },
      },
      { atMs: at(90), tag: '', evidence: [shock('a1', 90, 5.5, 6.2)] },
      { atMs: at(200), tag: '', evidence: [shock('a2', 200, 4, 3), shock('a3', 200, 4.1, 3)] },
    ],
  },
  'recognisers that disagree, nobody there to ask, and a silent hospital': {
    plan: quakePlan,
    vote: () => disagreed,
    happenings: [{ atMs: T0, tag: '', evidence: [shock('q', 0, 6.5, 8.1)] }],
  },
  'a gas leak that escalates while its approvals expire, is refused or given, and is made safe': {
    plan: gasPlan,
    happenings: [
      { atMs: T0, tag: '', evidence: [methaneReading('detect', true)] },
      { atMs: at(2.5), tag: '', evidence: [methaneReading('evaluate.escalateWhen', true, at(2.5))] },
      {
        atMs: at(3),
        tag: '',
        answer: { questionId: 'major.0.0', choice: 'refuse', by: 'lin', reason: 'empty' },
      },
      { atMs: at(90.2), tag: '', evidence: [methaneReading('evaluate.resolvedWhen', true, at(90.2))] },
    ],
  },
  'two leaks that want the same hazmat units, one of them closed by command': {
    plan: gasPlan,
    units: unitsOf('east', { hazmat: 2 }),
    happenings: [
      { atMs: at(0), tag: 'a', evidence: majorLeak(0) },
      { atMs: at(0.3), tag: 'b', evidence: majorLeak(0.3) },
      { atMs: at(25.1), tag: 'a', command: { kind: 'close', by: 'lin', reason: 'false alarm' } },
      { atMs: at(150.1), tag: 'b', evidence: [methaneReading('evaluate.resolvedWhen', true, at(150.1))] },
    ],
  },
  'an order that nobody can serve': {
    plan: gasPlan,
    units: unitsOf('east', { medical: 1 }),
    happenings: [
      { atMs: at(0), tag: '', evidence: majorLeak(0) },
      { atMs: at(60.1), tag: '', evidence: [methaneReading('evaluate.resolvedWhen', true, at(60.1))] },
    ],
  },
};
