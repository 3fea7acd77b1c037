import { z } from 'zod';
import { activateForecaster, gatesOf, unknownForecaster } from '../../domain/forecast/register.ts';
import type { RegisterPorts } from '../../domain/forecast/register.ts';
import type { StoredRecogniser } from '../../domain/ports.ts';
import { sha256Hex } from '../hash.ts';
import type { Dependencies } from './dependencies.ts';
import type { Route } from './route.ts';
import { defineRoute, MAY } from './route.ts';
import {
  ActivateBody,
  ForecasterActivationSchema,
  ForecasterCardSchema,
  ForecasterSummarySchema,
  ForecasterVersionSchema,
  hashParameter,
  listOf,
} from './schemas.ts';

const NameParams = z.object({ name: z.string().min(1).max(200) });
const VersionParams = NameParams.extend({ hash: hashParameter });

/** The register of trained forecasts that plans name. */
export function forecasterRoutes({ stores, now, log }: Dependencies): Route[] {
  const { forecasters, plans } = stores;
  const ports: RegisterPorts = {
    forecasters,
    plans,
    sha256: sha256Hex,
  };

  async function cardOf(name: string, hash: string): Promise<z.input<typeof ForecasterCardSchema>> {
    const [versions, active] = await Promise.all([forecasters.versions(name), forecasters.active(name)]);
    const version = versions.find((one) => one.hash === hash);
    if (version === undefined) throw unknownForecaster(name, hash);
    const gates = await gatesOf(ports, name, hash);
    return { name, ...summaryOf(version, active?.hash), card: version.card, gates };
  }

  return [
    defineRoute({
      method: 'get',
      path: '/v1/forecasters',
      tag: 'forecasters',
      summary: 'Trained forecasts, and which version of each plans use',
      access: MAY.look,
      answers: { 200: listOf(ForecasterSummarySchema) },
      async handle() {
        const items = await Promise.all(
          (await forecasters.names()).map(async (name) => {
            const [active, versions] = await Promise.all([
              forecasters.active(name),
              forecasters.versions(name),
            ]);
            return { name, active, versions: versions.length };
          }),
        );
        return { body: { items } };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/forecasters/:name',
      tag: 'forecasters',
      summary: 'The card of the version that plans use',
      access: MAY.look,
      params: NameParams,
      answers: { 200: ForecasterCardSchema },
      refusals: ['FORECASTER_UNKNOWN'],
      async handle({ params }) {
        const active = await forecasters.active(params.name);
        if (active === null) throw unknownForecaster(params.name, null);
        return { body: await cardOf(params.name, active.hash) };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/forecasters/:name/versions',
      tag: 'forecasters',
      summary: 'All stored versions of a forecaster, oldest first',
      access: MAY.look,
      params: NameParams,
      answers: { 200: listOf(ForecasterVersionSchema) },
      refusals: ['FORECASTER_UNKNOWN'],
      async handle({ params: { name } }) {
        const [versions, active] = await Promise.all([forecasters.versions(name), forecasters.active(name)]);
        if (versions.length === 0) throw unknownForecaster(name);
        return { body: { items: versions.map((version) => summaryOf(version, active?.hash)) } };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/forecasters/:name/versions/:hash',
      tag: 'forecasters',
      summary: 'The card of one version, and whether it may be activated',
      access: MAY.look,
      params: VersionParams,
      answers: { 200: ForecasterCardSchema },
      refusals: ['FORECASTER_UNKNOWN'],
      handle: async ({ params }) => ({ body: await cardOf(params.name, params.hash) }),
    }),

    defineRoute({
      method: 'get',
      path: '/v1/forecasters/:name/activations',
      tag: 'forecasters',
      summary: 'Which version plans used from when, by whom and why',
      access: MAY.look,
      params: NameParams,
      answers: { 200: listOf(ForecasterActivationSchema) },
      async handle({ params: { name } }) {
        const activations = await forecasters.activations(name);
        return { body: { items: activations.map((one) => ({ name, ...one })) } };
      },
    }),

    defineRoute({
      method: 'post',
      path: '/v1/forecasters/:name/activations',
      tag: 'forecasters',
      summary: 'Lets plans use a stored version, if it is whole and serves the plans in force',
      access: MAY.decideProposals,
      params: NameParams,
      body: ActivateBody,
      answers: { 200: ForecasterActivationSchema, 201: ForecasterActivationSchema },
      refusals: ['FORECASTER_UNKNOWN', 'FORECASTER_GATE_REFUSED'],
      async handle({ params: { name }, body: { hash, reason }, caller }) {
        const entry = { name, hash, by: caller.id, reason, atMs: now() };
        const { activation, isNew } = await activateForecaster(ports, entry);
        if (isNew) log.info({ name, hash, n: activation.n, by: caller.id }, 'forecaster activated');
        return { status: isNew ? 201 : 200, body: activation };
      },
    }),
  ];
}

/** What a card of the register says in few words; null where it says none of it. */
function summaryOf(
  { hash, atMs, card }: Omit<StoredRecogniser, 'artefact'>,
  activeHash: string | undefined,
): z.input<typeof ForecasterVersionSchema> {
  const { channel, unit, everyMs, steps, training } = CardSchema.parse(card);
  return { hash, active: hash === activeHash, atMs, kind: training, channel, unit, everyMs, steps };
}

const CardSchema = z.object({
  channel: z.string().nullable().catch(null),
  unit: z.string().nullable().catch(null),
  everyMs: z.number().min(0).nullable().catch(null),
  steps: z.int().nullable().catch(null),
  training: z
    .object({ kind: z.string() })
    .transform(({ kind }) => kind)
    .nullable()
    .catch(null),
});
