import { assessLabels } from './assess.ts';
import type { Row } from './features.ts';
import { predict, type Recogniser } from './recogniser.ts';
import { score, type Score } from './metrics.ts';
import { percent } from './vote.ts';

/** Most that accuracy may fall when a version takes another's place. */
const ACCURACY_MAY_FALL = 0.005;

export interface GateFinding {
  readonly check: 'severe-recall' | 'accuracy' | 'replay';
  readonly passed: boolean;
  /** What was compared and how it came out, in words. */
  readonly reason: string;
}

export interface GateInput {
  readonly candidate: Recogniser;
  /** The version that votes now. */
  readonly active: Recogniser;
  /** The other voters of the plans, who stay as they are. */
  readonly others: readonly Recogniser[];
  /** Rows with known labels that taught neither version. */
  readonly rows: readonly Row[];
  readonly labels: readonly string[];
  /** Labels that must never be recognised less often. */
  readonly severe: readonly string[];
  /** Below it the voters abstain, as in the plans. */
  readonly minConfidence: number;
}

/**
 * Whether a version may take the place of the one that votes: every severe class is recognised at least as often,
 * accuracy falls by at most half a point, and in a replay of the rows through the whole vote no severe event that was
 * named rightly is now named wrongly (asking a person instead is allowed: doubt is safe).
 */
export function gate(input: GateInput): GateFinding[] {
  const { candidate, active, rows, labels, severe } = input;
  const before = scoreOf(active, rows, labels);
  const after = scoreOf(candidate, rows, labels);
  const findings = severe.flatMap((label): GateFinding[] => {
    const was = recallOf(active, before, label);
    const is = recallOf(candidate, after, label);
    if (was === null) return [];
    return [
      {
        check: 'severe-recall',
        passed: is !== null && is >= was,
        reason: `${label} is recognised in ${percent(is ?? 0)} of its cases, before in ${percent(was)}`,
      },
    ];
  });
  findings.push({
    check: 'accuracy',
    passed: after.accuracy >= before.accuracy - ACCURACY_MAY_FALL,
    reason: `accuracy on ${rows.length} rows is ${percent(after.accuracy)}, before ${percent(before.accuracy)}`,
  });
  findings.push(replay(input));
  return findings;
}

function scoreOf(recogniser: Recogniser, rows: readonly Row[], labels: readonly string[]): Score {
  const { classes } = recogniser;
  return score(
    labels.map((label) => classes.indexOf(label)),
    rows.map((row) => classes.indexOf(predict(recogniser, row).label)),
    classes.length,
  );
}

function recallOf({ classes }: Recogniser, { recall }: Score, label: string): number | null {
  return recall[classes.indexOf(label)] ?? null;
}

function replay({ candidate, active, others, rows, labels, severe, minConfidence }: GateInput): GateFinding {
  const before = assessLabels([active, ...others], rows, minConfidence);
  const after = assessLabels([candidate, ...others], rows, minConfidence);
  const lost = rows.flatMap((_, r) => {
    const truth = labels[r]!;
    const wrongNow = after[r] !== undefined && after[r] !== truth;
    return severe.includes(truth) && before[r] === truth && wrongNow ? [r + 1] : [];
  });
  const asked = (answers: readonly (string | undefined)[]): string =>
    percent(answers.filter((label) => label === undefined).length / Math.max(1, rows.length));
  return {
    check: 'replay',
    passed: lost.length === 0,
    reason:
      lost.length === 0
        ? `replayed, no severe event is newly named wrongly; a person is asked in ${asked(after)}, before in ${asked(before)}`
        : `replayed, ${lost.length} severe events are newly named wrongly: rows ${lost.slice(0, 5).join(', ')}`,
  };
}
