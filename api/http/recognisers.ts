import { z } from 'zod';
import { NONE, retrainingsOf, shadowOf } from '../../domain/classify/registered.ts';
import { TocsinError } from '../../domain/errors.ts';
import type { Dependencies } from './dependencies.ts';
import type { Route } from './route.ts';
import { defineRoute, MAY } from './route.ts';
import { hashParameter, listOf, RecogniserCardSchema, RecogniserSummarySchema } from './schemas.ts';

const name = z.string().min(1).max(200);

export function recogniserRoutes({ stores }: Dependencies): Route[] {
  const { recognisers } = stores;

  async function cardOf(wanted: string, hash: string): Promise<z.input<typeof RecogniserCardSchema>> {
    const [stored, active] = await Promise.all([recognisers.get(wanted, hash), recognisers.active(wanted)]);
    if (stored === null) throw unknown(wanted, hash);
    return { name: wanted, hash, active: active?.hash === hash, atMs: stored.atMs, card: stored.card };
  }

  return [
    defineRoute({
      method: 'get',
      path: '/v1/recognisers',
      tag: 'recognisers',
      summary: 'Recognisers, and which version of each votes',
      access: MAY.look,
      answers: { 200: listOf(RecogniserSummarySchema) },
      async handle() {
        const names = (await recognisers.names()).sort();
        const items = await Promise.all(
          names.map(async (one) => {
            const [active, shadow, retrainings] = await Promise.all([
              recognisers.active(one),
              recognisers.active(shadowOf(one)),
              recognisers.activations(retrainingsOf(one)),
            ]);
            const last = retrainings.at(-1);
            return {
              name: one,
              active,
              shadow: versionIn(shadow?.hash),
              retraining:
                last === undefined
                  ? null
                  : { hash: versionIn(last.hash), by: last.by, reason: last.reason, atMs: last.atMs },
            };
          }),
        );
        return { body: { items } };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/recognisers/:name',
      tag: 'recognisers',
      summary: 'The card of the version that votes',
      access: MAY.look,
      params: z.object({ name }),
      answers: { 200: RecogniserCardSchema },
      refusals: ['RECOGNISER_UNKNOWN'],
      async handle({ params }) {
        const active = await recognisers.active(params.name);
        if (active === null) throw unknown(params.name, null);
        return { body: await cardOf(params.name, active.hash) };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/recognisers/:name/:hash',
      tag: 'recognisers',
      summary: 'The card of one version',
      access: MAY.look,
      params: z.object({ name, hash: hashParameter }),
      answers: { 200: RecogniserCardSchema },
      refusals: ['RECOGNISER_UNKNOWN'],
      handle: async ({ params }) => ({ body: await cardOf(params.name, params.hash) }),
    }),
  ];
}

const versionIn = (hash: string | undefined): string | null =>
  hash === undefined || hash === NONE ? null : hash;

const unknown = (name: string, hash: string | null): TocsinError =>
  new TocsinError(
    'RECOGNISER_UNKNOWN',
    hash === null
      ? `No version of "${name}" votes.`
      : `There is no version ${hash.slice(0, 12)} of "${name}".`,
    { details: { name, hash } },
  );
