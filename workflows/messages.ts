import { ApplicationFailure, defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { TocsinError } from '../domain/errors.ts';
import type { Situation } from '../domain/situation.ts';
import * as names from './contract.ts';

export const evidenceSignal = defineSignal<[names.EvidenceMessage]>(names.EVIDENCE);
export const unitStatusSignal = defineSignal<[names.UnitStatusMessage]>(names.UNIT_STATUS);
export const grantedSignal = defineSignal<[names.GrantedMessage]>(names.GRANTED);
export const requestedSignal = defineSignal<[names.RequestedMessage]>(names.REQUESTED);
export const releasedSignal = defineSignal<[names.ReleasedMessage]>(names.RELEASED);

/** An update, because whoever approves must know that the approval counted. */
export const approveUpdate = defineUpdate<names.Answered, [names.AnswerMessage]>(names.APPROVE);
/** An update, because a second answer must be refused to the person who gives it. */
export const answerUpdate = defineUpdate<names.Answered, [names.AnswerMessage]>(names.ANSWER);
/** An update, because a command that cannot be carried out must say so. */
export const commandUpdate = defineUpdate<names.Commanded, [names.CommandMessage]>(names.COMMAND);
/** An update, because the conductor may move time on only when the incident has done all it can. */
export const clockUpdate = defineUpdate<names.ClockAnswer, [names.ClockMessage]>(names.CLOCK);
/** An update, because a decision on a proposal must be refused when there is one already. */
export const decideUpdate = defineUpdate<names.Decided, [names.DecideMessage]>(names.DECIDE);

export const situationQuery = defineQuery<Situation>(names.SITUATION);
export const deskSituationQuery = defineQuery<names.DeskSituation>(names.SITUATION);
export const refinementQuery = defineQuery<names.RefinementSituation>(names.SITUATION);
export const retrainingQuery = defineQuery<names.RetrainingSituation>(names.SITUATION);

/** Lets a domain refusal cross Temporal with its code: only ApplicationFailure may. */
export function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TocsinError)) throw error;
    throw ApplicationFailure.create({
      message: error.message,
      type: error.code,
      nonRetryable: !error.retryable,
      details: [error.details],
    });
  }
}
