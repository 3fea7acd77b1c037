import {
  always,
  any,
  definePlan,
  magnitude,
  magnitudeNear,
  networkTriggers,
  km,
  notify,
  quietFor,
  rule,
} from '../../domain/plan/index.ts';

/** An earthquake as a network of accelerometers hears it, or as a notice tells of it. */
export const shakingPlan = definePlan({
  id: 'shaking',
  title: { en: 'Earthquake heard by the network', zh: '台网触发的地震' },
  basis: 'test/support/shaking-plan.ts',
  covers: { hazard: 'earthquake' },
  channels: { east: 'Gal', north: 'Gal', up: 'Gal' },
  bulletins: { notice: 'earthquake-notice' },
  severities: { felt: 'III' },
  detect: ({ east, north, up, notice }) =>
    any(
      networkTriggers([east, north, up]),
      magnitudeNear(notice, { atLeast: magnitude(2), within: km(200) }),
    ),
  sequence: { radius: 'gardner-knopoff-1974', within: '72 hours' },
  classify: {
    by: rule('earthquake'),
    ifUnsure: { ask: 'duty-officer', within: '2 minutes', otherwise: 'felt' },
    types: { earthquake: 'scale' },
    scale: () => [{ severity: 'felt', when: always }],
  },
  dispatch: { felt: [notify('county')] },
  evaluate: { every: '10 minutes', resolvedWhen: ({ notice }) => quietFor(notice, '6 hours') },
  refine: { mayTune: {}, afterIncidents: 5, approvedBy: 'plan-board' },
});
