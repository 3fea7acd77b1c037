import type { Vote, VoteResult } from '../situation.ts';
import { describeChange, explain } from './explain.ts';
import type { Row } from './features.ts';
import { changesForAnother, nearestPast } from './past.ts';
import { predict, type Recogniser } from './recogniser.ts';
import { describeOutOfRange, vote } from './vote.ts';

/** A recogniser with the hash of its artefact: what a vote is recorded under. */
export interface Voter {
  readonly recogniser: Recogniser;
  readonly hash: string;
}

/** An incident waits for this vote: a coarse search takes a few milliseconds. */
const LIVE_SEARCH = { values: 7, inputsAtMost: 2 };

/** How many inputs a recorded vote names. */
const CONTRIBUTIONS_KEPT = 5;

/** Lets every voter answer for one row and explain itself, and joins the answers. */
export function assessRow(
  voters: readonly Voter[],
  row: Row,
  options: { readonly minConfidence: number },
): VoteResult {
  const predictions = voters.map(({ recogniser }) => predict(recogniser, row));
  const outcome = vote(predictions, options);
  const votes = voters.map(({ recogniser, hash }, i): Vote => {
    const prediction = predictions[i]!;
    const explanation = explain(recogniser, row);
    const nearest = nearestPast(recogniser, row).map((one) => ({
      row: one.row,
      label: one.label,
      distance: Number(one.distance.toPrecision(4)),
    }));
    const [change] = changesForAnother(recogniser, row, LIVE_SEARCH);
    return {
      recogniser: recogniser.name,
      hash,
      label: prediction.label,
      probabilities: prediction.probabilities,
      outOfRange: prediction.outOfRange.map(({ feature, value, low, high }) =>
        describeOutOfRange(feature, value, low, high),
      ),
      contributions: explanation.contributions
        .slice(0, CONTRIBUTIONS_KEPT)
        .map(({ feature, value, shap }) => ({
          feature,
          value: value === null ? '' : String(value),
          weight: shap,
        })),
      sentence: explanation.sentence,
      ...(nearest.length === 0 ? {} : { nearest }),
      ...(change === undefined ? {} : { change: describeChange(recogniser, change) }),
    };
  });
  return {
    votes,
    ...(outcome.label === undefined ? {} : { label: outcome.label }),
    confidence: outcome.confidence,
    doubt: outcome.abstained ?? '',
  };
}

/** What the voters together would say of each row; undefined where they would ask a person. */
export function assessLabels(
  recognisers: readonly Recogniser[],
  rows: readonly Row[],
  minConfidence: number,
): (string | undefined)[] {
  return rows.map(
    (row) =>
      vote(
        recognisers.map((recogniser) => predict(recogniser, row)),
        { minConfidence },
      ).label,
  );
}
