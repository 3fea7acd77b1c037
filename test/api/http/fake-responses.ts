import type { Responses } from '../../../api/http/responses.ts';
import { TocsinError } from '../../../domain/errors.ts';
import type { IncidentView, Stores } from '../../../domain/ports.ts';
import { checkAnswer, receiveAnswer, receiveStatus } from '../../../domain/receive.ts';
import type { Situation } from '../../../domain/situation.ts';
import type {
  AnswerMessage,
  CommandMessage,
  DecideMessage,
  UnitStatusMessage,
} from '../../../workflows/contract.ts';

export interface FakeResponses extends Responses {
  readonly answers: AnswerMessage[];
  readonly commands: CommandMessage[];
  readonly statuses: UnitStatusMessage[];
  readonly decisions: DecideMessage[];
  /** When set, everything fails with it: the backend is away. */
  failure: Error | null;
}

/** Running responses in memory: the domain's own rules over the stored situations, one writer, no engine. */
export function createFakeResponses(
  stores: Pick<Stores, 'incidents' | 'proposals' | 'plans'>,
): FakeResponses {
  const commandIds = new Map<string, { commandId: string; atMs: number }>();

  async function running(incidentId: string): Promise<{ view: IncidentView; situation: Situation }> {
    if (fake.failure !== null) throw fake.failure;
    const view = await stores.incidents.get(incidentId);
    if (view === null) throw new TocsinError('INCIDENT_UNKNOWN', 'There is no such incident.');
    return { view, situation: structuredClone(view.situation) };
  }

  const write = (view: IncidentView, situation: Situation): Promise<void> =>
    stores.incidents.put({
      ...view,
      situation,
      updatedAtMs: situation.nowMs,
      writtenAtMs: view.writtenAtMs + 1,
    });

  const fake: FakeResponses = {
    answers: [],
    commands: [],
    statuses: [],
    decisions: [],
    failure: null,
    async answer(incidentId, message) {
      const { view, situation } = await running(incidentId);
      checkAnswer(situation, message);
      receiveAnswer(situation, message, situation.nowMs);
      fake.answers.push(message);
      await write(view, situation);
      return { questionId: message.questionId, choice: message.choice, atMs: situation.nowMs };
    },
    async command(incidentId, message, idempotencyKey) {
      const { view, situation } = await running(incidentId);
      if (situation.phase === 'closed') throw new TocsinError('INCIDENT_CLOSED', 'This incident is closed.');
      const known = commandIds.get(idempotencyKey);
      if (known !== undefined) return known;
      const taken = { commandId: `command/${situation.commands.length + 1}`, atMs: situation.nowMs };
      commandIds.set(idempotencyKey, taken);
      const { roles: _roles, ...command } = message;
      situation.commands.push({ ...command, id: taken.commandId, atMs: taken.atMs });
      fake.commands.push(message);
      await write(view, situation);
      return taken;
    },
    async unitStatus(incidentId, message) {
      const { view, situation } = await running(incidentId);
      receiveStatus(situation, message);
      fake.statuses.push(message);
      await write(view, situation);
    },
    situation: async (incidentId) => (await running(incidentId)).situation,
    async decide(proposalId, message) {
      if (fake.failure !== null) throw fake.failure;
      const proposal = await stores.proposals.get(proposalId);
      if (proposal === null) throw new TocsinError('PROPOSAL_UNKNOWN', 'There is no such proposal.');
      const inserted = await stores.proposals.decide({
        proposalId,
        approve: message.approve,
        by: message.by,
        reason: message.reason,
        atMs: proposal.atMs + 1,
      });
      if (inserted === 'exists') throw new TocsinError('PROPOSAL_DECIDED', 'The proposal is decided.');
      fake.decisions.push(message);
      return { proposalId, approved: message.approve, activeHash: proposal.fromHash };
    },
  };
  return fake;
}
