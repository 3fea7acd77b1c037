import type { PinnedPlan } from '../../domain/detect/watch.ts';
import { TocsinError } from '../../domain/errors.ts';
import { openForecaster, trainedForecastsIn } from '../../domain/forecast/register.ts';
import { misfitOf } from '../../domain/forecast/trained.ts';
import type { RegisteredForecaster } from '../../domain/forecast/trained.ts';
import type { ForecasterStore } from '../../domain/ports.ts';
import { sha256Hex } from '../hash.ts';

/** A condition asks for a forecaster that cannot be used: the sensor's own past stands in for it. */
export interface ForecasterDoubt {
  readonly forecaster: string;
  /** null: no version is in use. */
  readonly hash: string | null;
  readonly channel: string;
  readonly reason: 'forecaster-missing' | 'forecaster-damaged' | 'forecaster-misfit';
  readonly why: string;
  readonly plan: string;
}

export interface Forecasters {
  /** Those in use that are intact, by name. */
  readonly usable: ReadonlyMap<string, RegisteredForecaster>;
  /** Changes with the versions in use. */
  readonly versions: string;
  readonly doubts: readonly ForecasterDoubt[];
}

export const NO_FORECASTERS: Forecasters = { usable: new Map(), versions: '', doubts: [] };

type Loaded =
  | { readonly registered: RegisteredForecaster }
  | { readonly reason: 'forecaster-missing' | 'forecaster-damaged'; readonly why: string };

/**
 * Loads the version in use of every forecaster that the plans name. Its bytes must have the hash that names them: what
 * was cut or altered in the store is a doubt, never an error that stops detection.
 */
export function createForecasterLoader(
  store: ForecasterStore,
): (plans: Iterable<PinnedPlan>) => Promise<Forecasters> {
  /** By `<name>@<hash>`; what is not intact is read again, for it may have been mended. */
  const intact = new Map<string, Loaded>();

  async function load(name: string, hash: string | null): Promise<Loaded> {
    if (hash === null) return { reason: 'forecaster-missing', why: 'no version is in use' };
    const id = `${name}@${hash}`;
    const known = intact.get(id);
    if (known !== undefined) return known;
    const loaded = await read(store, name, hash);
    if ('registered' in loaded) intact.set(id, loaded);
    return loaded;
  }

  return async (plans) => {
    const usable = new Map<string, RegisteredForecaster>();
    const doubts: ForecasterDoubt[] = [];
    const versions: string[] = [];
    const asked = [...plans].flatMap(({ document }) =>
      trainedForecastsIn(document).map((condition) => ({ condition, plan: document.id })),
    );
    for (const name of new Set(asked.map(({ condition }) => condition.forecaster))) {
      const active = await store.active(name);
      const hash = active?.hash ?? null;
      const loaded = await load(name, hash);
      versions.push(`${name}@${hash}${'registered' in loaded ? '' : ` ${loaded.reason}`}`);
      if ('registered' in loaded) usable.set(name, loaded.registered);
      for (const { condition, plan } of asked) {
        if (condition.forecaster !== name) continue;
        const about = { forecaster: name, hash, channel: condition.channel, plan };
        if (!('registered' in loaded)) {
          doubts.push({ ...about, reason: loaded.reason, why: loaded.why });
          continue;
        }
        const misfit = misfitOf(loaded.registered, condition);
        if (misfit !== null) doubts.push({ ...about, reason: 'forecaster-misfit', why: misfit.why });
      }
    }
    return { usable, versions: versions.sort().join(), doubts };
  };
}

async function read(store: ForecasterStore, name: string, hash: string): Promise<Loaded> {
  try {
    const stored = await store.get(name, hash);
    if (stored === null) return { reason: 'forecaster-missing', why: `there is no version ${hash}` };
    return { registered: openForecaster(stored, sha256Hex) };
  } catch (error) {
    // Unreachable is not damaged: that is tried again like any other read.
    if (!(error instanceof TocsinError) || error.retryable) throw error;
    return { reason: 'forecaster-damaged', why: error.message };
  }
}
