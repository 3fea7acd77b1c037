import type { PlanDocument } from '../domain/plan/document.ts';
import { earthquake } from './earthquake.ts';
import { gasLeak } from './gas-leak.ts';
import { sensorOutage } from './sensor-outage.ts';

export { earthquake, gasLeak, sensorOutage };

/** The plans that come with Tocsin, by id. */
export const plans: readonly PlanDocument[] = [earthquake, gasLeak, sensorOutage];
