import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { TocsinError } from '../domain/errors.ts';
import { parseDuration } from './duration.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

/** Options of every command that calls the API. */
export interface CallOptions {
  readonly url?: string;
  readonly as?: string;
  readonly json?: boolean;
}

/** A leaf command: `--json` and an example in its help. */
export function leaf(parent: Command, usage: string, description: string, example: string): Command {
  return parent
    .command(usage)
    .description(description)
    .option('--json', 'print the answer as one line of JSON')
    .addHelpText('after', `\nExample:\n  $ ${example}`);
}

/** A leaf command that calls the API, as somebody. */
export function call(parent: Command, usage: string, description: string, example: string): Command {
  return leaf(parent, usage, description, example)
    .option('--as <principal>', 'act as this principal of .tocsin/credentials.json')
    .option('--url <address>', 'the API to call (default: the Tocsin on this machine)');
}

export function parseDurationOption(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Give a duration such as 30s, 15m or 2h.');
  return ms;
}

export function parseCountOption(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('Give a whole number of at least 1.');
  return Number(text);
}

/**
 * How much faster than the clock a feed plays: 1440 is a day a minute. `max` sends as fast as acknowledged.
 */
export function parseSpeedOption(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const speed = Number(text);
  if (!Number.isFinite(speed) || speed <= 0 || text.trim() === '')
    throw new InvalidArgumentError('Give a number above 0 (1440 is a day a minute), or max.');
  return speed;
}

/** Says on standard error what went wrong, and what the exit code is. */
export function explainFailure(error: unknown, json: boolean): ExitCode {
  const { code, message, exitCode } = describe(error);
  process.stderr.write(json ? `${JSON.stringify({ error: { code, message } })}\n` : `${message}\n`);
  return exitCode;
}

function describe(error: unknown): { code: string; message: string; exitCode: ExitCode } {
  if (error instanceof CommandFailed) return error;
  if (error instanceof TocsinError) {
    const exitCode = error.retryable
      ? EXIT.unavailable
      : error.code.endsWith('_UNKNOWN')
        ? EXIT.notFound
        : EXIT.refused;
    return { code: error.code, message: error.message, exitCode };
  }
  if (error instanceof Error && ['ServerRefused', 'NotObtained', 'ServiceGaveUp'].includes(error.name)) {
    return { code: 'START_FAILED', message: error.message, exitCode: EXIT.unavailable };
  }
  // Not foreseen: the place helps whoever mends it.
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'UNEXPECTED', message, exitCode: EXIT.failed };
}
