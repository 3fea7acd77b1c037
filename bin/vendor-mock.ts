import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import { FAULTS, startMockServer } from '../vendor/index.ts';
import type { Fault, MockReport } from '../vendor/index.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';
import { facts, print, printJson, say } from './output.ts';

export interface MockCommand {
  readonly port: number;
  readonly host: string;
  readonly lose: number;
  readonly retryLater: number;
  readonly retryAfter: number;
  readonly delay: number;
  readonly fault: readonly string[];
  readonly for?: number;
  readonly json?: boolean;
}

/** `tocsin vendor mock`: serves until it is interrupted, then says what the clients did. */
export async function mock(options: MockCommand): Promise<void> {
  const { port, host, lose, retryLater } = options;
  const unknown = options.fault.find((name) => !isFault(name));
  if (unknown !== undefined) {
    const known = Object.entries(FAULTS).map(([name, what]) => `\n  ${name}: ${what}`);
    throw new CommandFailed(
      EXIT.usage,
      'FAULT_UNKNOWN',
      `There is no fault ${unknown}. There are:${known.join('')}`,
    );
  }
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const server = await startMockServer({
    port,
    host,
    lose,
    retryLater,
    retryAfterMs: options.retryAfter,
    delayMs: options.delay,
    faults: options.fault.filter(isFault),
  }).catch((error: unknown) => {
    throw new CommandFailed(EXIT.unavailable, 'PORT_TAKEN', (error as Error).message, { cause: error });
  });
  say(`A mock server listens on ${server.address}; any key is let in. End it with Ctrl-C for the report.`);
  if (options.json) say(JSON.stringify({ address: server.address }));
  await sleep(options.for ?? 2 ** 31 - 1, undefined, { signal: stopping.signal }).catch(() => undefined);
  const report = server.report();
  await server.stop();
  const isClean = report.lost.length === 0 && report.missing.length === 0 && report.violations.length === 0;
  if (options.json) printJson({ passed: isClean, ...report });
  else print(inWords(report, isClean));
  if (!isClean) process.exitCode = EXIT.failed;
}

function inWords(report: MockReport, isClean: boolean): string {
  const { lost, missing, violations, needless } = report;
  const quarantined = Object.entries(report.quarantined).map(([reason, n]) => `${n} ${reason}`);
  const lines = [
    facts([
      ['streams', String(report.streams)],
      ['messages', `${report.messages}, with ${report.items} items`],
      ['accepted', String(report.accepted)],
      ['duplicate', String(report.duplicate)],
      ['quarantined', quarantined.join(', ') || '0'],
      ['told to come later', `${report.retryLater} items`],
      ['left unanswered', `${report.unanswered} items`],
    ]),
    '',
  ];
  const found = (text: string): void => void lines.push(`${pc.red('found')}  ${text}`);
  if (lost.length > 0) {
    found(`${lost.length} items were never acknowledged and never came again: ${some(lost)}`);
  }
  if (missing.length > 0) {
    const ranges = missing.map(({ sensor, boot, first, last }) => `${sensor} ${boot} ${first}-${last}`);
    found(`numbers are missing that never came: ${some(ranges)}`);
  }
  for (const { kind, count, example } of violations) found(`${kind}, ${count} times: ${example}`);
  if (needless > 0) {
    lines.push(
      `${pc.yellow('note')}   ${needless} items came again on the stream that had acknowledged them.`,
    );
  }
  lines.push(
    isClean
      ? report.messages === 0
        ? 'No message came.'
        : `${pc.green('Nothing was lost, and the contract was kept.')}`
      : 'The client needs mending.',
  );
  return lines.join('\n');
}

const isFault = (name: string): name is Fault => name in FAULTS;

const some = (all: readonly string[]): string =>
  `${all.slice(0, 5).join(', ')}${all.length > 5 ? ` and ${all.length - 5} more` : ''}`;
