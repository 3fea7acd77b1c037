import path from 'node:path';
import { obtainStore } from '../embedded/obtain-store.mjs';
import { obtainTemporal } from '../embedded/obtain-temporal.mjs';
import { installDependencies } from './dependencies.mjs';
import { runTasks } from './task-list.mjs';

/** The project's root directory. */
export const ROOT = path.resolve(import.meta.dirname, '..');

/**
 * Brings in everything that Tocsin needs: npm packages, a Temporal server, a document store. What is there
 * already is left alone. Ends the process with status 1 and one message per failure when something cannot be had.
 */
export async function setUp() {
  const started = performance.now();
  let settle;
  // The servers' public downloads come with npm packages; their other ways need not wait for those.
  const dependencies = new Promise((resolve, reject) => (settle = { resolve, reject }));
  dependencies.catch(() => {});

  const results = await runTasks([
    {
      title: 'npm packages',
      async run(note) {
        try {
          const done = await installDependencies(ROOT, note);
          settle.resolve();
          return done;
        } catch (error) {
          settle.reject(error);
          throw error;
        }
      },
    },
    { title: 'Temporal', run: async (log) => describe(await obtainTemporal({ log, dependencies })) },
    { title: 'store', run: async (log) => describe(await obtainStore({ log, dependencies })) },
  ]);
  const failures = results.filter(({ status }) => status === 'rejected');
  if (failures.length > 0) {
    for (const { reason } of failures) process.stderr.write(`\n${explain(reason)}\n`);
    process.exit(1);
  }
  process.stderr.write(`set-up took ${((performance.now() - started) / 1_000).toFixed(1)} s\n`);
}

const PLACES = {
  address: 'the address given',
  PATH: 'PATH',
  cache: 'the cache',
  download: 'a public download',
  package: 'a package',
};

function describe({ from, why }) {
  return `from ${PLACES[from]}, ${why}`;
}

/** A failure that we foresaw has a message that says it all; of another, the place helps. */
function explain(error) {
  return error.constructor === Error || error.name === 'NotObtained' ? error.message : error.stack;
}
