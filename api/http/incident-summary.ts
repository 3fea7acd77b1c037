import type { z } from 'zod';
import type { IncidentView } from '../../domain/ports.ts';
import type { Mission, Question, Situation } from '../../domain/situation.ts';
import type { WebUi } from './dependencies.ts';
import type { IncidentSummarySchema } from './schemas.ts';

export type IncidentSummary = z.output<typeof IncidentSummarySchema>;

/** One line of the list: what a duty officer needs without opening the incident. */
export function summaryOf(view: IncidentView, webUi: WebUi | null): IncidentSummary {
  const { situation } = view;
  const missions = Object.values(situation.missions);
  return {
    incidentId: view.incidentId,
    tenant: view.tenant,
    mode: view.mode,
    clock: situation.clock,
    hazard: view.hazard,
    type: situation.assessment?.type ?? null,
    severity: situation.assessment?.severity ?? null,
    confidence: situation.assessment?.confidence ?? null,
    doubt: situation.assessment?.doubt ?? '',
    place: view.place,
    planId: view.planId,
    planHash: view.planHash,
    level: view.level,
    highestLevel: view.highestLevel,
    phase: view.phase,
    openedAtMs: view.openedAtMs,
    nowMs: situation.nowMs,
    updatedAtMs: view.updatedAtMs,
    writtenAtMs: view.writtenAtMs,
    waiting: openQuestions(situation).map(copyOfQuestion),
    evidenceCount: situation.evidenceCount,
    missions: {
      open: missions.filter(isOpenMission).length,
      onScene: missions.filter((mission) => mission.status === 'on-scene').length,
      total: missions.length,
    },
    runId: view.runId,
    webUi: webUi === null ? null : workflowLink(webUi, view.incidentId, view.runId),
  };
}

/** Questions that a human can still answer, earliest deadline first. */
export function openQuestions(situation: Situation): Question[] {
  if (situation.phase === 'closed') return [];
  return Object.values(situation.questions)
    .filter((question) => question.answer === undefined && question.expiredAtMs === undefined)
    .sort((a, b) => a.deadlineMs - b.deadlineMs || (a.id < b.id ? -1 : 1));
}

export const isOpenMission = (mission: Mission): boolean =>
  mission.status !== 'done' && mission.status !== 'stood-down' && mission.releasedAtMs === undefined;

const copyOfQuestion = (question: Question): IncidentSummary['waiting'][number] => ({
  ...question,
  choices: [...question.choices],
});

function workflowLink({ base, namespace }: WebUi, workflowId: string, runId: string): string {
  const path = `/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
  return `${base}${path}${runId === '' ? '' : `/${encodeURIComponent(runId)}/history`}`;
}
