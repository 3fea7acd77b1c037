import type { CheckContext } from '../domain/plan/check-context.ts';
import type { Stores } from '../domain/ports.ts';

/** What a plan is checked against here: the units on the roster, and the recognisers in use. */
export async function planContext({
  roster,
  recognisers,
}: Pick<Stores, 'roster' | 'recognisers'>): Promise<CheckContext> {
  const names = await recognisers.names();
  const active = await Promise.all(names.map((name) => recognisers.active(name)));
  return { units: await roster.units(), recognisers: names.filter((_, n) => active[n] !== null) };
}
