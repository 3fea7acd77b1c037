import type { Command } from 'commander';
import { declareCoincide } from '../detect/coincide.ts';
import { declareList } from '../detect/list.ts';
import { declareNab } from '../detect/nab.ts';
import { declareNetwork } from '../detect/network.ts';
import { declarePick } from '../detect/pick.ts';
import { declareRun } from '../detect/run.ts';
import { declareSkab } from '../detect/skab.ts';

export function declare(program: Command): void {
  const detect = program.command('detect').description('run and judge detectors on recorded data');
  declareRun(detect);
  declareList(detect);
  declareNab(detect);
  declareSkab(detect);
  declarePick(detect);
  declareNetwork(detect);
  declareCoincide(detect);
}
