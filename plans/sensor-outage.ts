import { always, atLeast, below, between, definePlan, notify, rule, sensors } from '../domain/plan/index.ts';

/**
 * Sensors that cannot be relied on: silent, stuck, flat or noisy. A place that nobody watches is an emergency of its
 * own, if a slow one. A sensor that falters and comes back pages nobody.
 */
export const sensorOutage = definePlan({
  id: 'sensor-outage',
  title: { en: 'Sensors that cannot be relied on', zh: '传感器不可信' },
  basis: 'plans/sources/sensor-outage.md',
  covers: { hazard: 'sensor-outage' },
  channels: { doubtfulSensors: 'sensors' },
  severities: { degraded: 'IV', blind: 'III' },

  detect: ({ doubtfulSensors }) => atLeast(doubtfulSensors, sensors(1), { for: '10 minutes', onSensors: 1 }),

  classify: {
    by: rule('sensor-outage'),
    ifUnsure: { ask: 'duty-officer', within: '10 minutes', otherwise: 'blind' },
    types: { 'sensor-outage': 'scale' },
    scale: ({ doubtfulSensors }) => [
      { severity: 'blind', when: atLeast(doubtfulSensors, sensors(3), { for: '10 minutes', onSensors: 1 }) },
      { severity: 'degraded', when: always },
    ],
  },

  dispatch: {
    degraded: [notify('duty-officer', { acknowledgedWithin: '30 minutes', otherwise: notify('facilities') })],
    blind: [notify('duty-officer', { acknowledgedWithin: '10 minutes', otherwise: notify('facilities') })],
  },

  evaluate: {
    every: '1 hour',
    resolvedWhen: ({ doubtfulSensors }) =>
      below(doubtfulSensors, sensors(0.5), { for: '5 minutes', onSensors: 'all' }),
    escalateWhen: ({ doubtfulSensors }) =>
      atLeast(doubtfulSensors, sensors(3), { for: '10 minutes', onSensors: 1 }),
  },

  refine: {
    // A site with many sensors may leave one or two to the next working day; no refinement may leave more.
    mayTune: { 'detect.threshold': between(sensors(1), sensors(3)) },
    afterIncidents: 5,
    approvedBy: 'plan-board',
  },
});
