import { z } from 'zod';
import type { Dependencies } from './dependencies.ts';
import type { Route } from './route.ts';
import { defineRoute, MAY } from './route.ts';
import { SessionSchema } from './schemas.ts';

const ReadySchema = z.object({
  ready: z.boolean(),
  checks: z.record(z.string(), z.union([z.literal(true), z.string()])),
});

/** About the service itself: is it alive, can it work, who am I. */
export function serviceRoutes({ ready, now, version, mode, webUi }: Dependencies): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/healthz',
      tag: 'service',
      summary: 'The process is alive',
      access: 'open',
      answers: { 200: z.object({ alive: z.literal(true), version: z.string() }) },
      handle: async () => ({ body: { alive: true, version } }),
    }),

    defineRoute({
      method: 'get',
      path: '/readyz',
      tag: 'service',
      summary: 'What the API needs is there; 503 when not',
      access: 'open',
      answers: { 200: ReadySchema, 503: ReadySchema },
      async handle() {
        const checks = await ready();
        const all = Object.values(checks).every((check) => check === true);
        return { status: all ? 200 : 503, body: { ready: all, checks } };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/session',
      tag: 'service',
      summary: 'Who the caller is, and what this installation is',
      access: [...MAY.look, 'vendor'],
      answers: { 200: SessionSchema },
      handle: async ({ caller }) => ({
        body: {
          caller: { id: caller.id, tenant: caller.tenant, roles: caller.roles },
          version,
          mode,
          webUi: webUi?.base ?? null,
          nowMs: now(),
        },
      }),
    }),
  ];
}
