import { TocsinError } from '../../domain/errors.ts';
import type { IncidentStore, IncidentView } from '../../domain/ports.ts';
import type { Caller } from '../auth.ts';
import { maySee } from '../auth.ts';

/**
 * An incident that the caller may see. One of another tenant is as unknown as one that never was: its
 * existence is nobody else's business.
 *
 * @throws TocsinError INCIDENT_UNKNOWN
 */
export async function visibleIncident(
  incidents: IncidentStore,
  caller: Caller,
  incidentId: string,
): Promise<IncidentView> {
  const view = await incidents.get(incidentId);
  if (view === null || !maySee(caller, view.tenant)) {
    throw new TocsinError('INCIDENT_UNKNOWN', `There is no incident "${incidentId}".`, {
      details: { incidentId },
    });
  }
  return view;
}

/** The incidents a caller may see, newest first. */
export function visibleIncidents(
  incidents: IncidentStore,
  caller: Caller,
  filter: { readonly open?: boolean } = {},
): Promise<IncidentView[]> {
  return incidents.list({ ...filter, ...(caller.roles.includes('admin') ? {} : { tenant: caller.tenant }) });
}
