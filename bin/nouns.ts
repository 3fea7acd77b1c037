import type { Command } from 'commander';

interface Noun {
  readonly summary: string;
  /** Loaded only when it is named: help must not wait for a database driver. */
  readonly load: () => Promise<{ declare(program: Command, noun: string): void }>;
}

/** Everything that can stand after `tocsin`. */
export const NOUNS: Readonly<Record<string, Noun>> = {
  start: { summary: 'run everything on this machine', load: () => import('./commands/start.ts') },
  demo: { summary: 'play the week against a running Tocsin', load: () => import('./commands/demo.ts') },
  plan: { summary: 'check, rehearse, publish and decide on plans', load: () => import('./commands/plan.ts') },
  incident: { summary: 'watch and steer incidents', load: () => import('./commands/incident.ts') },
  audit: { summary: 'export, verify and replay the evidence', load: () => import('./commands/audit.ts') },
  recogniser: {
    summary: 'list, train and activate recognisers',
    load: () => import('./commands/recogniser.ts'),
  },
  detect: { summary: 'run and judge detectors on recorded data', load: () => import('./commands/detect.ts') },
  forecast: {
    summary: 'train, judge and run forecasts for early warning',
    load: () => import('./commands/forecast.ts'),
  },
  vendor: {
    summary: 'admit vendors, replay feeds, check servers and clients',
    load: () => import('./commands/vendor.ts'),
  },
  sensor: { summary: 'see which sensors can be relied on', load: () => import('./commands/sensor.ts') },
  roster: { summary: 'import and list units', load: () => import('./commands/roster.ts') },
  doctor: {
    summary: 'look at what runs and what stands in the way',
    load: () => import('./commands/doctor.ts'),
  },
  config: {
    summary: 'show the settings and where they come from',
    load: () => import('./commands/config.ts'),
  },
  ingest: { summary: 'role: take in events over gRPC', load: () => import('./commands/role.ts') },
  api: { summary: 'role: serve the HTTP API and the console', load: () => import('./commands/role.ts') },
  worker: { summary: 'role: run workflows and activities', load: () => import('./commands/role.ts') },
  jobs: { summary: 'role: housekeeping', load: () => import('./commands/role.ts') },
};
