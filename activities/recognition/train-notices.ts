import { createRequire } from 'node:module';
import type { Row } from '../../domain/classify/features.ts';
import {
  NOTICE_CLASSES,
  NOTICE_CLASS_TEXTS,
  NOTICE_FEATURES,
  noticeRow,
} from '../../domain/classify/notices.ts';
import type { Recogniser, RecogniserCard, RecogniserKind } from '../../domain/classify/recogniser.ts';
import { trainRecogniser, type TrainingRequest } from '../../domain/classify/train.ts';
import { crossValidate, judge, permutationImportance } from '../../domain/classify/validate.ts';
import type { EpochMs, Text } from '../../domain/units.ts';
import { sealRecogniser, sha256 } from './artefacts.ts';
import { checkCanary } from './independent-check.ts';
import { createFitSvm } from './libsvm.ts';
import type { LabelledNotice } from './week-of-notices.ts';

/** A recogniser ready to be stored: its bytes, their hash, and what is known about it. */
export interface TrainedRecogniser {
  readonly recogniser: Recogniser;
  readonly artefact: Uint8Array;
  readonly hash: string;
  readonly card: RecogniserCard;
}

export interface TrainNoticesOptions {
  /** In any order. */
  readonly notices: readonly LabelledNotice[];
  /** @default 20180131 */
  readonly seed?: number;
  /** Notices from here on judge and do not teach. @default the first midnight UTC after the middle of their time */
  readonly judgeFromMs?: EpochMs;
  /** Cross-validation for the card; null leaves it out, and training takes a second. @default 5 folds, 2 repeats */
  readonly crossValidation?: { readonly folds: number; readonly repeats: number } | null;
}

const DAY_MS = 86_400_000;

/**
 * Trains the forest and the support vector machine that vote on what a notice is about: earthquake, explosion or
 * quarry blast. The earlier part of the notices teaches, the later part judges, as in use: what is recognised is never
 * older than what was learnt. Takes a few seconds on one core; the same notices and seed give the same bytes.
 */
export async function trainNoticeRecognisers(
  options: TrainNoticesOptions,
): Promise<{ readonly forest: TrainedRecogniser; readonly svm: TrainedRecogniser }> {
  const notices = [...options.notices].sort((a, b) => a.observedAtMs - b.observedAtMs);
  const judgeFromMs = options.judgeFromMs ?? middleMidnight(notices);
  const seed = options.seed ?? 20_180_131;
  const shared = {
    features: NOTICE_FEATURES,
    classes: NOTICE_CLASSES,
    classTexts: NOTICE_CLASS_TEXTS,
    fitSvm: await createFitSvm(),
    seed,
  };
  const teaching = notices.filter(({ observedAtMs }) => observedAtMs < judgeFromMs);
  const judging = notices.filter(({ observedAtMs }) => observedAtMs >= judgeFromMs);
  const make = (kind: RecogniserKind, settings: Partial<TrainingRequest>): TrainedRecogniser => {
    const request = { ...shared, ...settings, name: `notice-${kind}`, kind };
    const recogniser = trainRecogniser({ ...request, ...rowsAndLabels(teaching) });
    checkCanary(recogniser);
    const { artefact, hash } = sealRecogniser(recogniser);
    const judged = rowsAndLabels(judging);
    const validation =
      options.crossValidation === undefined ? { folds: 5, repeats: 2 } : options.crossValidation;
    return {
      recogniser,
      artefact,
      hash,
      card: {
        schema: 'tocsin/recogniser-card/v1',
        name: recogniser.name,
        kind,
        hash,
        trainingDataSha256: hashOfRows(teaching),
        rowsPerClass: Object.fromEntries(
          NOTICE_CLASSES.map((name) => [
            name,
            { trained: count(teaching, name), judged: count(judging, name) },
          ]),
        ),
        split: describeSplit(judgeFromMs, teaching.length, judging.length),
        judged: judge(recogniser, judged.rows, judged.labels),
        crossValidation: validation && crossValidate({ ...request, ...rowsAndLabels(notices) }, validation),
        importance: permutationImportance(recogniser, judged.rows, judged.labels, { repeats: 2 }),
        bounds: Object.fromEntries(
          recogniser.preprocessing.features
            .filter(({ spec }) => spec.kind === 'number')
            .map(({ spec, low, high }) => [spec.name, { low, high, unit: spec.unit }]),
        ),
        seed,
        versions: versions(kind),
      },
    };
  };
  return {
    forest: make('forest', { forest: { trees: 200, minimumLeaf: 2 } }),
    svm: make('svm', { svm: { cost: 3 } }),
  };
}

/** The notices that judge and do not teach: rows with their labels, oldest first. */
export function judgingNotices(notices: readonly LabelledNotice[]): {
  readonly rows: Row[];
  readonly labels: string[];
} {
  const sorted = [...notices].sort((a, b) => a.observedAtMs - b.observedAtMs);
  const fromMs = middleMidnight(sorted);
  return rowsAndLabels(sorted.filter(({ observedAtMs }) => observedAtMs >= fromMs));
}

function middleMidnight(notices: readonly LabelledNotice[]): EpochMs {
  const first = notices[0]?.observedAtMs ?? 0;
  const last = notices.at(-1)?.observedAtMs ?? 0;
  return Math.ceil((first + last) / 2 / DAY_MS) * DAY_MS;
}

function rowsAndLabels(notices: readonly LabelledNotice[]): {
  readonly rows: Row[];
  readonly labels: string[];
} {
  return { rows: notices.map(noticeRow), labels: notices.map(({ label }) => label) };
}

function count(notices: readonly LabelledNotice[], name: string): number {
  return notices.filter(({ label }) => label === name).length;
}

/** One JSON line a row: label, then the features in their order. */
function hashOfRows(notices: readonly LabelledNotice[]): string {
  const lines = notices.map((notice) => {
    const row = noticeRow(notice);
    return JSON.stringify([notice.label, ...NOTICE_FEATURES.map(({ name }) => row[name])]);
  });
  return sha256(lines.join('\n'));
}

function describeSplit(judgeFromMs: EpochMs, taught: number, judged: number): Text {
  const day = new Date(judgeFromMs).toISOString().slice(0, 16).replace('T', ' ');
  return {
    en: `By time: ${taught} notices before ${day} UTC taught, ${judged} from then on judged.`,
    zh: `按时间划分:UTC ${day} 之前的 ${taught} 条用于训练,其后的 ${judged} 条用于评判。`,
  };
}

function versions(kind: RecogniserKind): Record<string, string> {
  const require = createRequire(import.meta.url);
  const of = (name: string): string => (require(`${name}/package.json`) as { version: string }).version;
  return {
    node: process.versions.node,
    ...(kind === 'forest'
      ? { 'ml-random-forest': of('ml-random-forest') }
      : { 'libsvm-js': of('libsvm-js') }),
  };
}
