import fs from 'node:fs';
import path from 'node:path';
import { runToEnd } from '../embedded/guard.mjs';
import { waitForLock } from '../embedded/lock.mjs';

/**
 * Why `node_modules` does not hold what package-lock.json asks for; undefined when it does.
 *
 * npm writes its own record of what it installed as its very last step, so an interrupted install has none.
 */
export function whyOutOfDate(root) {
  const lock = readJson(path.join(root, 'package-lock.json'));
  if (!lock) return 'there is no package-lock.json';
  const manifest = readJson(path.join(root, 'package.json'));
  for (const kind of ['dependencies', 'devDependencies']) {
    if (JSON.stringify(sorted(manifest?.[kind])) !== JSON.stringify(sorted(lock.packages['']?.[kind]))) {
      return `the ${kind} of package.json and package-lock.json differ`;
    }
  }
  const installed = readJson(path.join(root, 'node_modules', '.package-lock.json'));
  if (!installed) return 'nothing is installed';
  const name = (place) => place.replace(/^.*node_modules\//, '');
  for (const [place, wanted] of Object.entries(lock.packages)) {
    if (!place.includes('node_modules/')) continue;
    const found = installed.packages[place];
    if (!found) {
      // Built for another platform.
      if (wanted.optional || wanted.devOptional) continue;
      return `${name(place)} is missing`;
    }
    if (found.version !== wanted.version || found.integrity !== wanted.integrity) {
      return `${name(place)} is ${found.version} and should be ${wanted.version}`;
    }
  }
  const superfluous = Object.keys(installed.packages).find((place) => !lock.packages[place]);
  return superfluous && `${name(superfluous)} is no longer asked for`;
}

/** Brings `node_modules` up to date with `npm ci`, once at a time for one checkout. Returns what was done. */
export async function installDependencies(root, note) {
  if (!whyOutOfDate(root)) return 'up to date';
  const release = await waitForLock(path.join(root, '.tocsin', 'set-up.lock'), (holder) =>
    note(`waiting for process ${holder}, which installs them`),
  );
  try {
    const reason = whyOutOfDate(root);
    if (!reason) return 'up to date';
    note(`npm ci, because ${reason}`);
    const said = [];
    const run = await runToEnd('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      env: { ...process.env, npm_config_progress: 'false' },
      onLine: (line) => said.push(line),
    });
    if (run.code === 127)
      throw new Error('There is no `npm` on PATH. Install Node.js with npm, then run this again.');
    if (!run.ok) {
      // npm says what is wrong first, and how to use npm last.
      const words = said.filter((line) => /^npm error ./.test(line)).slice(0, 6);
      throw new Error(
        `npm ci failed (exit code ${run.code}):\n  ${words.join('\n  ')}\n  fix: check the network and the registry that npm is set to, then run this again`,
      );
    }
    return 'installed';
  } finally {
    release();
  }
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function sorted(record = {}) {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}
