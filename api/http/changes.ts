import { createSession } from 'better-sse';
import { TocsinError } from '../../domain/errors.ts';
import type { IncidentView } from '../../domain/ports.ts';
import type { Caller } from '../auth.ts';
import { maySee } from '../auth.ts';
import type { Change } from './change-feed.ts';
import type { Dependencies } from './dependencies.ts';
import { summaryOf } from './incident-summary.ts';
import type { Route } from './route.ts';
import { defineRoute, MAY } from './route.ts';

export interface ChangeStreamOptions {
  /** Says again who the caller is: a revoked key ends its open streams. */
  readonly stillAllowed: (caller: Caller, authorization: string | undefined) => Promise<boolean>;
  /** @default 2_000 */
  readonly heartbeatMs?: number;
  /** @default 200 */
  readonly maxStreams?: number;
}

/**
 * Server-sent events: `hello` (did the stream resume?), `incident` (a line of the list), `proposal`, and a
 * `heartbeat` that says how old the data is, so that no viewer takes silence for calm.
 */
export function changeRoutes(
  { changes, now, webUi }: Dependencies,
  { stillAllowed, heartbeatMs = 2_000, maxStreams = 200 }: ChangeStreamOptions,
): Route[] {
  let streams = 0;

  return [
    defineRoute({
      method: 'get',
      path: '/v1/changes',
      tag: 'changes',
      summary: 'Changes as server-sent events; resumes after Last-Event-ID',
      access: MAY.look,
      answers: { 200: null },
      async handle({ caller, request, response }) {
        if (streams >= maxStreams) {
          throw new TocsinError('RATE_LIMITED', 'Too many open streams.', {
            retryable: true,
            details: { maxStreams },
          });
        }
        streams += 1;
        response.once('close', () => (streams -= 1));

        const authorization = request.get('authorization');
        const resumeFrom = request.get('last-event-id') ?? '';
        const session = await createSession(request, response, {
          keepAlive: null,
          retry: 1_000,
          headers: { 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
        });
        const send = (change: Change): void => {
          if (change.tenant !== null && !maySee(caller, change.tenant)) return;
          const data =
            change.event === 'incident' ? summaryOf(change.data as IncidentView, webUi) : change.data;
          session.push(data, change.event, change.id);
        };

        const missed = resumeFrom === '' ? null : changes.since(resumeFrom);
        session.push(
          { resumed: missed !== null, nowMs: now() },
          'hello',
          missed === null ? changes.lastId : resumeFrom,
        );
        for (const change of missed ?? []) send(change);
        const unsubscribe = changes.subscribe(send);

        const heartbeat = setInterval(() => {
          session.push({ nowMs: now(), asOfMs: changes.asOfMs }, 'heartbeat', changes.lastId);
          stillAllowed(caller, authorization)
            .then((allowed) => {
              if (!allowed) response.end();
            })
            // The store is away: who was let in stays, and is told that the data ages.
            .catch(() => {});
        }, heartbeatMs);
        heartbeat.unref();
        response.once('close', () => {
          clearInterval(heartbeat);
          unsubscribe();
        });
        return null;
      },
    }),
  ];
}
