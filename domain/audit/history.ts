import { isRecord } from './bundle.ts';

/** What an auditor reads of one run's history, from Temporal's JSON. */
export interface ReadHistory {
  readonly workflowType: string;
  readonly runId: string;
  /** Run that this one continues; empty for the first. */
  readonly continuedRunId: string;
  /** Run that continues this one; empty while it is the last. */
  readonly newRunId: string;
  /** First argument of the workflow; undefined when it is not plain JSON (encrypted). */
  readonly input: unknown;
  /** Updates that were accepted, in order. */
  readonly updates: readonly ReadUpdate[];
  /** Event numbers run 1, 2, 3 … without a gap. */
  readonly eventsInOrder: boolean;
  readonly eventCount: number;
}

export interface ReadUpdate {
  readonly name: string;
  readonly updateId: string;
  readonly argument: unknown;
  readonly outcome: 'completed' | 'failed' | 'open';
}

/** Base64 of UTF-8 as text. */
export type DecodeBase64 = (base64: string) => string;

/** Reads a history; undefined when the text is not one. */
export function readHistory(text: string, decodeBase64: DecodeBase64): ReadHistory | undefined {
  const events = eventsOf(text);
  const [first] = events ?? [];
  const started = record(first, 'workflowExecutionStartedEventAttributes');
  if (events === undefined || started === undefined) return undefined;
  const last = record(events.at(-1), 'workflowExecutionContinuedAsNewEventAttributes');
  return {
    workflowType: string(record(started, 'workflowType')?.['name']),
    runId: string(started['originalExecutionRunId']),
    continuedRunId: string(started['continuedExecutionRunId']),
    newRunId: string(last?.['newExecutionRunId']),
    input: firstPayload(started['input'], decodeBase64),
    updates: updatesIn(events, decodeBase64),
    eventsInOrder: events.every((event, index) => Number(event['eventId']) === index + 1),
    eventCount: events.length,
  };
}

function eventsOf(text: string): Record<string, unknown>[] | undefined {
  let history: unknown;
  try {
    history = JSON.parse(text);
  } catch {
    return undefined;
  }
  const events = isRecord(history) ? history['events'] : undefined;
  return Array.isArray(events) && events.every(isRecord) ? events : undefined;
}

function updatesIn(events: readonly Record<string, unknown>[], decodeBase64: DecodeBase64): ReadUpdate[] {
  const outcomes = new Map<string, ReadUpdate['outcome']>();
  for (const event of events) {
    const completed = record(event, 'workflowExecutionUpdateCompletedEventAttributes');
    if (completed === undefined) continue;
    const failed = record(record(completed, 'outcome'), 'failure') !== undefined;
    outcomes.set(string(record(completed, 'meta')?.['updateId']), failed ? 'failed' : 'completed');
  }
  return events.flatMap((event) => {
    const accepted = record(event, 'workflowExecutionUpdateAcceptedEventAttributes');
    const request = record(accepted, 'acceptedRequest');
    const input = record(request, 'input');
    if (input === undefined) return [];
    const updateId = string(record(request, 'meta')?.['updateId']);
    return [
      {
        name: string(input['name']),
        updateId,
        argument: firstPayload(input['args'], decodeBase64),
        outcome: outcomes.get(updateId) ?? 'open',
      },
    ];
  });
}

function firstPayload(payloads: unknown, decodeBase64: DecodeBase64): unknown {
  const list = isRecord(payloads) ? payloads['payloads'] : undefined;
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  const encoding = string(record(first, 'metadata')?.['encoding']);
  if (!isRecord(first) || decodeBase64(encoding) !== 'json/plain') return undefined;
  try {
    return JSON.parse(decodeBase64(string(first['data'])));
  } catch {
    return undefined;
  }
}

function record(value: unknown, key: string): Record<string, unknown> | undefined {
  const inner = isRecord(value) ? value[key] : undefined;
  return isRecord(inner) ? inner : undefined;
}

const string = (value: unknown): string => (typeof value === 'string' ? value : '');
