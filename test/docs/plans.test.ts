import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { checkPlan } from '../../domain/plan/check.ts';
import type { PlanDocument } from '../../domain/plan/document.ts';
import * as vocabulary from '../../domain/plan/index.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const guide = fs.readFileSync(path.join(ROOT, 'docs/plans.md'), 'utf8');
const [example = ''] = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);

/** What the compiler says of a plan file that does not exist yet. */
function complaintsAbout(code: string): string[] {
  const file = path.join(ROOT, 'plans', 'not-written-yet.ts');
  const { config } = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (name) => ts.sys.readFile(name)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [file] }, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => path.resolve(name) === file || fileExists(name);
  host.getSourceFile = (name, target, ...rest) =>
    path.resolve(name) === file
      ? ts.createSourceFile(name, code, target)
      : getSourceFile(name, target, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .filter((found) => found.file !== undefined && path.resolve(found.file.fileName) === file)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

test('the first plan of the guide passes the type check', () => {
  assert.ok(example.includes('definePlan'));
  assert.deepEqual(complaintsAbout(example), []);
});

test('a mistake in the first plan of the guide would be seen', () => {
  const complaints = complaintsAbout(example.replace("within: '60 minutes'", "within: '60 mins'"));
  assert.equal(complaints.length, 1);
  assert.match(complaints[0] ?? '', /'"60 mins"' is not assignable to type/);
});

test('the first plan of the guide compiles to a document without findings', async (t) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'plan-'));
  t.after(() => {
    fs.rmSync(directory, { recursive: true });
  });
  const file = path.join(directory, 'river-flood.mts');
  const from = pathToFileURL(path.join(ROOT, 'domain/plan/index.ts')).href;
  fs.writeFileSync(file, example.replace('../domain/plan/index.ts', from));
  const { riverFlood } = (await import(pathToFileURL(file).href)) as { riverFlood: PlanDocument };
  assert.equal(riverFlood.schema, 'tocsin/plan/v1');
  assert.deepEqual(checkPlan(riverFlood), []);
  assert.deepEqual(
    riverFlood.dispatch.flood?.map(({ id }) => id),
    ['flood.0', 'flood.1'],
  );
});

test('the guide names every word that a plan file may import', () => {
  const missing = Object.keys(vocabulary).filter((word) => !new RegExp(`\\b${word}\\b`).test(guide));
  assert.deepEqual(missing, []);
});
