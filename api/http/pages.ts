import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Router } from 'express';
import express from 'express';
import type { Topology } from 'topojson-specification';
import { ERRORS } from '../errors.ts';
import { landPathOf } from './base-map.ts';

const require = createRequire(import.meta.url);

export interface PagesOptions {
  /** Folder of the console's files; null: no console. */
  readonly consoleDir: string | null;
  readonly openApi: () => Record<string, unknown>;
}

const DAY_S = 86_400;

/** What people open in a browser: the console, its base map, and the documentation. */
export function pagesRouter({ consoleDir, openApi }: PagesOptions): Router {
  const router = express.Router();

  router.get('/openapi.json', (_request, response) => {
    response.json(openApi());
  });

  let land: string | null = null;
  router.get('/map/land.json', (_request, response) => {
    land ??= landPathOf(require('world-atlas/land-110m.json') as Topology);
    response.set('Cache-Control', `public, max-age=${DAY_S}`).json({ width: 360, height: 180, path: land });
  });

  router.get('/docs', (_request, response) => {
    // Redoc builds its styles and its search index in the page: both need more than the console's policy.
    response.set(
      'Content-Security-Policy',
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
        "font-src 'self'; connect-src 'self'; worker-src blob:; base-uri 'none'; frame-ancestors 'none'",
    );
    response.type('html').send(REFERENCE_PAGE);
  });
  const redoc = join(dirname(require.resolve('redoc/package.json')), 'bundles', 'redoc.standalone.js');
  router.get('/docs/redoc.js', (_request, response) => {
    response.sendFile(redoc, { maxAge: DAY_S * 1000 });
  });
  router.get('/docs/errors', (_request, response) => {
    response.type('html').send(errorPage());
  });
  router.get('/docs/page.css', (_request, response) => {
    response.type('css').send(PAGE_CSS);
  });

  if (consoleDir !== null) {
    const index = readFileSync(join(consoleDir, 'index.html'), 'utf8');
    router.get('/', (_request, response) => {
      response.set('Cache-Control', 'no-cache').type('html').send(index);
    });
    router.use(
      '/console',
      express.static(consoleDir, { index: false, dotfiles: 'ignore', cacheControl: false }),
    );
  }
  return router;
}

const REFERENCE_PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Tocsin API</title><meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/docs/page.css"></head>
<body class="reference"><redoc spec-url="/openapi.json" hide-loading></redoc><script src="/docs/redoc.js"></script></body>
</html>
`;

const PAGE_CSS = `body{margin:2rem auto;max-width:70rem;padding:0 1rem;font:16px/1.5 system-ui,sans-serif}
body.reference{margin:0;max-width:none;padding:0}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #ccc}
tr:target{background:#fff3c4}code{font-family:ui-monospace,monospace}
`;

function errorPage(): string {
  const rows = Object.entries(ERRORS)
    .map(
      ([code, { title, http, retryable, remedy }]) =>
        `<tr id="${code}"><td><code>${code}</code></td><td>${http}</td><td>${retryable ? 'yes' : 'no'}</td>` +
        `<td>${title}</td><td>${remedy.replaceAll('<', '&lt;')}</td></tr>`,
    )
    .join('\n');
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Tocsin error codes</title><meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/docs/page.css"></head>
<body><h1>Error codes</h1>
<table><thead><tr><th>Code</th><th>HTTP</th><th>Repeat?</th><th>Meaning</th><th>What to do</th></tr></thead>
<tbody>
${rows}
</tbody></table></body>
</html>
`;
}
