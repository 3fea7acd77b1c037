import { TocsinError } from '../domain/errors.ts';
import type { Mission } from '../domain/situation.ts';
import type { EpochMs } from '../domain/units.ts';
import { patiently } from './patience.ts';

export interface ApiDoor {
  /** A crew's report on its mission. A report that the mission has passed already is no error. */
  report(incidentId: string, mission: Mission, status: Mission['status'], atMs: EpochMs): Promise<void>;
  openIncidents(): Promise<readonly string[]>;
}

/** The HTTP API as a crew's terminal sees it. */
export function createApiDoor({
  baseUrl,
  crewKey,
  signal,
}: {
  readonly baseUrl: string;
  readonly crewKey: string;
  readonly signal?: AbortSignal;
}): ApiDoor {
  const call = (path: string, init: RequestInit = {}): Promise<Response> =>
    patiently(
      async () => {
        const response = await fetch(`${baseUrl}${path}`, {
          ...init,
          headers: { authorization: `Bearer ${crewKey}`, 'content-type': 'application/json' },
          signal: AbortSignal.timeout(10_000),
        });
        if (response.status >= 500 || response.status === 429) {
          throw new TocsinError('BACKEND_UNAVAILABLE', `The API answered ${response.status}.`, {
            retryable: true,
          });
        }
        return response;
      },
      () => true,
      signal,
    );
  return {
    async report(incidentId, mission, status, atMs) {
      const response = await call(`/v1/missions/${encodeURIComponent(mission.id)}/status`, {
        method: 'POST',
        body: JSON.stringify({ incidentId, unit: mission.unit, epoch: mission.epoch, status, atMs }),
      });
      // The incident closed, or the crew was stood down, while the report was on its way.
      if (!response.ok && response.status !== 404 && response.status !== 409) {
        throw new TocsinError('REPORT_REFUSED', `A crew report was refused: ${await response.text()}`);
      }
    },
    async openIncidents() {
      const response = await call('/v1/incidents?open=true&limit=200');
      const { items } = (await response.json()) as { items: { incidentId: string }[] };
      return items.map(({ incidentId }) => incidentId);
    },
  };
}
