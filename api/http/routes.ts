import { approvalRoutes } from './approvals.ts';
import type { ChangeStreamOptions } from './changes.ts';
import { changeRoutes } from './changes.ts';
import type { Dependencies } from './dependencies.ts';
import { forecasterRoutes } from './forecasters.ts';
import { incidentRoutes } from './incidents.ts';
import { labelRoutes } from './labels.ts';
import { missionRoutes } from './missions.ts';
import { planRoutes } from './plans.ts';
import { proposalRoutes } from './proposals.ts';
import { recogniserRoutes } from './recognisers.ts';
import type { Route } from './route.ts';
import { serviceRoutes } from './service.ts';
import { siteRoutes } from './sites.ts';
import { unitRoutes } from './units.ts';

/** Every operation of the API, noun by noun. */
export function routesOf(dependencies: Dependencies, stream: ChangeStreamOptions): readonly Route[] {
  return [
    ...serviceRoutes(dependencies),
    ...incidentRoutes(dependencies),
    ...labelRoutes(dependencies),
    ...missionRoutes(dependencies),
    ...approvalRoutes(dependencies),
    ...planRoutes(dependencies),
    ...proposalRoutes(dependencies),
    ...unitRoutes(dependencies),
    ...recogniserRoutes(dependencies),
    ...forecasterRoutes(dependencies),
    ...siteRoutes(dependencies),
    ...changeRoutes(dependencies, stream),
  ];
}
