/** Values from which nothing is concluded yet: a deviation of a handful is no deviation. */
export const LEARNING = 20;
