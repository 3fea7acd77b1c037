/**
 * A digital Butterworth filter as second-order sections, each `[b0, b1, b2, a1, a2]` with a0 = 1. Designed by the
 * bilinear transform with pre-warped corner frequencies (Oppenheim & Schafer, Discrete-Time Signal Processing, ch. 7).
 */
export type Sections = readonly (readonly [number, number, number, number, number])[];

interface Complex {
  readonly re: number;
  readonly im: number;
}

/**
 * @param corners order of the low-pass prototype, so that the filter falls by 6 dB per octave and corner on each
 *   side. @default 4
 * @param lowHz above 0, below `highHz`
 * @param highHz a corner at or above the Nyquist frequency leaves a high-pass of the same order
 */
export function bandPass({
  rateHz,
  lowHz,
  highHz,
  corners = 4,
}: {
  readonly rateHz: number;
  readonly lowHz: number;
  readonly highHz: number;
  readonly corners?: number;
}): Sections {
  if (!(lowHz > 0 && lowHz < highHz && lowHz < rateHz / 2)) {
    throw new RangeError(
      `Expected 0 < lowHz < highHz and lowHz < rateHz / 2, got ${lowHz}, ${highHz}, ${rateHz}`,
    );
  }
  const warped = (hz: number): number => 2 * Math.tan((Math.PI * hz) / rateHz);
  if (highHz >= rateHz / 2) return highPass(warped(lowHz), corners);
  const low = warped(lowHz);
  const high = warped(highHz);
  const width = high - low;
  const centreSquared = low * high;
  // Each pole p of the prototype becomes the two roots of s² - p·width·s + centre² = 0. Poles come in conjugate
  // pairs, so the roots of the upper half (and of a real pole) give every section once.
  const sections: [number, number, number, number, number][] = [];
  for (const pole of prototypePoles(corners)) {
    const half = { re: (pole.re * width) / 2, im: (pole.im * width) / 2 };
    const root = complexSqrt({
      re: half.re * half.re - half.im * half.im - centreSquared,
      im: 2 * half.re * half.im,
    });
    const plus = { re: half.re + root.re, im: half.im + root.im };
    const minus = { re: half.re - root.re, im: half.im - root.im };
    if (pole.im > 0) {
      sections.push(bandSection(conjugatePair(plus)), bandSection(conjugatePair(minus)));
    } else {
      sections.push(bandSection(quadratic(plus, minus)));
    }
  }
  // |H| = 1 at the centre of the band.
  const centre = 2 * Math.atan(Math.sqrt(centreSquared) / 2);
  return normalised(sections, centre);
}

function highPass(corner: number, corners: number): Sections {
  const sections: [number, number, number, number, number][] = [];
  for (const pole of prototypePoles(corners)) {
    const magnitude = pole.re * pole.re + pole.im * pole.im;
    const moved = { re: (corner * pole.re) / magnitude, im: (-corner * pole.im) / magnitude };
    if (pole.im > 0) {
      const [a1, a2] = digital(conjugatePair(moved));
      sections.push([1, -2, 1, a1, a2]);
    } else {
      const z = (2 + moved.re) / (2 - moved.re);
      sections.push([1, -1, 0, -z, 0]);
    }
  }
  return normalised(sections, Math.PI);
}

/** Poles of the unit Butterworth low-pass with a non-negative imaginary part. */
function prototypePoles(corners: number): Complex[] {
  const poles: Complex[] = [];
  for (let k = 0; k < Math.ceil(corners / 2); k++) {
    const angle = Math.PI / 2 + ((2 * k + 1) * Math.PI) / (2 * corners);
    const real = 2 * k + 1 === corners;
    poles.push(real ? { re: -1, im: 0 } : { re: Math.cos(angle), im: Math.sin(angle) });
  }
  return poles;
}

interface Quadratic {
  /** s² + linear·s + constant */
  readonly linear: number;
  readonly constant: number;
}

const conjugatePair = (p: Complex): Quadratic => ({ linear: -2 * p.re, constant: p.re * p.re + p.im * p.im });

const quadratic = (p: Complex, q: Complex): Quadratic => ({
  linear: -(p.re + q.re),
  constant: p.re * q.re - p.im * q.im,
});

/** Bilinear transform of s² + linear·s + constant with s = 2(z-1)/(z+1). */
function digital({ linear, constant }: Quadratic): [number, number] {
  const a0 = 4 + 2 * linear + constant;
  return [(2 * constant - 8) / a0, (4 - 2 * linear + constant) / a0];
}

function bandSection(poles: Quadratic): [number, number, number, number, number] {
  const [a1, a2] = digital(poles);
  return [1, 0, -1, a1, a2];
}

/** Scales the first section so that the gain at `angle` (radians per sample) is 1. */
function normalised(sections: [number, number, number, number, number][], angle: number): Sections {
  let gain = 1;
  for (const [b0, b1, b2, a1, a2] of sections) {
    gain *= magnitude(b0, b1, b2, angle) / magnitude(1, a1, a2, angle);
  }
  const [first, ...rest] = sections;
  const [b0, b1, b2, a1, a2] = first!;
  return [[b0 / gain, b1 / gain, b2 / gain, a1, a2], ...rest];
}

function magnitude(c0: number, c1: number, c2: number, angle: number): number {
  const re = c0 + c1 * Math.cos(angle) + c2 * Math.cos(2 * angle);
  const im = c1 * Math.sin(angle) + c2 * Math.sin(2 * angle);
  return Math.hypot(re, im);
}

function complexSqrt({ re, im }: Complex): Complex {
  const length = Math.hypot(re, im);
  const real = Math.sqrt((length + re) / 2);
  const imaginary = Math.sqrt((length - re) / 2);
  return { re: real, im: im < 0 ? -imaginary : imaginary };
}

/** A causal filter that takes one sample at a time and can be put aside and taken up again. */
export interface Cascade {
  push(sample: number): number;
  /** Two numbers a section. */
  save(): readonly number[];
  restore(state: readonly number[]): void;
}

/** Direct form II transposed, from rest. */
export function createCascade(sections: Sections): Cascade {
  const coefficients = Float64Array.from(sections.flat());
  const state = new Float64Array(2 * sections.length);
  return {
    push(sample) {
      let x = sample;
      for (let s = 0, c = 0; s < state.length; s += 2, c += 5) {
        const y = coefficients[c]! * x + state[s]!;
        state[s] = coefficients[c + 1]! * x - coefficients[c + 3]! * y + state[s + 1]!;
        state[s + 1] = coefficients[c + 2]! * x - coefficients[c + 4]! * y;
        x = y;
      }
      return x;
    },
    save: () => [...state],
    restore(saved) {
      state.set(saved);
    },
  };
}

/** The whole of `samples` through a cascade from rest; a new array. */
export function filtered(samples: ArrayLike<number>, sections: Sections): Float64Array {
  const cascade = createCascade(sections);
  const out = new Float64Array(samples.length);
  for (let i = 0; i < out.length; i++) out[i] = cascade.push(samples[i]!);
  return out;
}
