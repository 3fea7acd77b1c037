import { conditionsOf } from '../detect/watch.ts';
import { TocsinError } from '../errors.ts';
import type { ForecastCondition, PlanDocument } from '../plan/document.ts';
import type { RecogniserActivation, StoredRecogniser, Stores } from '../ports.ts';
import { decodeForecaster } from './artefact.ts';
import type { ForecastCard } from './forecaster.ts';
import { misfitOf } from './trained.ts';
import type { RegisteredForecaster, RegisteredForecasterCard } from './trained.ts';

/** What is stored beside the bytes of a forecaster. */
export type StoredForecasterCard = RegisteredForecasterCard &
  Readonly<Record<string, unknown>> & { readonly training: ForecastCard };

/** What the register is read with. */
export interface RegisterPorts extends Pick<Stores, 'forecasters' | 'plans'> {
  /** Lower-case hex SHA-256. */
  readonly sha256: (bytes: Uint8Array) => string;
}

export interface ForecasterGate {
  /** `artefact`: its bytes are whole and its card is theirs. `plan`: a plan in force that names it is served. */
  readonly check: 'artefact' | 'plan';
  readonly passed: boolean;
  /** What was looked at and how it came out, in words. */
  readonly reason: string;
}

export interface ActivatedForecaster {
  readonly activation: RecogniserActivation & { readonly name: string };
  /** False: this version was in use already, and nothing was written. */
  readonly isNew: boolean;
  readonly gates: readonly ForecasterGate[];
}

/** Every condition of a plan that asks a trained forecaster. */
export const trainedForecastsIn = (
  document: PlanDocument,
): (ForecastCondition & { readonly forecaster: string })[] =>
  [...conditionsOf(document)].flatMap(({ condition }) =>
    'probability' in condition && condition.forecaster !== undefined
      ? [{ ...condition, forecaster: condition.forecaster }]
      : [],
  );

/**
 * A forecaster out of the register, once its bytes have been found to be those that its hash names.
 *
 * @throws TocsinError FORECASTER_DAMAGED, FORECASTER_NEWER
 */
export function openForecaster(
  { name, hash, artefact, card }: StoredRecogniser,
  sha256: RegisterPorts['sha256'],
): RegisteredForecaster {
  if (sha256(artefact) !== hash) throw damaged(name, hash, 'its bytes do not have the hash that names them');
  const forecaster = decodeForecaster(artefact);
  const { channel, unit } = card;
  if (typeof channel !== 'string' || typeof unit !== 'string') {
    throw damaged(name, hash, 'its card names no channel and unit');
  }
  const { everyMs, steps } = forecaster;
  return { name, hash, channel, unit, everyMs, steps, forecaster };
}

/**
 * Whether a version may be used: its bytes are whole, and every plan in force that names it is served by it.
 *
 * @throws TocsinError FORECASTER_UNKNOWN
 */
export async function gatesOf(
  { forecasters, plans, sha256 }: RegisterPorts,
  name: string,
  hash: string,
): Promise<ForecasterGate[]> {
  let opened: RegisteredForecaster;
  try {
    const stored = await forecasters.get(name, hash);
    if (stored === null) throw unknownForecaster(name, hash);
    opened = openForecaster(stored, sha256);
    const { everyMs, steps } = stored.card;
    if (everyMs !== opened.everyMs || steps !== opened.steps) {
      throw damaged(name, hash, 'its card tells of other steps than its bytes');
    }
  } catch (error) {
    if (!(error instanceof TocsinError) || error.retryable || error.code === 'FORECASTER_UNKNOWN')
      throw error;
    return [{ check: 'artefact', passed: false, reason: error.message }];
  }
  const gates: ForecasterGate[] = [
    { check: 'artefact', passed: true, reason: 'Its bytes have the hash that names them.' },
  ];
  for (const { id, asked } of await askedOf(plans, name)) {
    const misfit = asked.map((condition) => misfitOf(opened, condition)).find((one) => one !== null);
    gates.push({
      check: 'plan',
      passed: misfit === undefined,
      reason:
        misfit === undefined
          ? `The plan ${id}, which is in force, is served.`
          : `The plan ${id}, which is in force, is not served: ${misfit.why}.`,
    });
  }
  return gates;
}

/**
 * Lets plans use a stored version from now on, if every gate lets it pass. The version that is in use is not activated
 * again: a repeat whose first answer was lost writes nothing.
 *
 * @throws TocsinError FORECASTER_UNKNOWN, or FORECASTER_GATE_REFUSED with every gate in its details
 */
export async function activateForecaster(
  ports: RegisterPorts,
  entry: Omit<ActivatedForecaster['activation'], 'n'>,
): Promise<ActivatedForecaster> {
  const { forecasters } = ports;
  const { name, hash } = entry;
  const gates = await gatesOf(ports, name, hash);
  const refused = gates.filter(({ passed }) => !passed);
  if (refused.length > 0) {
    throw new TocsinError(
      'FORECASTER_GATE_REFUSED',
      `${name}@${hash.slice(0, 12)} may not be used. ${refused.map(({ reason }) => reason).join(' ')}`,
      { details: { name, hash, gates } },
    );
  }
  const latest = (await forecasters.activations(name)).at(-1);
  if (latest?.hash === hash) return { activation: { name, ...latest }, isNew: false, gates };
  const n = await forecasters.activate(entry);
  return { activation: { ...entry, n }, isNew: true, gates };
}

/** @param hash null: no version of it is in use; left out: none is stored */
export const unknownForecaster = (name: string, hash?: string | null): TocsinError =>
  new TocsinError(
    'FORECASTER_UNKNOWN',
    hash === undefined
      ? `There is no forecaster "${name}".`
      : hash === null
        ? `No version of the forecaster "${name}" is in use.`
        : `There is no forecaster ${name}@${hash}.`,
    { details: { name, hash: hash ?? null } },
  );

/** The plans in force that name a forecaster, with what they ask of it. */
async function askedOf(
  plans: Stores['plans'],
  name: string,
): Promise<{ readonly id: string; readonly asked: readonly ForecastCondition[] }[]> {
  const all = await Promise.all(
    (await plans.plans()).map(async (id) => {
      const active = await plans.active(id);
      const version = active === null ? null : await plans.version(id, active.hash);
      const asked = version === null ? [] : trainedForecastsIn(version.document);
      return { id, asked: asked.filter(({ forecaster }) => forecaster === name) };
    }),
  );
  return all.filter(({ asked }) => asked.length > 0);
}

const damaged = (name: string, hash: string, why: string): TocsinError =>
  new TocsinError('FORECASTER_DAMAGED', `${name}@${hash.slice(0, 12)} is damaged: ${why}.`, {
    details: { name, hash, reason: why },
  });
