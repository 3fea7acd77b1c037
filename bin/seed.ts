import type { Principal } from '../domain/ports.ts';
import { trainNoticeRecognisers } from '../activities/recognition/train-notices.ts';
import { loadWeekOfNotices } from '../activities/recognition/week-of-notices.ts';
import type { Stores } from '../domain/ports.ts';
import { publishBuiltInPlans } from './built-in-plans.ts';

export interface SeedOptions {
  readonly stores: Stores;
  readonly principals: readonly Principal[];
  /** Told what was done, in words; not told what was there already. */
  readonly say: (line: string) => void;
  readonly nowMs: number;
}

/**
 * What a first start needs: principals, plans, places, units, recognisers. Each is left alone when it is there, so
 * that a start that was interrupted is completed by the next.
 */
export async function seed({ stores, principals, say, nowMs }: SeedOptions): Promise<void> {
  const known = new Map((await stores.principals.list()).map((one) => [one.id, one.revokedAtMs]));
  for (const principal of principals) {
    // Who was revoked stays so, however often everything is started.
    await stores.principals.put({
      ...principal,
      revokedAtMs: known.get(principal.id) ?? principal.revokedAtMs,
    });
  }
  await seedPlaces(stores, say);
  await seedRoster(stores, say);
  await seedRecognisers(stores, say, nowMs);
  // Last: a plan is checked against the units and the recognisers that are there.
  await publishBuiltInPlans(stores, say, nowMs);
}

async function seedPlaces({ sites }: Stores, say: (line: string) => void): Promise<void> {
  const { PLACES } = await import('../exercise/places.ts');
  const known = new Set((await sites.places()).map(({ id }) => id));
  const missing = PLACES.filter(({ id }) => !known.has(id));
  for (const place of missing) await sites.putPlace(place);
  if (missing.length > 0) say(`places: ${missing.length} placed under care`);
}

async function seedRoster({ roster, sites }: Stores, say: (line: string) => void): Promise<void> {
  if ((await roster.units()).length > 0) return;
  const { generateRoster } = await import('../domain/dispatch/roster.ts');
  const units = generateRoster({ places: await sites.places() });
  await roster.put(units);
  say(`roster: ${units.length} fictional units from a seed`);
}

async function seedRecognisers(
  { recognisers }: Stores,
  say: (line: string) => void,
  nowMs: number,
): Promise<void> {
  const names = ['notice-forest', 'notice-svm'];
  const active = await Promise.all(names.map((name) => recognisers.active(name)));
  if (active.every((one) => one !== null)) return;
  const startedMs = performance.now();
  const trained = await trainNoticeRecognisers({ notices: await loadWeekOfNotices(), crossValidation: null });
  for (const { recogniser, hash, artefact, card } of [trained.forest, trained.svm]) {
    const { name } = recogniser;
    await recognisers.insert({ name, hash, artefact, card: { ...card }, atMs: nowMs });
    if ((await recognisers.active(name)) === null) {
      await recognisers.activate({
        name,
        hash,
        by: 'admin',
        reason: 'trained at the first start',
        atMs: nowMs,
      });
    }
  }
  say(`recognisers: forest and SVM trained in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
}
