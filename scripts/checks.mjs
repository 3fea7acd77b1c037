import fs from 'node:fs';
import path from 'node:path';
import { runToEnd } from '../embedded/guard.mjs';
import { runTasks } from './task-list.mjs';

/** The scripts of package.json that must pass besides the tests. */
const CHECKS = ['typecheck', 'lint', 'format:check', 'boundaries', 'unused'];

/** Runs the checks, two at a time, and shows what each failed one said. Returns the names of those that failed. */
export async function runChecks(root) {
  const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const said = new Map();
  const results = await runTasks(
    CHECKS.map((name) => ({ title: name, run: () => runCheck(root, scripts[name], said, name) })),
    { atOnce: 2 },
  );
  const failed = CHECKS.filter((_, index) => results[index].status === 'rejected');
  for (const name of failed) process.stderr.write(`\n--- ${name}: ${scripts[name]}\n${said.get(name)}\n`);
  return failed;
}

async function runCheck(root, command, said, name) {
  const lines = [];
  const bin = path.join(root, 'node_modules', '.bin');
  const run = await runToEnd('/bin/sh', ['-c', command], {
    cwd: root,
    env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` },
    onLine: (line) => lines.push(line),
  });
  if (run.ok) return;
  said.set(name, run.timedOut ? 'took too long' : lines.join('\n'));
  throw new Error('failed');
}
