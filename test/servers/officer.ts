import fs from 'node:fs';
import path from 'node:path';
import type { Running } from '../../bin/running.ts';

export interface Answered {
  readonly incidentId: string;
  readonly question: string;
  readonly choice: string;
}

interface Waiting {
  readonly kind: string;
  readonly incidentId: string;
  readonly role: string;
  readonly question: { readonly id: string; readonly choices: readonly string[] };
}

/** A duty officer who approves whatever is asked of one, over the API, until told to stop; parts may be dead meanwhile. */
export function answerWhatIsAsked(directory: string): { stop(): Promise<readonly Answered[]> } {
  const answered = new Map<string, Answered>();
  let going = true;
  const shift = (async () => {
    while (going) {
      try {
        await answerOnce(directory, answered);
      } catch {
        // The API, or what is behind it, is away: the officer tries again.
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  return {
    async stop() {
      going = false;
      await shift;
      return [...answered.values()];
    },
  };
}

async function answerOnce(directory: string, answered: Map<string, Answered>): Promise<void> {
  const read = <T>(name: string): T => JSON.parse(fs.readFileSync(path.join(directory, name), 'utf8')) as T;
  const { http } = read<Running>('running.json');
  const key = read<Record<string, string>>('credentials.json')['duty-officer'];
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const list = await fetch(`${http}/v1/approvals`, { headers, signal: AbortSignal.timeout(5_000) });
  const { items } = (await list.json()) as { items: Waiting[] };
  for (const { kind, incidentId, role, question } of items) {
    if (kind !== 'question' || role !== 'duty-officer') continue;
    const choice = question.choices[0]!;
    const answer = await fetch(`${http}/v1/incidents/${encodeURIComponent(incidentId)}/answers`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ questionId: question.id, choice, reason: 'as trained' }),
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.ok) {
      answered.set(`${incidentId} ${question.id}`, { incidentId, question: question.id, choice });
    }
  }
}
