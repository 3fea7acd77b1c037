/** Value at a point; writes the gradient there into `gradient`. */
export type Objective = (at: Float64Array, gradient: Float64Array) => number;

/**
 * Minimum of a smooth convex function by limited-memory BFGS (Nocedal & Wright, algorithm 7.4) with a
 * backtracking line search. Deterministic.
 */
export function minimise(
  start: Float64Array,
  objective: Objective,
  options: { readonly iterations?: number; readonly tolerance?: number } = {},
): Float64Array {
  const iterations = options.iterations ?? 200;
  const tolerance = options.tolerance ?? 1e-6;
  const memory = 10;
  let at = Float64Array.from(start);
  let gradient = new Float64Array(at.length);
  let value = objective(at, gradient);
  const moves: { readonly step: Float64Array; readonly change: Float64Array; readonly rho: number }[] = [];

  for (let iteration = 0; iteration < iterations; iteration++) {
    if (Math.max(...gradient.map(Math.abs)) < tolerance * Math.max(1, Math.abs(value))) break;
    const direction = gradient.map((g) => -g);
    const alphas: number[] = [];
    for (let m = moves.length - 1; m >= 0; m--) {
      const { step, change, rho } = moves[m]!;
      const alpha = rho * dot(step, direction);
      alphas[m] = alpha;
      addScaled(direction, change, -alpha);
    }
    const last = moves.at(-1);
    const first =
      last === undefined
        ? 1 / Math.max(1, Math.sqrt(dot(gradient, gradient)))
        : 1 / (last.rho * dot(last.change, last.change));
    for (let i = 0; i < direction.length; i++) direction[i]! *= first;
    for (const [m, { step, change, rho }] of moves.entries()) {
      addScaled(direction, step, alphas[m]! - rho * dot(change, direction));
    }
    const slope = dot(gradient, direction);
    let length = 1;
    let moved = at;
    let movedGradient = gradient;
    let movedValue = value;
    for (; length > 1e-12; length /= 2) {
      moved = Float64Array.from(at);
      addScaled(moved, direction, length);
      movedGradient = new Float64Array(at.length);
      movedValue = objective(moved, movedGradient);
      if (movedValue <= value + 1e-4 * length * slope) break;
    }
    if (length <= 1e-12) break;
    const step = moved.map((v, i) => v - at[i]!);
    const change = movedGradient.map((g, i) => g - gradient[i]!);
    const curvature = dot(step, change);
    if (curvature > 1e-12) {
      moves.push({ step, change, rho: 1 / curvature });
      if (moves.length > memory) moves.shift();
    }
    const gained = value - movedValue;
    at = moved;
    gradient = movedGradient;
    value = movedValue;
    if (gained <= 1e-12 * Math.max(1, Math.abs(value))) break;
  }
  return at;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(into: Float64Array, what: Float64Array, factor: number): void {
  for (let i = 0; i < into.length; i++) into[i]! += factor * what[i]!;
}
