import type {
  Bulletin,
  BulletinEvidence,
  Detection,
  Evidence,
  Place,
  ReadingsEvidence,
} from '../evidence.ts';
import { incidentIdOf, windowOf } from '../evidence.ts';
import { canonicalJson } from '../canonical.ts';
import type {
  Condition,
  NetworkCondition,
  PlanDocument,
  ReadingsCondition,
  TogetherCondition,
} from '../plan/document.ts';
import { misfitOf } from '../forecast/trained.ts';
import type { RegisteredForecaster } from '../forecast/trained.ts';
import { inPieces } from '../pieces.ts';
import type { Sensor } from '../ports.ts';
import { silentAfterMs } from '../ingest/health.ts';
import type { Conversion } from '../ingest/units.ts';
import { conversionOf } from '../ingest/units.ts';
import type { EpochMs } from '../units.ts';
import { evaluateCondition, walkConditions } from './condition.ts';
import { detectorNamed } from './detectors.ts';
import { distanceKm } from './geo.ts';
import { effectsOf, numberOf } from './intensity.ts';
import { alertedIn, alertedOf, alertJoins, isSameEvent, joinsAlerted } from './network-sequence.ts';
import type { Alerted } from './network-sequence.ts';
import { extended, joins } from './sequence.ts';
import type { Sequence, SequenceEvent } from './sequence.ts';
import { ChannelWatch } from './watch-channel.ts';
import type { ChannelWatchState, WatchedCondition } from './watch-channel.ts';
import { NetworkWatch } from './watch-network.ts';
import type {
  AxisSensor,
  ClockDoubt,
  NetworkTurn,
  NetworkWatchState,
  WaveformReceived,
} from './watch-network.ts';
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
  /** The earthquake of a seismic network's last alert in it. */
  readonly alerted?: Alerted;
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

/** The conditions that hear a sensor. */
export type Listening = readonly Target[];

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
    }
  /** A station's clock is not believed any more. */
  | { readonly kind: 'doubt'; readonly doubt: ClockDoubt };

export type SuppressedBecause = 'too-late' | 'no-place-of-care' | 'site-unknown';

export interface WatchOptions {
  readonly tenant: string;
  /** The active version of each plan. */
  readonly plans: readonly PinnedPlan[];
  /** Versions that open incidents are pinned to, where they differ from the active ones. */
  readonly pinned?: readonly PinnedPlan[];
  readonly places: readonly Place[];
  /** Trained forecasts in use, by name. */
  readonly forecasters?: ReadonlyMap<string, RegisteredForecaster>;
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
  /** Seismic networks, by what they listen to and how; absent in states of the first releases. */
  readonly networks?: Readonly<Record<string, NetworkWatchState>>;
  /** The last turn of each network condition, by plan hash, then by leaf. */
  readonly networkTransitions?: Readonly<Record<string, Readonly<Record<string, ReadingsEvidence>>>>;
}

/**
 * Detection for one tenant: everything acknowledged goes in, in the order of the archive, and what it means for
 * incidents comes out. Telemetry ends here: incidents get digests. The same inputs in the same order always give
 * the same answers, so whatever was not delivered yet may be run again.
 */
export interface Watch {
  acceptBulletin(received: BulletinReceived): Found[];
  acceptReadings(received: ReadingsReceived): Found[];
  /** What listens to a sensor, for `acceptRun`: it holds for as long as the watch does. */
  listening(sensor: string): Listening;
  /** `acceptReadings` for readings `from` to `to` of columns that are shared by many sensors. */
  acceptRun(columns: ReceivedColumns, listening: Listening, from: number, to: number): readonly Found[];
  /** Shows a block to the seismic networks that its sensor is part of; its readings go to `acceptReadings` besides. */
  acceptWaveform(received: WaveformReceived): readonly Found[];
  /** An incident that somebody else opened, or that was open before this process began. */
  opened(incident: OpenIncident, plan: PinnedPlan): void;
  closed(incidentId: string): void;
  /** Evidence found its incident closed: what else it means now. Call `closed` first. */
  reconsider(evidence: Evidence): Found[];
  isOpen(incidentId: string): boolean;
  /** Whether any condition hears this sensor: what no condition hears is only archived. */
  hears(sensor: string): boolean;
  /** What a restart needs to go on as if nothing had been. */
  state(): WatchState;
  /**
   * Copies the same a few sites at a time, for who may not stop for all at once. Each piece is spelt out when it is
   * called, whatever came since it was copied; see `joinWatchStates`.
   */
  capture(): Generator<() => WatchState>;
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

  const siteOf = new Map(options.sensors.map(({ id, site }) => [id, site]));
  const stations = new Map<string, Station>();
  const targets = new Map<string, Target[]>();

  const networks = new Map<string, NetworkOfPlans>();
  const networksOf = new Map<string, NetworkOfPlans[]>();
  const turned = new Map<string, Map<string, ReadingsEvidence>>();

  /** Conditions that listen to the same stations in the same way share one network, whatever plan they stand in. */
  function watchNetworks(plan: PinnedPlan): void {
    if (turned.has(plan.hash)) return;
    turned.set(plan.hash, new Map(Object.entries(options.state?.networkTransitions?.[plan.hash] ?? {})));
    for (const { condition, path } of conditionsOf(plan.document)) {
      if (condition.when !== 'networkTriggers') continue;
      const { channels, unit, parameters } = condition;
      const name = canonicalJson({ channels, unit, parameters });
      let network = networks.get(name);
      if (network === undefined) {
        const watch = new NetworkWatch(
          condition,
          axesOf(condition, options),
          options.state?.networks?.[name],
        );
        network = { watch, leaves: [] };
        networks.set(name, network);
        for (const sensor of watch.sensors) {
          const known = networksOf.get(sensor);
          if (known === undefined) networksOf.set(sensor, [network]);
          else known.push(network);
        }
      }
      network.leaves.push({ plan, leaf: path, condition });
    }
  }

  function targetsOf(sensor: string): Target[] {
    let known = targets.get(sensor);
    if (known === undefined) targets.set(sensor, (known = []));
    return known;
  }

  function watchPlan(plan: PinnedPlan): void {
    watchNetworks(plan);
    for (const site of new Set(options.sensors.map((sensor) => sensor.site))) {
      const name = `${plan.hash}|${site}`;
      if (stations.has(name)) continue;
      const station = createStation(plan, site, options, name);
      if (station.channels.length === 0) continue;
      stations.set(name, station);
      for (const { sensor, ...target } of station.targets) targetsOf(sensor).push({ station, ...target });
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
        const { sequence: rule } = document;
        const { sequence, alerted } = incident;
        if (rule === undefined || rule.bulletin !== item.bulletin.type) {
          return (
            item.effects[0]?.placeId === incident.placeId ||
            (event !== null && alerted !== undefined && isSameEvent(alerted, event))
          );
        }
        if (event === null) return false;
        if (sequence !== undefined && joins(rule, sequence, event)) return true;
        return alerted !== undefined && joinsAlerted(rule, alerted, event);
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
      const leaves = place === undefined ? {} : leavesAt(plan, place.id);
      if (!evaluateCondition(document.detect, 'detect', { evidence: [item], leaves }, item.atMs).holds)
        continue;
      if (place === undefined) found.push(suppressed(plan, 'no-place-of-care', item));
      else if (late) found.push(suppressed(plan, 'too-late', item));
      else found.push(opens(plan, place, [item], item.atMs));
    }
    return found;
  }

  /** What the conditions of a plan say at a site, those that know no site among them. */
  const leavesAt = (plan: PinnedPlan, site: string): Record<string, LeafState> => ({
    ...stations.get(`${plan.hash}|${site}`)?.states(),
    ...statesOf(turned.get(plan.hash)),
  });

  /** Other conditions of a plan that hold already at a site, oldest first: a new incident must know them. */
  const heldBefore = (plan: PinnedPlan, site: string, transition: ReadingsEvidence): ReadingsEvidence[] =>
    [
      ...(stations.get(`${plan.hash}|${site}`)?.transitions.values() ?? []),
      ...(turned.get(plan.hash)?.values() ?? []),
    ]
      .filter((one) => one.holds && one.leaf !== transition.leaf)
      .sort((a, b) => a.atMs - b.atMs || (a.leaf < b.leaf ? -1 : 1));

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
    const view = { evidence: [], leaves: leavesAt(plan, site) };
    if (!evaluateCondition(plan.document.detect, 'detect', view, transition.atMs).holds) return [];
    const place = places.get(site);
    if (place === undefined) return [suppressed(plan, 'site-unknown', transition)];
    return [opens(plan, place, [...heldBefore(plan, site, transition), transition], transition.atMs)];
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

  /** The open incident that an earthquake alert belongs to: at its place, or of its sequence. */
  function alertedIncident(hazard: string, site: string, alerted: Alerted): OpenIncident | undefined {
    return openFor(hazard)
      .filter((incident) => {
        if (incident.placeId === site) return true;
        const rule = plans.get(incident.planHash)?.document.sequence;
        const { sequence, alerted: before } = incident;
        if (before !== undefined) {
          const event = { position: alerted.position, atMs: alerted.originAtMs, magnitude: 0 };
          if (rule === undefined ? isSameEvent(before, event) : joinsAlerted(rule, before, event))
            return true;
        }
        return rule !== undefined && sequence !== undefined && alertJoins(rule, sequence, alerted);
      })
      .sort((a, b) => (a.incidentId < b.incidentId ? -1 : 1))[0];
  }

  /** The place of care nearest to an earthquake, or where there is none, any place; then the sites that it reached. */
  function sitesNear(alerted: Alerted, turn: NetworkTurn): Place[] {
    const nearest = (some: readonly Place[]): Place[] =>
      some
        .map((place) => ({ place, km: distanceKm(alerted.position, place) }))
        .sort((a, b) => a.km - b.km || (a.place.id < b.place.id ? -1 : 1))
        .map(({ place }) => place);
    const ofCare = options.places.filter(({ kind }) => kind === 'place-of-care');
    const reached = new Set(turn.sensors.map(({ sensor }) => siteOf.get(sensor)));
    const first = nearest(ofCare.length > 0 ? ofCare : options.places).slice(0, 1);
    return [...first, ...nearest(options.places.filter(({ id }) => reached.has(id) && id !== first[0]?.id))];
  }

  function considerTurn({ leaves }: NetworkOfPlans, turn: NetworkTurn, receivedAtMs: EpochMs): Found[] {
    const found: Found[] = [];
    const alerted = alertedOf(turn.network);
    const [nearest, ...others] = sitesNear(alerted, turn);
    const site = nearest?.id ?? '';
    const transitions = leaves.map(({ plan, leaf, condition: { channels, unit } }) => {
      const transition = evidenceOf(turn, { leaf, site, channel: channels.join('+'), unit, receivedAtMs });
      turned.get(plan.hash)!.set(leaf, transition);
      return { plan, transition };
    });
    const included = new Set<Evidence>();
    for (const { plan, transition } of transitions) {
      if (included.has(transition)) continue;
      const hazard = plan.document.covers.hazard;
      const incident = alertedIncident(hazard, site, alerted);
      if (incident !== undefined) {
        if (incident.planHash !== plan.hash) continue;
        open.set(incident.incidentId, { ...incident, alerted });
        found.push({ kind: 'evidence', incidentId: incident.incidentId, evidence: transition });
        continue;
      }
      if (!turn.holds || !active.includes(plan) || !isUnder('detect', transition.leaf)) continue;
      const holdsAt = (place: Place): boolean =>
        evaluateCondition(
          plan.document.detect,
          'detect',
          { evidence: [], leaves: leavesAt(plan, place.id) },
          transition.atMs,
        ).holds;
      if (nearest === undefined) {
        found.push(suppressed(plan, 'no-place-of-care', transition));
        continue;
      }
      const place = [nearest, ...others].find(holdsAt);
      if (place === undefined) continue;
      const evidence = [...heldBefore(plan, place.id, transition), transition];
      for (const item of evidence) included.add(item);
      found.push(opens(plan, place, evidence, transition.atMs));
    }
    return found;
  }

  function acceptWaveform(block: WaveformReceived): readonly Found[] {
    const listening = networksOf.get(block.sensor);
    if (listening === undefined) return NOTHING;
    let found: Found[] | null = null;
    for (const network of listening) {
      network.watch.push(
        block,
        (turn) => (found ??= []).push(...considerTurn(network, turn, block.receivedAtMs)),
        (doubt) => (found ??= []).push({ kind: 'doubt', doubt }),
      );
    }
    return found ?? NOTHING;
  }

  function acceptRun(
    { atMs, values, flags, observedAtMs, receivedAtMs }: ReceivedColumns,
    listening: Listening,
    from: number,
    to: number,
  ): readonly Found[] {
    if (listening.length === 0) return NOTHING;
    let found: Found[] | null = null;
    for (let n = from; n < to; n++) {
      let turned: { station: Station; transition: ReadingsEvidence }[] | null = null;
      for (const { station, channel, index, scale, offset } of listening) {
        const value = values[n]! * scale + offset;
        const turns = channel.push(index, atMs[n]!, value, receivedAtMs, flags[n], observedAtMs[n]);
        for (const transition of turns) {
          station.transitions.set(transition.leaf, transition);
          (turned ??= []).push({ station, transition });
        }
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
      return [...acceptRun(columns, targets.get(sensor) ?? [], 0, values.length)];
    },
    listening: targetsOf,
    acceptRun,
    acceptWaveform,
    opened(incident, plan) {
      plans.set(plan.hash, plan);
      watchPlan(plan);
      if (!open.has(incident.incidentId)) open.set(incident.incidentId, incident);
    },
    closed: (incidentId) => void open.delete(incidentId),
    reconsider(evidence) {
      if (evidence.kind === 'bulletin') return considerBulletin(evidence, false);
      if (!evidence.holds) return [];
      // The shaking of which it told began in another incident; the network's next alert is for the next.
      if (evidence.network !== undefined) return [];
      return active.flatMap((plan) => {
        const station = stations.get(`${plan.hash}|${evidence.site}`);
        return station === undefined ? [] : considerTransition(station, evidence);
      });
    },
    isOpen: (incidentId) => open.has(incidentId),
    hears: (sensor) => (targets.get(sensor)?.length ?? 0) > 0 || networksOf.has(sensor),
    state: () => joinWatchStates([...capture()].map((spell) => spell())),
    capture,
  };

  function* capture(): Generator<() => WatchState> {
    const openNow = [...open.values()];
    const turnedNow = [...turned].map(([hash, leaves]) => [hash, Object.fromEntries(leaves)] as const);
    yield () => ({
      ...NOTHING_REMEMBERED,
      open: openNow,
      ...(networks.size === 0 ? {} : { networkTransitions: Object.fromEntries(turnedNow) }),
    });
    for (const [name, { watch }] of networks) {
      // A network gives away what it goes on working with.
      const state = structuredClone(watch.state());
      yield () => ({ ...NOTHING_REMEMBERED, networks: { [name]: state } });
    }
    for (const some of inPieces([...stations], STATIONS_OF_A_PIECE)) {
      const copies = some.map(([name, station]) => ({
        name,
        channels: station.channels.map((channel) => channel.capture()),
        transitions: new Map(station.transitions),
      }));
      yield () => ({
        ...NOTHING_REMEMBERED,
        channels: Object.fromEntries(
          copies.map(({ name, channels }) => [name, Object.assign({}, ...channels.map((spell) => spell()))]),
        ),
        transitions: Object.fromEntries(
          copies.map(({ name, transitions }) => [name, Object.fromEntries(transitions)]),
        ),
      });
    }
  }
}

const NOTHING_REMEMBERED: WatchState = { open: [], channels: {}, transitions: {} };
const STATIONS_OF_A_PIECE = 16;

/** Puts together what `Watch.capture` took apart. */
export function joinWatchStates(pieces: Iterable<WatchState>): WatchState {
  const open: OpenIncident[] = [];
  const channels: Record<string, WatchState['channels'][string]> = {};
  const transitions: Record<string, WatchState['transitions'][string]> = {};
  const networks: Record<string, NetworkWatchState> = {};
  let rest: Omit<WatchState, 'open' | 'channels' | 'transitions' | 'networks'> = {};
  for (const { open: some, channels: ofSome, transitions: turns, networks: heard, ...others } of pieces) {
    open.push(...some);
    Object.assign(networks, heard);
    Object.assign(channels, ofSome);
    Object.assign(transitions, turns);
    rest = { ...rest, ...others };
  }
  return { open, channels, transitions, ...(Object.keys(networks).length > 0 ? { networks } : {}), ...rest };
}

/** A seismic network and the conditions that ask it. */
interface NetworkOfPlans {
  readonly watch: NetworkWatch;
  readonly leaves: {
    readonly plan: PinnedPlan;
    readonly leaf: string;
    readonly condition: NetworkCondition;
  }[];
}

/** The sensors on a network condition's channels, in its unit, where they stand. */
function axesOf({ channels, unit }: NetworkCondition, { sensors, places }: WatchOptions): AxisSensor[] {
  const sites = new Map(places.map((place) => [place.id, place]));
  return sensors.flatMap(({ id, vendor, channel, unit: own, position, site }) => {
    const conversion = channels.includes(channel) ? conversionOf(own, unit, channel) : null;
    const stands = position ?? sites.get(site);
    if (conversion === null || stands === undefined) return [];
    const { latitudeDeg, longitudeDeg } = stands;
    return [{ id, vendor, channel, position: { latitudeDeg, longitudeDeg }, ...conversion }];
  });
}

const evidenceOf = (
  { holds, atMs, windowStartMs, sensors, network }: NetworkTurn,
  rest: Pick<ReadingsEvidence, 'leaf' | 'site' | 'channel' | 'unit' | 'receivedAtMs'>,
): ReadingsEvidence => ({
  kind: 'readings',
  key: `${rest.site}|${rest.leaf}|${atMs}|${holds}`,
  atMs,
  receivedAtMs: rest.receivedAtMs,
  site: rest.site,
  leaf: rest.leaf,
  holds,
  channel: rest.channel,
  unit: rest.unit,
  sensors,
  windowStartMs,
  windowEndMs: atMs,
  network,
});

interface LeafState {
  readonly holds: boolean;
  readonly sinceMs: EpochMs;
}

const statesOf = (
  transitions: ReadonlyMap<string, ReadingsEvidence> | undefined,
): Record<string, LeafState> =>
  Object.fromEntries(
    [...(transitions ?? [])].map(([leaf, { holds, atMs }]) => [leaf, { holds, sinceMs: atMs }]),
  );

/** One plan at one site. */
interface Station {
  readonly plan: PinnedPlan;
  readonly site: string;
  readonly channels: readonly (ChannelWatch | TogetherWatch)[];
  /** The last transition of each leaf. */
  readonly transitions: Map<string, ReadingsEvidence>;
  readonly targets: readonly (Omit<Target, 'station'> & { readonly sensor: string })[];
  states(): Record<string, LeafState>;
}

/** A sensor in what watches it, and what carries its values into the unit of the conditions there. */
interface Target extends Conversion {
  readonly station: Station;
  readonly channel: ChannelWatch | TogetherWatch;
  readonly index: number;
}

function createStation(plan: PinnedPlan, site: string, options: WatchOptions, name: string): Station {
  const channels: (ChannelWatch | TogetherWatch)[] = [];
  const targets: (Omit<Target, 'station'> & { sensor: string })[] = [];
  const transitions = new Map(Object.entries(options.state?.transitions[name] ?? {}));
  const known = options.state?.channels[name] ?? {};
  const reassuring = reassuringPaths(plan.document);
  const alone = new Map<string, WatchedCondition[]>();
  for (const { condition, path } of conditionsOf(plan.document)) {
    if (condition.when === 'networkTriggers') continue;
    if ('channels' in condition) {
      const together = watchTogether(condition, path, site, options.sensors, known[path]);
      if (together === null) continue;
      channels.push(together.channel);
      targets.push(...together.targets);
      continue;
    }
    if (!('channel' in condition)) continue;
    const watched: WatchedCondition = {
      condition,
      leaf: path,
      reassures: reassuring.has(path),
      forecaster: forecasterFor(condition, options),
      state: known[path] as ChannelWatchState | undefined,
    };
    const key = JSON.stringify([condition.channel, condition.unit]);
    alone.set(key, [...(alone.get(key) ?? []), watched]);
  }
  for (const conditions of alone.values()) {
    const { channel: measured, unit } = conditions[0]!.condition;
    const sensors = options.sensors
      .filter((sensor) => sensor.site === site && sensor.channel === measured)
      .map((sensor) => ({ sensor, conversion: conversionOf(sensor.unit, unit, sensor.channel) }))
      .filter((one): one is { sensor: Sensor; conversion: Conversion } => one.conversion !== null);
    if (sensors.length === 0) continue;
    const channel = new ChannelWatch({
      site,
      conditions,
      sensors: sensors.map(({ sensor }): WatchedSensor => {
        const { id, vendor } = sensor;
        const every = sensor.samplingHz ? { everyMs: 1_000 / sensor.samplingHz } : {};
        return { id, vendor, silentAfterMs: silentAfterMs(sensor), ...every };
      }),
    });
    channels.push(channel);
    sensors.forEach(({ sensor, conversion }, index) =>
      targets.push({ sensor: sensor.id, channel, index, ...conversion }),
    );
  }
  return {
    plan,
    site,
    channels,
    transitions,
    targets,
    states: () => statesOf(transitions),
  };
}

/** Only one that fits: with another, the sensor's own past stands in. */
function forecasterFor(
  condition: ReadingsCondition,
  { forecasters }: WatchOptions,
): RegisteredForecaster | undefined {
  if (!('probability' in condition) || condition.forecaster === undefined) return undefined;
  const registered = forecasters?.get(condition.forecaster);
  return registered === undefined || misfitOf(registered, condition) !== null ? undefined : registered;
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
  const alerted = alertedIn(detection.evidence);
  return {
    incidentId: incidentIdOf(detection),
    hazard: detection.hazard,
    placeId: detection.place.id,
    planId: plan.document.id,
    planHash: plan.hash,
    ...(sequence === undefined ? {} : { sequence }),
    ...(alerted === undefined ? {} : { alerted }),
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
  const alerted = alertedIn(incident.situation.evidence);
  return {
    incidentId: incident.incidentId,
    hazard: incident.hazard,
    placeId: incident.place.id,
    planId: incident.planId,
    planHash: incident.planHash,
    ...(sequence === undefined ? {} : { sequence }),
    ...(alerted === undefined ? {} : { alerted }),
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
