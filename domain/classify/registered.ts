/*
 * Beside the versions that vote under a recogniser's name, its register keeps two more lists of the same form:
 * append-only, each line with its hash, who wrote it, why and when.
 */

/** Under this name a version runs beside the one that votes: it answers, and nobody acts on it. */
export function shadowOf(name: string): string {
  return `${name}~shadow`;
}

/** Under this name stands how each retraining ended: the version it made, or `NONE`. */
export function retrainingsOf(name: string): string {
  return `${name}~retrained`;
}

/** The hash where there is no version: the shadow is to stop, or a retraining made nothing. */
export const NONE = 'none';
