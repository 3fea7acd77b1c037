/*
 * npm test [-- --only <pattern>] [-- --no-checks]: brings in what is missing, runs the checks, then every test.
 *
 * Node's summary closes standard output; the exit status is 0 only when every check and every test passed.
 */
import './require-node.mjs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { spawnGuarded } from '../embedded/guard.mjs';
import { runChecks } from './checks.mjs';
import { ROOT, setUp } from './set-up.mjs';
import { findTests } from './find-tests.mjs';
import { whenNpmIsGone } from './under-npm.mjs';

/** No test file takes longer than this, in milliseconds. */
const FILE_LIMIT_MS = 8 * 60_000;
/** The whole suite never takes longer than this, in milliseconds. */
const SUITE_LIMIT_MS = 30 * 60_000;

const { only, checks } = readOptions();
const files = findTests(ROOT, only);
if (files.length === 0) {
  process.stderr.write(only ? `No test file matches ${only}.\n` : 'There are no test files.\n');
  process.exit(2);
}

await setUp();
const failedChecks = checks ? await runChecks(ROOT) : [];
const testsPassed = await runTests(files);

if (failedChecks.length > 0)
  process.stderr.write(`\nFailed before the tests: ${failedChecks.join(', ')} (see above).\n`);
process.exit(testsPassed && failedChecks.length === 0 ? 0 : 1);

function readOptions() {
  try {
    const { values } = parseArgs({
      options: { only: { type: 'string' }, checks: { type: 'boolean', default: true } },
      allowNegative: true,
    });
    return values;
  } catch (error) {
    process.stderr.write(`${error.message}\nusage: npm test [-- --only <pattern>] [-- --no-checks]\n`);
    process.exit(2);
  }
}

async function runTests(paths) {
  const args = [
    '--import',
    import.meta.resolve('tsx'),
    '--test',
    '--test-concurrency=2',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-timeout=${FILE_LIMIT_MS}`,
    ...paths.map((file) => path.relative(ROOT, file)),
  ];
  // Guarded: the end of this process, or of the suite, is the end of every process that a test left.
  const running = await spawnGuarded(process.execPath, args, { cwd: ROOT, inheritOutput: true });
  const overdue = setTimeout(() => {
    process.stderr.write(`\nThe tests took longer than ${SUITE_LIMIT_MS / 60_000} minutes and were ended.\n`);
    void running.stop();
  }, SUITE_LIMIT_MS);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void running.stop());
  whenNpmIsGone(() => void running.stop());
  const { code } = await running.exited;
  clearTimeout(overdue);
  return code === 0;
}
