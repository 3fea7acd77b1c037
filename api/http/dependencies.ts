import type { Logger } from 'pino';
import type { Finding, PlanDocument } from '../../domain/plan/document.ts';
import type { Stores } from '../../domain/ports.ts';
import type { Mode } from '../../domain/units.ts';
import type { SensorHealthReader } from '../ingest/sensor-health.ts';
import type { ChangeFeed } from './change-feed.ts';
import type { Responses } from './responses.ts';

/** What the routers need. */
export interface Dependencies {
  readonly stores: Omit<Stores, 'fence' | 'principals'>;
  readonly sensorHealth: SensorHealthReader;
  readonly responses: Responses;
  readonly changes: ChangeFeed;
  /** Against the roster and the recognisers of this installation. */
  readonly checkPlan: (document: PlanDocument) => Promise<readonly Finding[]>;
  /** One entry per thing the API cannot work without: true, or why not. */
  readonly ready: () => Promise<Readonly<Record<string, true | string>>>;
  readonly log: Logger;
  /** Wall time. */
  readonly now: () => number;
  readonly version: string;
  /** The mode this installation runs in; null when it runs both. */
  readonly mode: Mode | null;
  readonly webUi: WebUi | null;
}

/** Where people look at workflows. */
export interface WebUi {
  /** Without a slash at the end: `http://127.0.0.1:8233`. */
  readonly base: string;
  readonly namespace: string;
}
