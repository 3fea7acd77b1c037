import type {
  Bulletin,
  BulletinEvidence,
  Detection,
  Evidence,
  Place,
  ReadingsEvidence,
} from '../evidence.ts';
import { incidentIdOf, windowOf } from '../evidence.ts';
import type { Condition, PlanDocument, TogetherCondition } from '../plan/document.ts';
import type { Sensor } from '../ports.ts';
import { silentAfterMs } from '../ingest/health.ts';
import type { Conversion } from '../ingest/units.ts';
import { conversionOf } from '../ingest/units.ts';
import type { EpochMs } from '../units.ts';
import { evaluateCondition, walkConditions } from './condition.ts';
import { detectorNamed } from './detectors.ts';
import { effectsOf, numberOf } from './intensity.ts';
import { extended, joins } from './sequence.ts';
import type { Sequence, SequenceEvent } from './sequence.ts';
import { ChannelWatch } from './watch-channel.ts';
import type { ChannelWatchState } from './watch-channel.ts';
import type { WatchedSensor } from './watched-sensor.ts';
import { TogetherWatch } from './watch-together.ts';
import type { TogetherWatchState } from './watch-together.ts';

/** A plan with the hash it is pinned by. */
export interface PinnedPlan {
  readonly document: PlanDocument;
  readonly hash: string;
}

/** What detection must know of an open incident: where later evidence belongs. */
export interface OpenIncident {
  readonly incidentId: string;
  readonly hazard: string;
  readonly placeId: string;
  readonly planId: string;
  readonly planHash: string;
  /** Absent for incidents that no located bulletin opened. */
  readonly sequence?: Sequence;
}

export interface BulletinReceived {
  /** `source|id`, and `@<revision>` from the second revision on. */
  readonly key: string;
  readonly vendor: string;
  readonly bulletin: Bulletin;
  readonly receivedAtMs: EpochMs;
  /** Too old to open an incident; it may still join one. */
  readonly late: boolean;
}

/** Readings of one sensor, oldest first, in its declared unit, all finite. */
export interface ReadingsReceived {
  /** Sensor id. */
  readonly sensor: string;
  /** When each was observed, by our clock. */
  readonly atMs: ArrayLike<number>;
  readonly values: ArrayLike<number>;
  /** Bits of QUALITY, one a reading. @default 0 for all */
  readonly flags?: ArrayLike<number>;
  /** By the device's own clock. @default atMs */
  readonly observedAtMs?: ArrayLike<number>;
  readonly receivedAtMs: EpochMs;
}

/** Columns that hold readings of several sensors, as in ReadingsReceived. */
export type ReceivedColumns = Required<Omit<ReadingsReceived, 'sensor'>>;

const NOTHING: readonly Found[] = [];

export type Found =
  | { readonly kind: 'detection'; readonly detection: Detection; readonly plan: PinnedPlan }
  | { readonly kind: 'evidence'; readonly incidentId: string; readonly evidence: Evidence }
  /** It matches a plan's `detect` and yet is in no incident: the reason is on record. */
  | {
      readonly kind: 'suppressed';
      readonly rule: string;
      readonly reason: SuppressedBecause;
      readonly evidence: Evidence;
    };

export type SuppressedBecause = 'too-late' | 'no-place-of-care' | 'site-unknown';

export interface WatchOptions {
  readonly tenant: string;
  /** The active version of each plan. */
  readonly plans: readonly PinnedPlan[];
  /** Versions that open incidents are pinned to, where they differ from the active ones. */
  readonly pinned?: readonly PinnedPlan[];
  readonly places: readonly Place[];
  /** Sensors of this tenant. */
  readonly sensors: readonly Sensor[];
  readonly state?: WatchState;
}

/** Everything a watch must remember, as JSON. */
export interface WatchState {
  readonly open: readonly OpenIncident[];
  /** By `<plan hash>|<site>`, then by leaf. */
  readonly channels: Readonly<
    Record<string, Readonly<Record<string, ChannelWatchState | TogetherWatchState>>>
  >;
  readonly transitions: Readonly<Record<string, Readonly<Record<string, ReadingsEvidence>>>>;
}

/**
 * Detection for one tenant: everything acknowledged goes in, in the order of the archive, and what it means for
 * incidents comes out. Telemetry ends here: incidents get digests. The same inputs in the same order always give
 * the same answers, so whatever was not delivered yet may be run again.
 */
export interface Watch {
  acceptBulletin(received: BulletinReceived): Found[];
  acceptReadings(received: ReadingsReceived): Found[];
  /** The same for readings `from` to `to` of columns that are shared by many sensors. */
  acceptRun(columns: ReceivedColumns, sensor: string, from: number, to: number): readonly Found[];
  /** An incident that somebody else opened, or that was open before this process began. */
  opened(incident: OpenIncident, plan: PinnedPlan): void;
  closed(incidentId: string): void;
  /** Evidence found its incident closed: what else it means now. Call `closed` first. */
  reconsider(evidence: Evidence): Found[];
  isOpen(incidentId: string): boolean;
  /** Whether any condition hears this sensor: what no condition hears is only archived. */
  hears(sensor: string): boolean;
  state(): WatchState;
}

export function createWatch(options: WatchOptions): Watch {
  const { tenant } = options;
  const places = new Map(options.places.map((place) => [place.id, place]));
  const plans = new Map<string, PinnedPlan>();
  for (const plan of [...options.plans, ...(options.pinned ?? [])]) plans.set(plan.hash, plan);
  // One plan answers for a hazard: the first by id, so that two activations cannot open two incidents for one cause.
  const active = [...options.plans]
    .sort((a, b) => (a.document.id < b.document.id ? -1 : 1))
    .filter(
      (plan, index, all) =>
        all.findIndex((one) => one.document.covers.hazard === plan.document.covers.hazard) === index,
    );
  const open = new Map<string, OpenIncident>();
  for (const incident of options.state?.open ?? []) open.set(incident.incidentId, incident);

  const stations = new Map<string, Station>();
  const targets = new Map<string, Target[]>();

  function watchPlan(plan: PinnedPlan): void {
    for (const site of new Set(options.sensors.map((sensor) => sensor.site))) {
      const name = `${plan.hash}|${site}`;
      if (stations.has(name)) continue;
      const station = createStation(plan, site, options, name);
      if (station.leaves.size === 0) continue;
      stations.set(name, station);
      for (const { sensor, ...target } of station.targets) {
        const known = targets.get(sensor);
        if (known === undefined) targets.set(sensor, [{ station, ...target }]);
        else known.push({ station, ...target });
      }
    }
  }
  for (const plan of active) watchPlan(plan);
  for (const { planHash } of open.values()) {
    const plan = plans.get(planHash);
    if (plan !== undefined) watchPlan(plan);
  }

  const openFor = (hazard: string): OpenIncident[] =>
    [...open.values()].filter((incident) => incident.hazard === hazard);

  function opens(plan: PinnedPlan, place: Place, evidence: readonly Evidence[], atMs: EpochMs): Found {
    const trigger = evidence.at(-1)!;
    const detection: Detection = {
      tenant,
      planId: plan.document.id,
      hazard: plan.document.covers.hazard,
      place,
      cell: place.id,
      window: windowOf(atMs),
      atMs,
      receivedAtMs: trigger.receivedAtMs,
      evidence,
    };
    open.set(incidentIdOf(detection), openedBy(detection, plan));
    return { kind: 'detection', detection, plan };
  }

  /** The open incident of a hazard that a bulletin belongs to; of several, the one with the strongest event. */
  function sequenceOf(hazard: string, item: BulletinEvidence): OpenIncident | undefined {
    const event = eventOf(item);
    return openFor(hazard)
      .filter((incident) => {
        const document = plans.get(incident.planHash)?.document;
        if (document === undefined || !document.bulletins.includes(item.bulletin.type)) return false;
        if (document.sequence === undefined || document.sequence.bulletin !== item.bulletin.type) {
          return item.effects[0]?.placeId === incident.placeId;
        }
        return (
          event !== null &&
          incident.sequence !== undefined &&
          joins(document.sequence, incident.sequence, event)
        );
      })
      .sort(
        (a, b) =>
          (b.sequence?.strongest.magnitude ?? 0) - (a.sequence?.strongest.magnitude ?? 0) ||
          (a.incidentId < b.incidentId ? -1 : 1),
      )[0];
  }

  function considerBulletin(item: BulletinEvidence, late: boolean): Found[] {
    const found: Found[] = [];
    const joined = new Set<string>();
    for (const hazard of new Set([...open.values()].map((incident) => incident.hazard))) {
      const incident = sequenceOf(hazard, item);
      if (incident === undefined) continue;
      joined.add(hazard);
      const event = eventOf(item);
      if (event !== null) {
        const sequence = incident.sequence === undefined ? begun(event) : extended(incident.sequence, event);
        open.set(incident.incidentId, { ...incident, sequence });
      }
      found.push({ kind: 'evidence', incidentId: incident.incidentId, evidence: item });
    }
    for (const plan of active) {
      const { document } = plan;
      if (joined.has(document.covers.hazard) || !document.bulletins.includes(item.bulletin.type)) continue;
      const place = item.effects[0]?.place;
      const leaves = place === undefined ? {} : (stations.get(`${plan.hash}|${place.id}`)?.states() ?? {});
      if (!evaluateCondition(document.detect, 'detect', { evidence: [item], leaves }, item.atMs).holds)
        continue;
      if (place === undefined) found.push(suppressed(plan, 'no-place-of-care', item));
      else if (late) found.push(suppressed(plan, 'too-late', item));
      else found.push(opens(plan, place, [item], item.atMs));
    }
    return found;
  }

  function considerTransition(station: Station, transition: ReadingsEvidence): Found[] {
    const { plan, site } = station;
    const hazard = plan.document.covers.hazard;
    const incident = openFor(hazard).find((one) => one.placeId === site);
    if (incident !== undefined) {
      // The incident follows the plan it is pinned to; what a newer version sees there is not its business.
      return incident.planHash === plan.hash
        ? [{ kind: 'evidence', incidentId: incident.incidentId, evidence: transition }]
        : [];
    }
    if (!active.includes(plan) || !isUnder('detect', transition.leaf)) return [];
    const view = { evidence: [], leaves: station.states() };
    if (!evaluateCondition(plan.document.detect, 'detect', view, transition.atMs).holds) return [];
    const place = places.get(site);
    if (place === undefined) return [suppressed(plan, 'site-unknown', transition)];
    return [opens(plan, place, [...station.heldBefore(transition), transition], transition.atMs)];
  }

  /** One reading may turn several conditions: an incident that it opens begins with all of them. */
  function considerTurned(
    turned: readonly { readonly station: Station; readonly transition: ReadingsEvidence }[],
  ): Found[] {
    const found: Found[] = [];
    const included = new Set<Evidence>();
    for (const { station, transition } of turned) {
      if (included.has(transition)) continue;
      for (const one of considerTransition(station, transition)) {
        found.push(one);
        if (one.kind === 'detection') for (const item of one.detection.evidence) included.add(item);
      }
    }
    return found;
  }

  function acceptRun(
    { atMs, values, flags, observedAtMs, receivedAtMs }: ReceivedColumns,
    sensor: string,
    from: number,
    to: number,
  ): readonly Found[] {
    const watching = targets.get(sensor);
    if (watching === undefined) return NOTHING;
    let found: Found[] | null = null;
    for (let n = from; n < to; n++) {
      let turned: { station: Station; transition: ReadingsEvidence }[] | null = null;
      for (const { station, channel, index, scale, offset } of watching) {
        const value = values[n]! * scale + offset;
        const transition = channel.push(index, atMs[n]!, value, receivedAtMs, flags[n], observedAtMs[n]);
        if (transition === null) continue;
        station.transitions.set(transition.leaf, transition);
        (turned ??= []).push({ station, transition });
      }
      if (turned !== null) (found ??= []).push(...considerTurned(turned));
    }
    return found ?? NOTHING;
  }

  return {
    acceptBulletin({ key, vendor, bulletin, receivedAtMs, late }) {
      return considerBulletin(
        {
          kind: 'bulletin',
          key,
          atMs: bulletin.observedAtMs,
          receivedAtMs,
          vendor,
          bulletin,
          effects: effectsOf(bulletin, options.places),
        },
        late,
      );
    },
    acceptReadings({ sensor, atMs, values, flags, observedAtMs, receivedAtMs }) {
      const columns = {
        atMs,
        values,
        flags: flags ?? new Uint8Array(values.length),
        observedAtMs: observedAtMs ?? atMs,
        receivedAtMs,
      };
      return [...acceptRun(columns, sensor, 0, values.length)];
    },
    acceptRun,
    opened(incident, plan) {
      plans.set(plan.hash, plan);
      watchPlan(plan);
      if (!open.has(incident.incidentId)) open.set(incident.incidentId, incident);
    },
    closed: (incidentId) => void open.delete(incidentId),
    reconsider(evidence) {
      if (evidence.kind === 'bulletin') return considerBulletin(evidence, false);
      if (!evidence.holds) return [];
      return active.flatMap((plan) => {
        const station = stations.get(`${plan.hash}|${evidence.site}`);
        return station === undefined ? [] : considerTransition(station, evidence);
      });
    },
    isOpen: (incidentId) => open.has(incidentId),
    hears: (sensor) => targets.has(sensor),
    state: () => ({
      open: [...open.values()],
      channels: Object.fromEntries(
        [...stations].map(([name, station]) => [
          name,
          Object.fromEntries([...station.leaves].map(([leaf, channel]) => [leaf, channel.state()])),
        ]),
      ),
      transitions: Object.fromEntries(
        [...stations].map(([name, station]) => [name, Object.fromEntries(station.transitions)]),
      ),
    }),
  };
}

/** One plan at one site. */
interface Station {
  readonly plan: PinnedPlan;
  readonly site: string;
  readonly leaves: ReadonlyMap<string, ChannelWatch | TogetherWatch>;
  /** The last transition of each leaf. */
  readonly transitions: Map<string, ReadingsEvidence>;
  readonly targets: readonly (Omit<Target, 'station'> & { readonly sensor: string })[];
  states(): Record<string, { holds: boolean; sinceMs: EpochMs }>;
  /** Other conditions of the plan that hold already, oldest first: a new incident must know them. */
  heldBefore(transition: ReadingsEvidence): ReadingsEvidence[];
}

/** A sensor in a condition, and what carries its values into the condition's unit. */
interface Target extends Conversion {
  readonly station: Station;
  readonly channel: ChannelWatch | TogetherWatch;
  readonly index: number;
}

function createStation(plan: PinnedPlan, site: string, options: WatchOptions, name: string): Station {
  const leaves = new Map<string, ChannelWatch | TogetherWatch>();
  const targets: (Omit<Target, 'station'> & { sensor: string })[] = [];
  const transitions = new Map(Object.entries(options.state?.transitions[name] ?? {}));
  const known = options.state?.channels[name] ?? {};
  const reassuring = reassuringPaths(plan.document);
  for (const { condition, path } of conditionsOf(plan.document)) {
    if ('channels' in condition) {
      const together = watchTogether(condition, path, site, options.sensors, known[path]);
      if (together === null) continue;
      leaves.set(path, together.channel);
      targets.push(...together.targets);
      continue;
    }
    if (!('channel' in condition)) continue;
    const sensors = options.sensors
      .filter((sensor) => sensor.site === site && sensor.channel === condition.channel)
      .map((sensor) => ({ sensor, conversion: conversionOf(sensor.unit, condition.unit, sensor.channel) }))
      .filter((one): one is { sensor: Sensor; conversion: Conversion } => one.conversion !== null);
    if (sensors.length === 0) continue;
    const state = known[path];
    const channel = new ChannelWatch({
      condition,
      leaf: path,
      site,
      reassures: reassuring.has(path),
      sensors: sensors.map(({ sensor }): WatchedSensor => {
        const { id, vendor } = sensor;
        const every = sensor.samplingHz ? { everyMs: 1_000 / sensor.samplingHz } : {};
        return { id, vendor, silentAfterMs: silentAfterMs(sensor), ...every };
      }),
      ...(state === undefined ? {} : { state: state as ChannelWatchState }),
    });
    leaves.set(path, channel);
    sensors.forEach(({ sensor, conversion }, index) =>
      targets.push({ sensor: sensor.id, channel, index, ...conversion }),
    );
  }
  return {
    plan,
    site,
    leaves,
    transitions,
    targets,
    states: () =>
      Object.fromEntries(
        [...transitions].map(([leaf, transition]) => [
          leaf,
          { holds: transition.holds, sinceMs: transition.atMs },
        ]),
      ),
    heldBefore: (transition) =>
      [...transitions.values()]
        .filter((one) => one.holds && one.leaf !== transition.leaf)
        .sort((a, b) => a.atMs - b.atMs || (a.leaf < b.leaf ? -1 : 1)),
  };
}

const AS_IT_IS: Conversion = { scale: 1, offset: 0 };

/**
 * The site's sensors on any of the channels, in the units in which they speak, as many as the detector takes; null
 * when they are too few for it.
 */
function watchTogether(
  condition: TogetherCondition,
  leaf: string,
  site: string,
  all: readonly Sensor[],
  state: ChannelWatchState | TogetherWatchState | undefined,
): { channel: TogetherWatch; targets: (Omit<Target, 'station'> & { sensor: string })[] } | null {
  const sensors = condition.channels.flatMap((channel) =>
    all.filter((sensor) => sensor.site === site && sensor.channel === channel),
  );
  const { minimum, maximum } = detectorNamed(condition.detector, condition.parameters).kind.channels;
  if (sensors.length < Math.max(1, minimum)) return null;
  sensors.length = Math.min(sensors.length, maximum);
  const channel = new TogetherWatch({
    ...{ condition, leaf, site, sensors },
    ...(state === undefined ? {} : { state: state as TogetherWatchState }),
  });
  return {
    channel,
    targets: sensors.map(({ id }, index) => ({ sensor: id, channel, index, ...AS_IT_IS })),
  };
}

/** Every condition of a plan with its path in the document. */
export function* conditionsOf(
  document: PlanDocument,
): Generator<{ readonly condition: Condition; readonly path: string }> {
  yield* walkConditions(document.detect, 'detect');
  for (const [index, rule] of document.classify.scale.entries()) {
    yield* walkConditions(rule.when, `classify.scale.${index}.when`);
  }
  const { resolvedWhen, resolvedWhenBySeverity = {}, escalateWhen } = document.evaluate;
  yield* walkConditions(resolvedWhen, 'evaluate.resolvedWhen');
  for (const [severity, condition] of Object.entries(resolvedWhenBySeverity)) {
    yield* walkConditions(condition, `evaluate.resolvedWhenBySeverity.${severity}`);
  }
  if (escalateWhen !== undefined) yield* walkConditions(escalateWhen, 'evaluate.escalateWhen');
}

/** Paths of the conditions whose holding helps to end an incident, or to keep one from opening: `not` turns it round. */
function reassuringPaths({ detect, classify, evaluate }: PlanDocument): Set<string> {
  const paths = new Set<string>();
  const visit = (condition: Condition, path: string, reassures: boolean): void => {
    if (reassures) paths.add(path);
    const inner = condition.when === 'not' ? !reassures : reassures;
    if ('of' in condition) condition.of.forEach((part, n) => visit(part, `${path}.of.${n}`, inner));
  };
  visit(detect, 'detect', false);
  for (const [n, rule] of classify.scale.entries()) visit(rule.when, `classify.scale.${n}.when`, false);
  visit(evaluate.resolvedWhen, 'evaluate.resolvedWhen', true);
  for (const [severity, condition] of Object.entries(evaluate.resolvedWhenBySeverity ?? {})) {
    visit(condition, `evaluate.resolvedWhenBySeverity.${severity}`, true);
  }
  if (evaluate.escalateWhen !== undefined) visit(evaluate.escalateWhen, 'evaluate.escalateWhen', false);
  return paths;
}

const isUnder = (root: string, path: string): boolean => path === root || path.startsWith(`${root}.`);

/** A located bulletin as an event of a sequence; without a magnitude it is as weak as can be. */
function eventOf(evidence: Evidence): SequenceEvent | null {
  if (evidence.kind !== 'bulletin' || evidence.bulletin.position === null) return null;
  return {
    position: evidence.bulletin.position,
    magnitude: numberOf(evidence.bulletin, 'magnitude') ?? 0,
    atMs: evidence.atMs,
  };
}

const begun = (event: SequenceEvent): Sequence => ({
  strongest: { position: event.position, magnitude: event.magnitude },
  firstAtMs: event.atMs,
  lastAtMs: event.atMs,
});

const suppressed = (plan: PinnedPlan, reason: SuppressedBecause, evidence: Evidence): Found => ({
  kind: 'suppressed',
  rule: `${plan.document.id}@${plan.hash}`,
  reason,
  evidence,
});

/** What detection needs of an incident that a detection opens. */
export function openedBy(detection: Detection, plan: PinnedPlan): OpenIncident {
  const sequence = sequenceIn(detection.evidence);
  return {
    incidentId: incidentIdOf(detection),
    hazard: detection.hazard,
    placeId: detection.place.id,
    planId: plan.document.id,
    planHash: plan.hash,
    ...(sequence === undefined ? {} : { sequence }),
  };
}

/** What detection needs of an incident as the store shows it. */
export function openIncidentOf(incident: {
  readonly incidentId: string;
  readonly hazard: string;
  readonly place: Place;
  readonly planId: string;
  readonly planHash: string;
  readonly situation: { readonly evidence: readonly Evidence[] };
}): OpenIncident {
  const sequence = sequenceIn(incident.situation.evidence);
  return {
    incidentId: incident.incidentId,
    hazard: incident.hazard,
    placeId: incident.place.id,
    planId: incident.planId,
    planHash: incident.planHash,
    ...(sequence === undefined ? {} : { sequence }),
  };
}

function sequenceIn(evidence: readonly Evidence[]): Sequence | undefined {
  let sequence: Sequence | undefined;
  for (const item of evidence) {
    const event = eventOf(item);
    if (event !== null) sequence = sequence === undefined ? begun(event) : extended(sequence, event);
  }
  return sequence;
}
