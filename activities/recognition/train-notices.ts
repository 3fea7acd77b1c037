import { createRequire } from 'node:module';
import type { Row } from '../../domain/classify/features.ts';
import {
  NOTICE_CLASSES,
  NOTICE_CLASS_TEXTS,
  NOTICE_FEATURES,
  noticeRow,
} from '../../domain/classify/notices.ts';
import type { Recogniser, RecogniserCard, RecogniserKind } from '../../domain/classify/recogniser.ts';
import type { AddedRow } from '../../domain/classify/retrain.ts';
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

const NOTICE_SEED = 20_180_131;

/** What is learnt with, by kind. */
const SETTINGS = {
  forest: { forest: { trees: 200, minimumLeaf: 2 } },
  svm: { svm: { cost: 3 } },
} as const satisfies Partial<Record<RecogniserKind, Partial<TrainingRequest>>>;

/** Kinds of recogniser that notices train. */
export type NoticeKind = keyof typeof SETTINGS;

/**
 * Trains the forest and the support vector machine that vote on what a notice is about: earthquake, explosion or
 * quarry blast. The earlier part of the notices teaches, the later part judges, as in use: what is recognised is never
 * older than what was learnt. Takes a few seconds on one core; the same notices and seed give the same bytes.
 */
export async function trainNoticeRecognisers(
  options: TrainNoticesOptions,
): Promise<{ readonly forest: TrainedRecogniser; readonly svm: TrainedRecogniser }> {
  const [forest, svm] = [
    await trainNoticeRecogniser('forest', options),
    await trainNoticeRecogniser('svm', options),
  ];
  return { forest, svm };
}

/** One of the two, also from rows that closed incidents add to those that teach. Added rows never judge. */
export async function trainNoticeRecogniser(
  kind: NoticeKind,
  { added = [], ...options }: TrainNoticesOptions & { readonly added?: readonly AddedRow[] },
): Promise<TrainedRecogniser> {
  const { judgeFromMs, teaching, judging } = partNotices(options.notices, options.judgeFromMs);
  const seed = options.seed ?? NOTICE_SEED;
  const request = {
    features: NOTICE_FEATURES,
    classes: NOTICE_CLASSES,
    classTexts: NOTICE_CLASS_TEXTS,
    fitSvm: await createFitSvm(),
    seed,
    ...SETTINGS[kind],
    name: `notice-${kind}`,
    kind,
  };
  const base = rowsAndLabels(teaching);
  const taught = {
    rows: [...base.rows, ...added.map(({ row }) => row)],
    labels: [...base.labels, ...added.map(({ label }) => label)],
  };
  const recogniser = trainRecogniser({ ...request, ...taught });
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
      trainingDataSha256: hashOfRows(taught),
      rowsPerClass: Object.fromEntries(
        NOTICE_CLASSES.map((name) => [
          name,
          { trained: count(taught.labels, name), judged: count(judged.labels, name) },
        ]),
      ),
      split: describeSplit(judgeFromMs, teaching.length, judging.length, added.length),
      judged: judge(recogniser, judged.rows, judged.labels),
      crossValidation:
        validation && crossValidate({ ...request, ...rowsAndLabels([...teaching, ...judging]) }, validation),
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
}

/** Notices from which on they judge, and those of either part, oldest first. */
export function partNotices(
  notices: readonly LabelledNotice[],
  from?: EpochMs,
): {
  readonly judgeFromMs: EpochMs;
  readonly teaching: readonly LabelledNotice[];
  readonly judging: readonly LabelledNotice[];
} {
  const sorted = [...notices].sort((a, b) => a.observedAtMs - b.observedAtMs);
  const judgeFromMs = from ?? middleMidnight(sorted);
  return {
    judgeFromMs,
    teaching: sorted.filter(({ observedAtMs }) => observedAtMs < judgeFromMs),
    judging: sorted.filter(({ observedAtMs }) => observedAtMs >= judgeFromMs),
  };
}

/** The notices that judge and do not teach: rows with their labels, oldest first. */
export function judgingNotices(notices: readonly LabelledNotice[]): {
  readonly rows: Row[];
  readonly labels: string[];
} {
  return rowsAndLabels(partNotices(notices).judging);
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

function count(labels: readonly string[], name: string): number {
  return labels.filter((label) => label === name).length;
}

/** One JSON line a row: label, then the features in their order. */
function hashOfRows({
  rows,
  labels,
}: {
  readonly rows: readonly Row[];
  readonly labels: readonly string[];
}): string {
  const lines = rows.map((row, r) =>
    JSON.stringify([labels[r], ...NOTICE_FEATURES.map(({ name }) => row[name])]),
  );
  return sha256(lines.join('\n'));
}

function describeSplit(judgeFromMs: EpochMs, taught: number, judged: number, added: number): Text {
  const day = new Date(judgeFromMs).toISOString().slice(0, 16).replace('T', ' ');
  return {
    en: `By time: ${taught} notices before ${day} UTC${added === 0 ? '' : ` and ${added} closed incidents`} taught, ${judged} from then on judged.`,
    zh: `按时间划分:UTC ${day} 之前的 ${taught} 条${added === 0 ? '' : `与 ${added} 起已结束事件`}用于训练,其后的 ${judged} 条用于评判。`,
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
