import type { Command } from 'commander';
import { leaf, parseDurationOption, parseSpeedOption } from '../command-line.ts';
import type { StartOptions } from '../start.ts';

/** 1,440 times the clock: a day a minute. */
export const DAY_A_MINUTE = 1_440;

export function declare(program: Command): void {
  leaf(
    program,
    'start',
    'run everything on this machine, then play a real week of earthquake notices against it',
    'tocsin start --once --speed max --json',
  )
    .option('--once', 'play the week, replay what was recorded, print a summary, stop')
    .option(
      '--speed <times>',
      'how much faster than the clock the week plays, or max (as fast as acknowledged)',
      parseSpeedOption,
      DAY_A_MINUTE,
    )
    .option('--fresh', 'begin with empty data: incidents, plans and histories of this machine are deleted')
    .option('--no-demo', 'run everything and play nothing')
    .option(
      '--hold <duration>',
      'let the clock of the week stand still this long for a person who is asked something',
      parseDurationOption,
      0,
    )
    .action(async (options: StartOptions) => {
      const { start } = await import('../start.ts');
      await start(options);
    });
}
