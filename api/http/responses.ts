import type { Situation } from '../../domain/situation.ts';
import type {
  Answered,
  AnswerMessage,
  Commanded,
  CommandMessage,
  Decided,
  DecideMessage,
  UnitStatusMessage,
} from '../../workflows/contract.ts';

/**
 * What the API asks of running responses. Every refusal is a TocsinError with a registered code and changes
 * nothing; BACKEND_UNAVAILABLE means that it is not known whether the message arrived, and that repeating it
 * is safe.
 */
export interface Responses {
  /**
   * Answers an open question. The same answer by the same person is one answer, however often it is sent.
   * @throws TocsinError INCIDENT_UNKNOWN, QUESTION_UNKNOWN, QUESTION_CLOSED, ALREADY_ANSWERED, ROLE_REQUIRED,
   * CHOICE_INVALID, BACKEND_UNAVAILABLE
   */
  answer(incidentId: string, message: AnswerMessage): Promise<Answered>;
  /**
   * Commands a running incident. Commands with one `idempotencyKey` are one command.
   * @throws TocsinError INCIDENT_UNKNOWN, INCIDENT_CLOSED, ROLE_REQUIRED, CHOICE_INVALID, BACKEND_UNAVAILABLE
   */
  command(incidentId: string, message: CommandMessage, idempotencyKey: string): Promise<Commanded>;
  /**
   * States what a unit reported. A repeat changes nothing.
   * @throws TocsinError INCIDENT_UNKNOWN, INCIDENT_CLOSED, BACKEND_UNAVAILABLE
   */
  unitStatus(incidentId: string, message: UnitStatusMessage): Promise<void>;
  /**
   * The situation as the incident itself sees it now.
   * @throws TocsinError INCIDENT_UNKNOWN, BACKEND_UNAVAILABLE
   */
  situation(incidentId: string): Promise<Situation>;
  /**
   * Says yes or no to a proposal (`<plan>/<n>`).
   * @throws TocsinError PROPOSAL_UNKNOWN, PROPOSAL_DECIDED, ROLE_REQUIRED, BACKEND_UNAVAILABLE
   */
  decide(proposalId: string, message: DecideMessage): Promise<Decided>;
}
