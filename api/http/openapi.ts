import { OpenAPIRegistry, OpenApiGeneratorV31 } from '@asteasolutions/zod-to-openapi';
import type { RouteConfig } from '@asteasolutions/zod-to-openapi';
import { ERRORS } from '../errors.ts';
import type { Route } from './route.ts';
import { ProblemSchema } from './schemas.ts';

/** Codes that any route with a key can answer. */
const ALWAYS = ['UNAUTHENTICATED', 'ROLE_REQUIRED', 'RATE_LIMITED', 'STORE_UNAVAILABLE', 'INTERNAL'];
/** And those of every route that takes input. */
const WITH_INPUT = ['REQUEST_INVALID'];
const WITH_BODY = ['MEDIA_TYPE', 'TOO_LARGE'];

/** The OpenAPI 3.1 document of the routes: what is served, committed as `openapi.json`, and shown at /docs. */
export function openApiOf(routes: readonly Route[], version: string): Record<string, unknown> {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key. Without one, a caller on the same machine may look.',
  });
  for (const route of routes) registry.registerPath(describe(route));
  const document = new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Tocsin',
      version,
      description:
        'Incidents, approvals, missions, plans and proposals. Ids that contain slashes are one percent-encoded ' +
        'path segment. Instants are milliseconds since 1970 in UTC.',
    },
    servers: [{ url: '/' }],
  });
  return JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
}

function describe(route: Route): RouteConfig {
  const responses: RouteConfig['responses'] = {};
  for (const [status, schema] of Object.entries(route.answers)) {
    responses[status] = {
      description: 'Success',
      content:
        schema === null
          ? { 'text/event-stream': { schema: { type: 'string' } } }
          : { 'application/json': { schema } },
    };
  }
  for (const [status, codes] of refusalsOf(route)) {
    responses[status] = {
      description: codes.map((code) => `\`${code}\`: ${ERRORS[code]?.title ?? ''}`).join('. '),
      content: { 'application/problem+json': { schema: ProblemSchema } },
    };
  }
  return {
    method: route.method,
    path: route.path.replace(/:(\w+)/g, '{$1}'),
    tags: [route.tag],
    summary: route.summary,
    ...(route.access === 'open'
      ? { security: [] }
      : { security: [{ key: [] }], description: `Roles: ${route.access.join(', ')}.` }),
    request: {
      ...(route.params === undefined ? {} : { params: route.params as never }),
      ...(route.query === undefined ? {} : { query: route.query as never }),
      ...(route.body === undefined
        ? {}
        : { body: { required: true, content: { 'application/json': { schema: route.body } } } }),
    },
    responses,
  };
}

function refusalsOf(route: Route): [string, string[]][] {
  const codes = new Set([
    ...route.refusals,
    ...(route.access === 'open' ? [] : ALWAYS),
    ...((route.params ?? route.query ?? route.body) ? WITH_INPUT : []),
    ...(route.body === undefined ? [] : WITH_BODY),
  ]);
  const byStatus = new Map<string, string[]>();
  for (const code of [...codes].sort()) {
    const status = String(ERRORS[code]?.http ?? 500);
    if (status in route.answers) continue;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return [...byStatus].sort(([a], [b]) => a.localeCompare(b));
}
