import { ApplicationFailure } from '@temporalio/activity';
import { TocsinError } from '../domain/errors.ts';

/** What a refusal means to Temporal: `for-ever` tries again whatever it says, `as-it-says` obeys `retryable`. */
export type Retrying = 'for-ever' | 'as-it-says';

/**
 * Activities whose refusals keep their code across Temporal: only an ApplicationFailure carries a type. Without
 * this the workflow, the web UI and the audit would see an error called TocsinError, and no reason.
 */
export function crossing<A extends object>(activities: A, retrying: Retrying): A {
  return Object.fromEntries(
    Object.entries(activities).map(([name, activity]: [string, (...args: unknown[]) => unknown]) => [
      name,
      async (...args: unknown[]) => {
        try {
          return await activity(...args);
        } catch (error) {
          throw error instanceof TocsinError ? failureOf(error, retrying) : error;
        }
      },
    ]),
  ) as A;
}

const failureOf = (error: TocsinError, retrying: Retrying): ApplicationFailure =>
  ApplicationFailure.create({
    type: error.code,
    message: error.message,
    nonRetryable: retrying === 'as-it-says' && !error.retryable,
    details: [error.details],
    cause: error,
  });
