import type { Measure } from '../plan/document.ts';
import type { MeasureResult, Situation } from '../situation.ts';
import type { DurationMs } from '../units.ts';

/**
 * A response interval against its goal, as NFPA 1710 and 1225 state theirs: the time that the given share of units
 * reached. The interval runs from the order to the unit's arrival on scene. A unit that a missed order still waited
 * for at the end counts as later than any goal; a unit called off because it was no longer needed does not count.
 */
export function measure(spec: Measure, situation: Pick<Situation, 'orders' | 'missions'>): MeasureResult {
  const { arrivedMs, neverArrived } = arrivals(spec.capability, situation);
  const count = arrivedMs.length + neverArrived;
  if (count === 0) return { goalMs: spec.goalMs, valueMs: null, met: null, count };
  const all = [...arrivedMs, ...Array.from({ length: neverArrived }, () => Infinity)];
  const valueMs = percentile(all, spec.percentile);
  return {
    goalMs: spec.goalMs,
    valueMs: Number.isFinite(valueMs) ? valueMs : null,
    met: valueMs <= spec.goalMs,
    count,
  };
}

function arrivals(
  capability: string,
  { orders, missions }: Pick<Situation, 'orders' | 'missions'>,
): { readonly arrivedMs: DurationMs[]; readonly neverArrived: number } {
  const arrivedMs: DurationMs[] = [];
  let neverArrived = 0;
  for (const order of Object.values(orders)) {
    if (order.capability !== capability) continue;
    let arrived = 0;
    for (const mission of Object.values(missions)) {
      const onSceneMs = mission.orderId === order.id ? mission.times['on-scene'] : undefined;
      if (onSceneMs === undefined) continue;
      arrived++;
      arrivedMs.push(onSceneMs - order.orderedAtMs);
    }
    if (order.state === 'missed') neverArrived += Math.max(0, order.count - arrived);
  }
  return { arrivedMs, neverArrived };
}

/**
 * Nearest rank: the smallest value that at least `percent` of all values do not exceed.
 *
 * @param values any order, at least one
 * @param percent above 0, at most 100
 * @throws RangeError
 */
export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) throw new RangeError('Expected at least one value');
  if (!(percent > 0 && percent <= 100)) throw new RangeError(`Expected percent in (0, 100], got ${percent}`);
  const sorted = [...values].sort((a, b) => a - b);
  // The tiny allowance keeps 70 % of 10 at rank 7: 0.7 * 10 is 7.000000000000001 in some orders of arithmetic.
  const rank = Math.ceil((percent * sorted.length) / 100 - 1e-9);
  return sorted[Math.max(1, rank) - 1]!;
}
