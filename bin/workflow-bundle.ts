import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { ROOT } from './config.ts';

const CACHE = path.join(ROOT, 'node_modules', '.cache', 'tocsin-workflows');
/** Whatever workflow code may reach (docs/adr/0003). */
const SOURCES = ['workflows', 'domain', 'plans/procedures'];

/**
 * All workflows in one bundle, made when a source changed since the last one and read from the cache otherwise.
 * Live workers, audit replays and tests share it, so what is replayed is what runs.
 */
export async function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  const file = path.join(CACHE, `${hashOfSources()}.cjs`);
  try {
    return { code: fs.readFileSync(file, 'utf8'), sourceMap: '' };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(ROOT, 'workflows', 'index.ts'),
    logger: new DefaultLogger('WARN'),
  });
  // Several processes may find the cache empty at the same time: each moves a whole file into place.
  const draft = `${file}.${process.pid}`;
  try {
    fs.mkdirSync(CACHE, { recursive: true });
    fs.writeFileSync(draft, code);
    fs.renameSync(draft, file);
    forgetOlder(file);
  } catch (error) {
    // On a read-only installation each start bundles anew.
    if (!['EROFS', 'EACCES', 'EPERM', 'ENOSPC'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
  }
  return { code, sourceMap: '' };
}

const KEPT = 3;

function forgetOlder(current: string): void {
  const others = fs
    .readdirSync(CACHE)
    .map((name) => path.join(CACHE, name))
    .filter((file) => file !== current && file.endsWith('.cjs'))
    .map((file) => ({ file, usedAtMs: fs.statSync(file).mtimeMs }))
    .sort((a, b) => b.usedAtMs - a.usedAtMs);
  for (const { file } of others.slice(KEPT - 1)) fs.rmSync(file, { force: true });
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  // webpack is the worker's own dependency: ask from where the worker stands.
  const require = createRequire(createRequire(import.meta.url).resolve('@temporalio/worker'));
  for (const name of ['@temporalio/worker', '@temporalio/workflow', 'webpack']) {
    hash.update(`${name}@${versionOf(name, require)}\n`);
  }
  for (const directory of SOURCES) {
    for (const file of filesIn(path.join(ROOT, directory))) {
      hash
        .update(`${path.relative(ROOT, file)}\n`)
        .update(fs.readFileSync(file))
        .update('\n');
    }
  }
  return hash.digest('hex').slice(0, 32);
}

function versionOf(name: string, require: NodeJS.Require): string {
  return (require(`${name}/package.json`) as { version: string }).version;
}

function filesIn(directory: string): string[] {
  if (!fs.existsSync(directory)) return [];
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}
