import type { Position } from '../units.ts';
import type { RegisteredForecasterCard } from '../forecast/trained.ts';

/** What is known of where the plan will run. Each part that is absent is not checked. */
export interface CheckContext {
  /** The roster. */
  readonly units?: readonly { readonly district: string; readonly capabilities: readonly string[] }[];
  /** Names of the recognisers that have an active version. */
  readonly recognisers?: readonly string[];
  /** Forecasters that have an active version. */
  readonly forecasters?: readonly RegisteredForecasterCard[];
  /** The sensors that are registered. */
  readonly sensors?: readonly KnownSensor[];
  /** Names of the procedures that the workers carry. */
  readonly procedures?: readonly string[];
  /** Text of the plan's `basis` file; null when there is none. */
  readonly sources?: string | null;
}

/** What checks read of a registered sensor. */
export interface KnownSensor {
  readonly channel: string;
  readonly samplingHz?: number | undefined;
  readonly vendor?: string;
  readonly site?: string;
  readonly position?: Position | null;
}
