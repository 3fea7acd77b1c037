import type { Logger } from 'pino';
import type { Found } from '../../domain/detect/watch.ts';
import { incidentIdOf } from '../../domain/evidence.ts';
import type { AsideRecord, Delivery } from '../../domain/ports-ingest.ts';
import type { Json } from '../../domain/units.ts';
import { clockDoubtRecord } from './aside-records.ts';

/** What detection found in a frame, or that some of it came too late to be looked at. */
export type Finding =
  | { readonly tenant: string; readonly found: Found }
  | { readonly tenant: string; readonly late: AsideRecord };

/** What was found in frame `seq`, in order: what goes to incidents, and what is put aside for people. */
export function sorted(
  seq: number,
  findings: readonly Finding[],
  log: Pick<Logger, 'warn'>,
): { readonly deliveries: Delivery[]; readonly asides: AsideRecord[] } {
  const deliveries: Delivery[] = [];
  const asides: AsideRecord[] = [];
  findings.forEach((finding, n) => {
    if ('late' in finding) return asides.push(finding.late);
    const { tenant, found } = finding;
    switch (found.kind) {
      case 'detection':
        return deliveries.push({
          id: `detection|${incidentIdOf(found.detection)}`,
          seq,
          n,
          kind: 'detection',
          detection: found.detection,
          plan: found.plan,
        });
      case 'evidence':
        return deliveries.push({
          id: `evidence|${found.incidentId}|${found.evidence.key}`,
          seq,
          n,
          kind: 'evidence',
          incidentId: found.incidentId,
          evidence: found.evidence,
        });
      case 'suppressed':
        return asides.push({
          id: `suppressed|${found.rule}|${found.evidence.key}`,
          kind: 'suppressed',
          tenant,
          about: found.rule,
          reason: found.reason,
          atMs: found.evidence.atMs,
          evidence: found.evidence as unknown as Json,
        });
      case 'doubt':
        log.warn({ tenant, ...found.doubt }, 'a clock is not believed');
        return asides.push(clockDoubtRecord(tenant, found.doubt));
      default:
        return found satisfies never;
    }
  });
  return { deliveries, asides };
}
