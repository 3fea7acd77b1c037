import { TocsinError } from '../domain/errors.ts';
import type { RegisteredForecasterCard } from '../domain/forecast/trained.ts';
import type { CheckContext } from '../domain/plan/check-context.ts';
import type { Stores } from '../domain/ports.ts';

/** What a plan is checked against here: the units on the roster, the recognisers and forecasters in use, and the sensors. */
export async function planContext({
  roster,
  recognisers,
  forecasters,
  sites,
}: Pick<Stores, 'roster' | 'recognisers' | 'forecasters' | 'sites'>): Promise<CheckContext> {
  const names = await recognisers.names();
  const active = await Promise.all(names.map((name) => recognisers.active(name)));
  const trained = await Promise.all(
    (await forecasters.names()).map(async (name) => {
      const inUse = await forecasters.active(name);
      const stored = inUse === null ? null : await forecasters.get(name, inUse.hash).catch(ifDamaged);
      return stored === null ? [] : [{ ...(stored.card as unknown as RegisteredForecasterCard), name }];
    }),
  );
  return {
    units: await roster.units(),
    recognisers: names.filter((_, n) => active[n] !== null),
    forecasters: trained.flat(),
    sensors: await sites.sensors(),
  };
}

/** One that is not whole is as none: the plan that names it is told so, and no other. */
function ifDamaged(error: unknown): null {
  if (error instanceof TocsinError && !error.retryable) return null;
  throw error;
}
