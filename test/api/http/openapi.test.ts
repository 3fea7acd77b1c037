import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ERRORS } from '../../../api/errors.ts';
import { startTestApi } from './world.ts';

const ROOT = join(import.meta.dirname, '../../..');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

describe('openapi.json', () => {
  it('is what the API serves; else: node --import tsx api/http/write-openapi.ts', async () => {
    const api = await startTestApi({ version });
    const served = await api.call('GET', '/openapi.json');
    await api.stop();
    assert.deepEqual(served.body, JSON.parse(readFileSync(join(ROOT, 'openapi.json'), 'utf8')));
    assert.equal(served.body['openapi'], '3.1.0');
  });

  it('describes every route, and every refusal of a route is a registered code', async () => {
    const api = await startTestApi({ version });
    const paths = (await api.call('GET', '/openapi.json')).body['paths'] as Record<string, object>;
    await api.stop();
    for (const route of api.routes) {
      const path = route.path.replace(/:(\w+)/g, '{$1}');
      assert.ok(route.method in (paths[path] ?? {}), path);
      for (const code of route.refusals) assert.ok(code in ERRORS, `${path}: ${code}`);
    }
  });

  it('is shown by a reference page that needs nothing from elsewhere', async () => {
    const api = await startTestApi({ version });
    const page = await api.call('GET', '/docs');
    const script = await api.call('GET', '/docs/redoc.js');
    const errors = await api.call('GET', '/docs/errors');
    await api.stop();
    assert.doesNotMatch(String(page.body['text']), /https?:/);
    assert.equal(script.status, 200);
    for (const code of Object.keys(ERRORS))
      assert.ok(String(errors.body['text']).includes(`id="${code}"`), code);
  });
});
