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
    // An expected intensity that rounds to VIII, VII or VI: heavy, considerable and slight damage.
    scale: ({ notice }) => [
      { severity: 'catastrophic', when: expectedIntensity(notice, { atLeast: mmi(7.5) }) },
      { severity: 'severe', when: expectedIntensity(notice, { atLeast: mmi(6.5) }) },
      { severity: 'moderate', when: expectedIntensity(notice, { atLeast: mmi(5.5) }) },
      { severity: 'tremor', when: always },
    ],
  },

  dispatch: {
    // Nobody is hurt and nothing is searched for: whoever licenses the blasting hears of it.
    blast: [notify('district-desk'), notify('mine-inspectorate')],

    // Nobody needs rescue; somebody walks the checklist of bridges, dams and schools.
    tremor: [notify('district-desk'), send('assessment', { within: '90 minutes' })],

    moderate: [
      together(
        notify('district-desk'),
        notify('hospital', { acknowledgedWithin: '5 minutes', otherwise: notify('health-bureau') }),
        send('assessment', { count: 2, within: '90 minutes', otherwise: notify('county-headquarters') }),
      ),
    ],

    severe: [
      together(
        notify('provincial-headquarters'),
        notify('hospital', { acknowledgedWithin: '3 minutes', otherwise: notify('health-bureau') }),
        send('search-rescue', {
          count: 2,
          within: '45 minutes',
          otherwise: notify('provincial-headquarters'),
        }),
        send('medical', { count: 2, within: '30 minutes', otherwise: notify('health-bureau') }),
        // A closed main leaves a town without heat until every house was visited: silence leaves it open.
        closeValve('gas-main', { from: 'duty-officer', within: '2 minutes', otherwise: 'hold' }),
        evacuate({
          radius: metres(500),
          approval: { from: 'duty-officer', within: '5 minutes', otherwise: 'hold' },
        }),
        forEach(affectedPlaces({ atLeast: mmi(6), atMost: 5 }), (place) => [
          send('assessment', { at: place, within: '90 minutes', otherwise: notify('county-headquarters') }),
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
        send('search-rescue', {
          count: 3,
          within: '45 minutes',
          otherwise: notify('national-headquarters'),
        }),
        send('medical', { count: 4, within: '30 minutes', otherwise: notify('health-bureau') }),
        // Gas burns what the shaking spared: here silence closes it.
        closeValve('gas-main', { from: 'duty-officer', within: '2 minutes', otherwise: 'proceed' }),
        evacuate({
          radius: metres(500),
          approval: { from: 'duty-officer', within: '5 minutes', otherwise: 'hold' },
        }),
        forEach(affectedPlaces({ atLeast: mmi(6), atMost: 10 }), (place) => [
          together(
            send('search-rescue', {
              at: place,
              within: '90 minutes',
              otherwise: notify('provincial-headquarters'),
            }),
            send('assessment', { at: place, within: '90 minutes', otherwise: notify('county-headquarters') }),
          ),
        ]),
      ),
    ],
  },

  evaluate: {
    every: '12 hours',
    resolvedWhen: ({ notice }) => quietFor(notice, '72 hours'),
    resolvedWhenBySeverity: {
      blast: ({ notice }) => quietFor(notice, '1 hour'),
      tremor: ({ notice }) => quietFor(notice, '24 hours'),
    },
    measures: {
      rescueOnScene: arrival('search-rescue', { percentile: 90, goal: '45 minutes' }),
      medicalOnScene: arrival('medical', { percentile: 90, goal: '30 minutes' }),
      assessmentOnScene: arrival('assessment', { percentile: 90, goal: '90 minutes' }),
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
