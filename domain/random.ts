/**
 * A seeded random source: xoshiro128** (Blackman & Vigna, 2018) filled by splitmix32. The same seed gives the
 * same stream on every machine. Not for secrets.
 *
 * @example
 * const random = createRandom(7);
 * random.integer(6); // 0..5, always the same first value for seed 7
 */
export interface Random {
  /** 32 random bits as an unsigned integer. */
  bits(): number;
  /** Uniform in [0, 1) with 32 random bits. */
  unit(): number;
  /** Uniform integer in [0, bound). `bound` 1..2^32. */
  integer(bound: number): number;
  /** Standard normal by the polar method. */
  normal(): number;
  /** An independent stream for a named part, so that adding draws to one part leaves the others as they were. */
  fork(index: number): Random;
}

/** @param seed any integer; only its low 32 bits count. */
export function createRandom(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let a = next();
  let b = next();
  let c = next();
  let d = next();
  let spare = Number.NaN;

  const bits = (): number => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const unit = (): number => bits() / 4294967296;
  return {
    bits,
    unit,
    integer: (bound) => Math.floor(unit() * bound),
    normal() {
      if (!Number.isNaN(spare)) {
        const kept = spare;
        spare = Number.NaN;
        return kept;
      }
      for (;;) {
        const u = 2 * unit() - 1;
        const v = 2 * unit() - 1;
        const s = u * u + v * v;
        if (s > 0 && s < 1) {
          const factor = Math.sqrt((-2 * Math.log(s)) / s);
          spare = v * factor;
          return u * factor;
        }
      }
    },
    fork: (index) =>
      createRandom(Math.imul(seed ^ 0x5bd1e995, 0x27d4eb2f) ^ Math.imul(index + 1, 0x165667b1)),
  };
}

/** Shuffles in place (Fisher-Yates). */
export function shuffle<T extends { length: number; [index: number]: number }>(items: T, random: Random): T {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const kept = items[i]!;
    items[i] = items[j]!;
    items[j] = kept;
  }
  return items;
}
