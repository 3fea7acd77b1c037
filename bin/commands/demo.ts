import type { Command } from 'commander';
import { leaf, parseDurationOption, parseSpeedOption } from '../command-line.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { print, printJson } from '../output.ts';
import { DAY_A_MINUTE } from './start.ts';

export function declare(program: Command): void {
  leaf(
    program,
    'demo',
    'play the real week of earthquake notices against the Tocsin that runs on this machine',
    'tocsin demo --speed max',
  )
    .option(
      '--speed <times>',
      'how much faster than the clock the week plays, or max (as fast as acknowledged)',
      parseSpeedOption,
      DAY_A_MINUTE,
    )
    .option(
      '--hold <duration>',
      'stop the clock of the week this long for a person who is asked something',
      parseDurationOption,
      0,
    )
    .action(demo);
}

async function demo(options: { speed: number | 'max'; hold: number; json?: boolean }): Promise<void> {
  const { playWeek } = await import('../play-week.ts');
  const { bookmarkIn } = await import('../bookmark.ts');
  const { readRunning } = await import('../running.ts');
  const { readCredentials } = await import('../credentials.ts');
  const { dataDirectory } = await import('../config.ts');
  const running = readRunning();
  const credentials = readCredentials(dataDirectory());
  if (running === null || credentials === null) {
    throw new CommandFailed(
      EXIT.unavailable,
      'NOT_RUNNING',
      'No Tocsin runs on this machine. Start one with: TOCSIN_CLOCK=feed npm start -- --no-demo',
    );
  }
  if (running.clock !== 'feed') {
    throw new CommandFailed(
      EXIT.refused,
      'CLOCK_WALL',
      'That Tocsin runs by the time of day, and the week has its own time. Start it with TOCSIN_CLOCK=feed.',
    );
  }
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  const played = await playWeek({
    running,
    credentials,
    speed: options.speed,
    holdMs: options.hold,
    bookmark: bookmarkIn(dataDirectory()),
    signal: stopping.signal,
  });
  if (options.json) printJson(played);
  else {
    print(
      `${played.sent} sent, ${played.acknowledged} acknowledged, ${played.refused} refused; ${played.incidents.length} incidents`,
    );
  }
}
