/** Under this name a version runs beside the one that votes: it answers, and nobody acts on it. */
export function shadowOf(name: string): string {
  return `${name}~shadow`;
}

/** Activated as the shadow's version when the shadow is to stop: activations are only ever appended. */
export const NO_SHADOW = 'none';
