import type { Prediction } from './recogniser.ts';

export interface VoteOptions {
  /** 0..1: below it nobody is believed without a human. */
  readonly minConfidence: number;
}

export interface VoteOutcome {
  /** Absent when the voters abstain. */
  readonly label?: string;
  /** Mean calibrated probability of the leading label over all voters. */
  readonly confidence: number;
  /** True when every voter gave the same label. */
  readonly agreed: boolean;
  /** Why there is no label, in words; absent when there is one. */
  readonly abstained?: string;
  readonly perVoter: readonly {
    readonly recogniser: string;
    readonly label: string;
    readonly confidence: number;
  }[];
}

/**
 * Joins the answers of several recognisers. Doubt wins: no answer, disagreement, an input outside the training range
 * or too little confidence each end in an abstention with its reason, for a human to decide.
 */
export function vote(predictions: readonly Prediction[], options: VoteOptions): VoteOutcome {
  const perVoter = predictions.map(({ recogniser, label, probabilities }) => ({
    recogniser,
    label,
    confidence: probabilities[label] ?? 0,
  }));
  if (predictions.length === 0) {
    return { confidence: 0, agreed: false, abstained: 'No recogniser answered.', perVoter };
  }
  const labels = [...new Set(predictions.flatMap(({ probabilities }) => Object.keys(probabilities)))];
  const mean = (label: string): number =>
    predictions.reduce((sum, { probabilities }) => sum + (probabilities[label] ?? 0), 0) / predictions.length;
  const leading = labels.reduce((best, label) => (mean(label) > mean(best) ? label : best), labels[0]!);
  const confidence = mean(leading);
  const agreed = perVoter.every(({ label }) => label === leading);
  const reasons: string[] = [];
  if (!agreed) {
    const answers = perVoter.map((v) => `${v.recogniser} says ${v.label} (${percent(v.confidence)})`);
    reasons.push(`The recognisers disagree: ${answers.join(', ')}.`);
  }
  const outside = new Map(
    predictions.flatMap((p) => p.outOfRange.map((item) => [item.feature, item] as const)),
  );
  for (const { feature, value, low, high } of outside.values()) {
    reasons.push(describeOutOfRange(feature, value, low, high));
  }
  if (confidence < options.minConfidence) {
    const second = labels.filter((label) => label !== leading).sort((a, b) => mean(b) - mean(a))[0];
    const rival = second === undefined ? '' : `; next is ${second} with ${percent(mean(second))}`;
    reasons.push(
      `Confidence in ${leading} is ${percent(confidence)}, below ${percent(options.minConfidence)}${rival}.`,
    );
  }
  return reasons.length > 0
    ? { confidence, agreed, abstained: reasons.join(' '), perVoter }
    : { label: leading, confidence, agreed, perVoter };
}

/** `magnitude 8.1 lies outside the training range -0.7 to 6.4.` */
export function describeOutOfRange(
  feature: string,
  value: number | string | null,
  low: number,
  high: number,
): string {
  if (value === null) return `${feature} is missing, which it never was in training.`;
  if (typeof value === 'string') return `${feature} "${value}" never occurred in training.`;
  return `${feature} ${round(value)} lies outside the training range ${round(low)} to ${round(high)}.`;
}

/** Rounds down, so that a confidence just below a limit never reads as having reached it. */
export function percent(share: number): string {
  return `${Math.floor(share * 1000) / 10} %`;
}

function round(value: number): string {
  return String(Number(value.toPrecision(4)));
}
