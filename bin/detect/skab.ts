import type { Command } from 'commander';
import { detectorNamed } from '../../domain/detect/detectors.ts';
import type { NamedDetector } from '../../domain/detect/detectors.ts';
import {
  CHANGE_PROFILES,
  metronome,
  scoreChanges,
  scoreOutliers,
} from '../../domain/detect/multi/skab-score.ts';
import type { ScoredRecording } from '../../domain/detect/multi/skab-score.ts';
import { leaf, parseCountOption, parseDurationOption } from '../command-line.ts';
import { facts, print, printJson, table } from '../output.ts';
import { parseParametersOption } from './options.ts';
import { judgeRecording, readSkabCorpus } from './skab-corpus.ts';

interface Options {
  readonly detector: string;
  readonly params?: Readonly<Record<string, number>>;
  readonly changeDetector: string;
  readonly changeParams?: Readonly<Record<string, number>>;
  readonly training: number;
  readonly window: number;
  readonly json?: boolean;
}

export function declareSkab(detect: Command): void {
  leaf(
    detect,
    'skab <folder>',
    'score detectors on recordings in the layout of the Skoltech benchmark: **/*.csv with anomaly and changepoint',
    'tocsin detect skab ../shared/data/skab',
  )
    .option('--detector <name>', 'for anomalous rows; see tocsin detect list', 'pca')
    .option('--params <k=v,...>', 'its parameters', parseParametersOption)
    .option('--change-detector <name>', 'for change points', 'level-change')
    .option('--change-params <k=v,...>', 'its parameters', parseParametersOption)
    .option('--training <n>', 'first rows of a file to fit on; the rest is scored', parseCountOption, 400)
    .option('--window <duration>', 'how long after a change naming it counts', parseDurationOption, 60_000)
    .action(run);
}

async function run(folder: string, options: Options): Promise<void> {
  const detectors = {
    outliers: named(options.detector, options.params, options.training),
    changes: named(options.changeDetector, options.changeParams, options.training),
  };
  const corpus = await readSkabCorpus(folder);
  const judged = corpus.map((recording) => ({
    name: recording.name,
    labelled: recording.truth !== null,
    scored: judgeRecording(recording, detectors, options.training),
  }));
  const labelled = judged.filter((each) => each.labelled).map(({ scored }) => scored);
  const unlabelled = judged.filter((each) => !each.labelled).map(({ scored }) => scored);
  const always = labelled.map((each) => ({ ...each, alarm: each.alarm.map(() => 1) }));
  const blind = labelled.map((each) => ({ ...each, named: metronome(each.timesMs, options.window) }));
  const changeScore = (recordings: readonly ScoredRecording[]): number =>
    scoreChanges(recordings, { windowMs: options.window, profile: CHANGE_PROFILES.standard });
  const answer = {
    detector: options.detector,
    parameters: detectors.outliers.parameters,
    changeDetector: options.changeDetector,
    changeParameters: detectors.changes.parameters,
    files: labelled.length,
    outliers: scoreOutliers(labelled),
    alwaysAlarming: scoreOutliers(always),
    changePoints: {
      ...Object.fromEntries(
        Object.entries(CHANGE_PROFILES).map(([name, profile]) => [
          name,
          scoreChanges(labelled, { windowMs: options.window, profile }),
        ]),
      ),
      standard: changeScore(labelled),
      blindEveryWindow: changeScore(blind),
      named: labelled.reduce((sum, each) => sum + each.named.length, 0),
      true: labelled.reduce((sum, each) => sum + each.changes.length, 0),
    },
    normalRunning: {
      files: unlabelled.length,
      falseAlarmRate: unlabelled.length === 0 ? null : scoreOutliers(unlabelled).falseAlarmRate,
    },
    recordings: judged.map(({ name, labelled: isLabelled, scored }) => ({
      name,
      ...(isLabelled ? scoreOutliers([scored]) : { falseAlarmRate: scoreOutliers([scored]).falseAlarmRate }),
    })),
  };
  if (options.json) return printJson(answer);
  const { outliers, alwaysAlarming, changePoints, normalRunning } = answer;
  print(
    table(
      [`${answer.files} recordings`, 'F1', 'false alarms', 'missed'],
      [
        [options.detector, ...figures(outliers)],
        ['always alarming', ...figures(alwaysAlarming)],
      ],
    ),
  );
  print('');
  print(
    facts([
      [
        'change points',
        `${changePoints.standard.toFixed(1)} (standard; ${changePoints.named} named, ${changePoints.true} true)`,
      ],
      ['blindly every window', changePoints.blindEveryWindow.toFixed(1)],
      [
        'normal running',
        normalRunning.falseAlarmRate === null
          ? 'no recording'
          : `${percent(normalRunning.falseAlarmRate)} of rows alarmed in ${normalRunning.files} recording(s)`,
      ],
    ]),
  );
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

const figures = (score: ReturnType<typeof scoreOutliers>): string[] => [
  score.f1.toFixed(3),
  percent(score.falseAlarmRate),
  percent(score.missedAlarmRate),
];

/** A detector that learns from first rows learns from as many as the protocol says. */
function named(name: string, given: Readonly<Record<string, number>> = {}, training: number): NamedDetector {
  const learns = Object.hasOwn(detectorNamed(name).parameters, 'training');
  return detectorNamed(name, learns ? { training, ...given } : given);
}
