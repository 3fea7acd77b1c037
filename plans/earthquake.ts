import {
  affectedPlaces,
  always,
  any,
  arrival,
  between,
  closeValve,
  definePlan,
  evacuate,
  expectedIntensity,
  forEach,
  km,
  magnitude,
  magnitudeNear,
  metres,
  mmi,
  notify,
  quietFor,
  send,
  together,
  vote,
} from '../domain/plan/index.ts';

/** Earthquakes as notices report them. Blasts look alike on a seismogram: telling them apart spares the rescuers. */
export const earthquake = definePlan({
  id: 'earthquake',
  title: { en: 'Earthquake near a place of care', zh: '照护地点附近发生地震' },
  basis: 'plans/sources/earthquake.md',
  covers: { hazard: 'earthquake' },
  bulletins: { notice: 'earthquake-notice' },
  severities: { catastrophic: 'I', severe: 'II', moderate: 'III', tremor: 'IV', blast: 'IV' },

  detect: ({ notice }) =>
    any(
      expectedIntensity(notice, { atLeast: mmi(3.5) }),
      magnitudeNear(notice, { atLeast: magnitude(1), within: km(20) }),
    ),

  // Foreshocks and aftershocks belong to the response that is already running.
  sequence: { radius: 'gardner-knopoff-1974', within: '72 hours' },

  classify: {
    by: vote('notice-forest', 'notice-svm'),
    minConfidence: 0.7,
    // Silence means: take it for the earthquake it may be. Its scale still depends on the shaking alone.
    ifUnsure: { ask: 'duty-officer', within: '2 minutes', otherwise: 'scale' },
    types: { earthquake: 'scale', explosion: 'blast', 'quarry-blast': 'blast' },
    scale: ({ notice }) => [
      { severity: 'catastrophic', when: expectedIntensity(notice, { atLeast: mmi(7.5) }) },
      { severity: 'severe', when: expectedIntensity(notice, { atLeast: mmi(6) }) },
      { severity: 'moderate', when: expectedIntensity(notice, { atLeast: mmi(5) }) },
      { severity: 'tremor', when: always },
    ],
  },

  dispatch: {
    blast: [notify('district-desk'), notify('mine-inspectorate')],

    // Nobody needs rescue; somebody walks the checklist of bridges, dams and schools.
    tremor: [notify('district-desk'), send('assessment', { within: '2 hours' })],

    moderate: [
      together(
        notify('district-desk'),
        send('assessment', { count: 2, within: '2 hours' }),
        send('medical', { within: '30 minutes', otherwise: notify('health-bureau') }),
      ),
    ],

    severe: [
      together(
        notify('hospital', { acknowledgedWithin: '3 minutes', otherwise: notify('health-bureau') }),
        notify('provincial-headquarters'),
        closeValve('gas-main', { from: 'duty-officer', within: '5 minutes', otherwise: 'hold' }),
        forEach(affectedPlaces({ atLeast: mmi(6), atMost: 5 }), (place) => [
          together(
            send('search-rescue', {
              at: place,
              count: 2,
              within: '45 minutes',
              otherwise: notify('provincial-headquarters'),
            }),
            send('medical', {
              at: place,
              count: 2,
              within: '30 minutes',
              otherwise: notify('health-bureau'),
            }),
            evacuate({
              at: place,
              radius: metres(500),
              approval: { from: 'duty-officer', within: '5 minutes', otherwise: 'hold' },
            }),
          ),
          send('assessment', { at: place, count: 2, within: '2 hours' }),
        ]),
      ),
    ],

    catastrophic: [
      together(
        notify('national-headquarters', {
          acknowledgedWithin: '3 minutes',
          otherwise: notify('provincial-headquarters'),
        }),
        notify('hospital', { acknowledgedWithin: '3 minutes', otherwise: notify('health-bureau') }),
        // Gas burns what the shaking spared: here silence closes it.
        closeValve('gas-main', { from: 'duty-officer', within: '2 minutes', otherwise: 'proceed' }),
        forEach(affectedPlaces({ atLeast: mmi(6), atMost: 10 }), (place) => [
          together(
            send('search-rescue', {
              at: place,
              count: 3,
              within: '45 minutes',
              otherwise: notify('national-headquarters'),
            }),
            send('medical', {
              at: place,
              count: 4,
              within: '30 minutes',
              otherwise: notify('health-bureau'),
            }),
            evacuate({
              at: place,
              radius: metres(500),
              approval: { from: 'duty-officer', within: '5 minutes', otherwise: 'hold' },
            }),
          ),
          send('assessment', { at: place, count: 2, within: '2 hours' }),
        ]),
      ),
    ],
  },

  evaluate: {
    every: '6 hours',
    resolvedWhen: ({ notice }) => quietFor(notice, '72 hours'),
    resolvedWhenBySeverity: {
      blast: ({ notice }) => quietFor(notice, '1 hour'),
      tremor: ({ notice }) => quietFor(notice, '24 hours'),
      moderate: ({ notice }) => quietFor(notice, '48 hours'),
    },
    measures: {
      rescueOnScene: arrival('search-rescue', { percentile: 90, goal: '45 minutes' }),
      medicalOnScene: arrival('medical', { percentile: 90, goal: '30 minutes' }),
      assessmentOnScene: arrival('assessment', { percentile: 90, goal: '2 hours' }),
    },
  },

  refine: {
    mayTune: {
      'detect.magnitude': between(magnitude(1), magnitude(2.5)),
      'classify.minConfidence': between(0.6, 0.95),
    },
    afterIncidents: 10,
    approvedBy: 'plan-board',
  },
});
