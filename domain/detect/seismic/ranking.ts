import type { Ranking } from './rank.ts';

/**
 * Which rise of a record is its P wave. Learnt from 100 regional records of the PhaseNet samples, 8 crops each.
 * Written by `npm run bench -- train-p-picker`; not edited by hand. Method: `trainRanking`.
 *
 * Data: PhaseNet's sample set (Zhu & Beroza 2019, Geophys. J. Int. 216; MIT licence), from the Northern California
 * Earthquake Data Center.
 */
export const RANKING: Ranking = {
  provenance: 'Learnt from 100 regional records of the PhaseNet samples, 8 crops each.',
  features: [
    'verticalRatio03',
    'verticalRatio1',
    'verticalRatio3',
    'allRatio1',
    'allRatio3',
    'allRatio8',
    'bestBandRatio1',
    'secondBandRatio1',
    'worstBandRatio1',
    'aboveFloorBefore',
    'belowLoudest',
    'laterRise',
    'earlierBest',
    'earlierBestAboveOwn',
    'horizontalGain',
    'persistence',
    'higherPitch',
    'aicDepth',
    'secondsBefore',
    'quietestBefore',
  ],
  mean: [
    0.622917, 0.693647, 0.844141, 0.620385, 0.81319, 1.30564, 1.10897, 0.868517, 0.0782277, 0.784722, 5.72614,
    2.8344, 3.44047, 3.31883, -0.134542, 0.272989, -0.650165, 0.375196, 14.7333, 0.833058,
  ],
  scale: [
    1.93518, 1.98977, 2.22239, 2.02959, 2.3316, 3.04348, 2.26228, 2.20028, 1.72909, 1.88404, 3.52694, 3.47419,
    3.41673, 3.48135, 0.653803, 0.338704, 1.81138, 0.992897, 6.78749, 1.39982,
  ],
  weight: [
    0.536406, 0.0278991, 0.313329, -0.0263953, 0.640161, 0.354878, 0.188165, 0.0600041, -0.187002, 0.292639,
    -0.434036, 0.237375, 0.242197, -0.0282091, -0.028105, 0.804695, 0.665063, 0.713485, 0.28013, -0.87878,
  ],
};
