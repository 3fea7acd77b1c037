import { spawn } from 'node:child_process';
import pc from 'picocolors';
import { CHECKS, runConformance } from '../vendor/index.ts';
import type { Outcome } from '../vendor/index.ts';
import { chosenKey } from './credentials.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';
import { print, printJson, table } from './output.ts';
import { accessOf } from './vendor-access.ts';
import type { AccessOptions } from './vendor-access.ts';
import { explainRefusal, mustAnswer } from './vendor-target.ts';

export interface ConformanceCommand extends AccessOptions {
  readonly otherKey?: string;
  readonly otherAs?: string;
  readonly site: string;
  readonly restart?: string;
  readonly only?: string;
  readonly list?: boolean;
  readonly json?: boolean;
}

/** `tocsin vendor conformance`: prints check after check; the exit code says whether all passed. */
export async function conformance(address: string, options: ConformanceCommand): Promise<void> {
  if (options.list) return listChecks(options.json === true);
  const { site, only, restart } = options;
  const access = accessOf(options);
  const { key, channel } = access;
  const otherKey =
    options.otherKey ?? (options.otherAs === undefined ? undefined : chosenKey(options.otherAs));
  await mustAnswer(address, access);
  const width = Math.max(...CHECKS.map(({ name }) => name.length));
  const show = ({ name, status, expected, came, ms }: Outcome): void => {
    const word = { passed: pc.green('pass'), failed: pc.red('FAIL'), skipped: pc.yellow('skip') }[status];
    print(`${word}  ${name.padEnd(width)}  ${pc.dim(`${ms} ms`)}`);
    if (status === 'failed') print(`      expected  ${expected}\n      came      ${came}`);
    if (status === 'skipped') print(`      ${came}`);
  };
  const report = await runConformance({
    address,
    key: typeof key === 'string' ? key : key(),
    channel,
    site,
    ...(otherKey === undefined ? {} : { otherKey }),
    ...(only === undefined ? {} : { only }),
    ...(restart === undefined
      ? {}
      : { restart: () => runRestart(restart, () => mustAnswer(address, access)) }),
    ...(options.json ? {} : { onOutcome: show }),
  }).catch((error: unknown) => {
    throw explainRefusal(error);
  });
  if (options.json) printJson({ address, ...report });
  else print(`${report.passed} passed, ${report.failed} failed, ${report.skipped} skipped`);
  if (report.outcomes.length === 0) {
    throw new CommandFailed(EXIT.usage, 'CHECK_UNKNOWN', `No check has a name with "${only}" in it.`);
  }
  if (report.failed > 0) process.exitCode = EXIT.failed;
}

function listChecks(json: boolean): void {
  if (json) return printJson({ checks: CHECKS.map(({ name, expected }) => ({ name, expected })) });
  print(
    table(
      ['check', 'the server'],
      CHECKS.map(({ name, expected }) => [name, expected]),
    ),
  );
}

/** The operator's own command, run as typed; the server must answer afterwards. */
async function runRestart(command: string, answers: () => Promise<void>): Promise<void> {
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: ['ignore', 'ignore', 'inherit'] });
    child.on('error', reject);
    child.on('exit', resolve);
  });
  if (code !== 0) throw new Error(`"${command}" ended with ${code}`);
  for (let tries = 1; ; tries++) {
    try {
      return await answers();
    } catch (error) {
      if (tries === 6) throw error;
    }
  }
}
