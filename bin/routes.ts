import { segment } from './client.ts';

/** The API's paths that the command line calls. An id with slashes is one segment. */
export const ROUTES = {
  incidents: '/v1/incidents',
  incident: (id: string) => `/v1/incidents/${segment(id)}`,
  facts: (id: string) => `/v1/incidents/${segment(id)}/facts`,
  answers: (id: string) => `/v1/incidents/${segment(id)}/answers`,
  labels: (id: string) => `/v1/incidents/${segment(id)}/labels`,
  commands: (id: string) => `/v1/incidents/${segment(id)}/commands`,
  changes: '/v1/changes',
  plans: '/v1/plans',
  plan: (id: string) => `/v1/plans/${segment(id)}`,
  versions: (id: string) => `/v1/plans/${segment(id)}/versions`,
  version: (id: string, hash: string) => `/v1/plans/${segment(id)}/versions/${hash}`,
  activations: (id: string) => `/v1/plans/${segment(id)}/activations`,
  evaluations: (id: string) => `/v1/plans/${segment(id)}/evaluations`,
  proposals: '/v1/proposals',
  decision: (id: string) => `/v1/proposals/${segment(id)}/decision`,
  recognisers: '/v1/recognisers',
  recogniser: (name: string) => `/v1/recognisers/${segment(name)}`,
  recogniserVersion: (name: string, hash: string) => `/v1/recognisers/${segment(name)}/${segment(hash)}`,
  units: '/v1/units',
  sensors: '/v1/sensors',
  sensor: (id: string) => `/v1/sensors/${segment(id)}`,
} as const;
