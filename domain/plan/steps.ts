import type {
  ActuateStep,
  Approval as CompiledApproval,
  EvacuateStep,
  NotifyStep,
  SendStep,
} from './document.ts';
import { toMs } from './quantities.ts';
import type { Duration, Quantity } from './quantities.ts';

/** Stands for each affected place in turn; only `forEach` hands one out. */
export interface AffectedPlace {
  readonly affectedPlace: symbol;
}

interface Situated {
  /** The place of the surrounding `forEach`; only a reader needs it said. */
  readonly at?: AffectedPlace | undefined;
}

/** A step as written: it gets its id when the plan is compiled. */
export type PlannedStep = Situated &
  (
    | (Omit<NotifyStep, 'id' | 'otherwise'> & { readonly otherwise?: PlannedStep })
    | (Omit<SendStep, 'id' | 'otherwise'> & { readonly otherwise?: PlannedStep })
    | Omit<EvacuateStep, 'id'>
    | Omit<ActuateStep, 'id'>
    | { readonly do: 'together'; readonly steps: readonly PlannedStep[] }
    | {
        readonly do: 'forEachPlace';
        readonly atLeastMmi: number;
        readonly atMost: number;
        readonly steps: readonly PlannedStep[];
        /** What `at` must name inside. */
        readonly place: AffectedPlace;
      }
    | {
        readonly do: 'procedure';
        readonly name: string;
        readonly codeHash: string;
        readonly arguments: Readonly<Record<string, string | number | boolean>>;
      }
  );

/** A person must say yes before it happens. */
export interface Approval {
  /** Role of the person asked. */
  readonly from: string;
  readonly within: Duration;
  /** What silence means. */
  readonly otherwise: 'proceed' | 'hold';
}

const compiled = ({ from, within, otherwise }: Approval): CompiledApproval => ({
  from,
  withinMs: toMs(within),
  otherwise,
});

/** Only what was given: an absent member and an undefined one must compile to the same document. */
const given = <T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;

export interface NotifyOptions extends Situated {
  /** The step waits for an acknowledgement this long. @default delivered is enough */
  readonly acknowledgedWithin?: Duration;
  /** Taken when it is not delivered or not acknowledged in time. */
  readonly otherwise?: PlannedStep;
}

/**
 * Tells somebody.
 *
 * @example
 * notify('hospital', { acknowledgedWithin: '3 minutes', otherwise: notify('ems-supervisor') })
 */
export const notify = (
  to: string,
  { acknowledgedWithin, otherwise, at }: NotifyOptions = {},
): PlannedStep => ({
  do: 'notify',
  to,
  ...given<{ acknowledgedWithinMs?: number; otherwise?: PlannedStep; at?: AffectedPlace }>({
    acknowledgedWithinMs: acknowledgedWithin === undefined ? undefined : toMs(acknowledgedWithin),
    otherwise,
    at,
  }),
});

export interface SendOptions extends Situated {
  /** @default 1 */
  readonly count?: number;
  /** All units on scene within this time of the order. */
  readonly within: Duration;
  /** Taken when they are not. The order stays wanted. */
  readonly otherwise?: PlannedStep;
}

/**
 * Sends units with a capability to the incident's place, or to the affected place of a `forEach`.
 *
 * @example
 * send('hazmat', { count: 2, within: '8 minutes', otherwise: notify('county-dispatch') })
 */
export const send = (capability: string, { count = 1, within, otherwise, at }: SendOptions): PlannedStep => ({
  do: 'send',
  capability,
  count,
  withinMs: toMs(within),
  ...given<{ otherwise?: PlannedStep; at?: AffectedPlace }>({ otherwise, at }),
});

export interface EvacuateOptions extends Situated {
  readonly radius: Quantity<'m'>;
  readonly approval: Approval;
}

/** Clears everybody out of a circle, after a person said yes. */
export const evacuate = ({ radius, approval, at }: EvacuateOptions): PlannedStep => ({
  do: 'evacuate',
  radiusM: radius.value,
  approval: compiled(approval),
  ...given<{ at?: AffectedPlace }>({ at }),
});

const actuate =
  (action: ActuateStep['action']) =>
  (device: string, { at, ...approval }: Approval & Situated): PlannedStep => ({
    do: 'actuate',
    device,
    action,
    approval: compiled(approval),
    ...given<{ at?: AffectedPlace }>({ at }),
  });

/**
 * Closes a valve, after a person said yes.
 *
 * @example
 * closeValve('building-main', { from: 'duty-officer', within: '1 minute', otherwise: 'proceed' })
 */
export const closeValve = actuate('close-valve');
/** Opens a valve, after a person said yes. */
export const openValve = actuate('open-valve');
/** Stops the trains of a line, after a person said yes. */
export const stopTrains = actuate('stop-trains');
/** Takes the power off a feeder, after a person said yes. */
export const shutPower = actuate('shut-power');

/** Steps that begin at the same time; the next step waits for all of them. */
export const together = (...steps: readonly PlannedStep[]): PlannedStep => ({ do: 'together', steps });

export interface AffectedPlaces {
  readonly atLeastMmi: number;
  readonly atMost: number;
}

/**
 * Places of care where at least this intensity is expected, most affected first.
 *
 * @example
 * affectedPlaces({ atLeast: mmi(6), atMost: 5 })
 */
export const affectedPlaces = ({
  atLeast,
  atMost,
}: {
  readonly atLeast: Quantity<'MMI'>;
  /** A bound: one notice must not order the units of a whole country. */
  readonly atMost: number;
}): AffectedPlaces => ({ atLeastMmi: atLeast.value, atMost });

/** The steps once for each place, all places at the same time. */
export function forEach(
  { atLeastMmi, atMost }: AffectedPlaces,
  steps: (place: AffectedPlace) => readonly PlannedStep[],
): PlannedStep {
  const place: AffectedPlace = { affectedPlace: Symbol('place') };
  return { do: 'forEachPlace', atLeastMmi, atMost, steps: steps(place), place };
}

/**
 * A custom step: a child workflow in `plans/procedures/`, pinned by its code's hash.
 *
 * @param codeHash lower-case hex SHA-256 of the procedure's code
 */
export const procedure = (
  name: string,
  {
    codeHash,
    arguments: values = {},
  }: {
    readonly codeHash: string;
    readonly arguments?: Readonly<Record<string, string | number | boolean>>;
  },
): PlannedStep => ({ do: 'procedure', name, codeHash, arguments: values });
