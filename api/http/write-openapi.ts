import { readFileSync, writeFileSync } from 'node:fs';
import { openApiOf } from './openapi.ts';
import { routesOf } from './routes.ts';

/** Writes `openapi.json` again after a route or a schema changed: `node --import tsx api/http/write-openapi.ts`. */
const root = new URL('../../', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };
// Descriptions never call a handler, so the handlers need nothing.
const routes = routesOf({ stores: {} } as never, { stillAllowed: async () => true });
writeFileSync(new URL('openapi.json', root), `${JSON.stringify(openApiOf(routes, version), null, 2)}\n`);
