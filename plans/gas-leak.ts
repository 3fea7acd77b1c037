import {
  always,
  any,
  arrival,
  atLeast,
  below,
  between,
  closeValve,
  definePlan,
  evacuate,
  lel,
  metres,
  notify,
  rule,
  send,
  together,
} from '../domain/plan/index.ts';

/** Natural gas in a building full of people. One sensor alone evacuates nobody: it may be the one that drifts. */
export const gasLeak = definePlan({
  id: 'gas-leak',
  title: { en: 'Natural-gas leak in an occupied building', zh: '有人建筑天然气泄漏' },
  basis: 'plans/sources/gas-leak.md',
  covers: { hazard: 'gas-leak' },
  channels: { methane: '%LEL' },
  severities: { nuisance: 'IV', minor: 'III', major: 'II' },

  detect: ({ methane }) => atLeast(methane, lel(10), { for: '30 seconds', onSensors: 1 }),

  classify: {
    by: rule('gas-leak'),
    ifUnsure: { ask: 'duty-officer', within: '2 minutes', otherwise: 'major' },
    types: { 'gas-leak': 'scale' },
    scale: ({ methane }) => [
      { severity: 'major', when: atLeast(methane, lel(20), { for: '30 seconds', onSensors: 2 }) },
      {
        severity: 'minor',
        when: any(
          atLeast(methane, lel(10), { for: '30 seconds', onSensors: 2 }),
          atLeast(methane, lel(20), { for: '30 seconds', onSensors: 1 }),
        ),
      },
      { severity: 'nuisance', when: always },
    ],
  },

  dispatch: {
    nuisance: [notify('facilities')],

    minor: [
      together(
        notify('facilities'),
        send('gas-technician', { within: '30 minutes', otherwise: notify('gas-utility') }),
      ),
    ],

    major: [
      together(
        evacuate({
          radius: metres(100),
          approval: { from: 'duty-officer', within: '1 minute', otherwise: 'proceed' },
        }),
        closeValve('building-main', { from: 'duty-officer', within: '1 minute', otherwise: 'proceed' }),
        send('hazmat', { count: 2, within: '8 minutes', otherwise: notify('county-dispatch') }),
        notify('hospital', { acknowledgedWithin: '3 minutes', otherwise: notify('ems-supervisor') }),
      ),
      send('gas-technician', { within: '30 minutes', otherwise: notify('gas-utility') }),
    ],
  },

  evaluate: {
    // Sensors speak to an incident only when a condition turns, so silence is no sign: no `staleAfter`.
    every: '5 minutes',
    resolvedWhen: ({ methane }) => below(methane, lel(5), { for: '15 minutes', onSensors: 'all' }),
    // Two sensors that do not come down are a leak that nobody has found.
    escalateWhen: ({ methane }) => atLeast(methane, lel(10), { for: '10 minutes', onSensors: 2 }),
    measures: { hazmatOnScene: arrival('hazmat', { percentile: 90, goal: '8 minutes' }) },
  },

  refine: {
    mayTune: { 'detect.threshold': between(lel(6), lel(10)) },
    afterIncidents: 5,
    approvedBy: 'plan-board',
  },
});
