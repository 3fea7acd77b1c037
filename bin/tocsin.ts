import { Command, CommanderError } from 'commander';
import { explainFailure } from './command-line.ts';
import { EXIT } from './exit-codes.ts';

interface Noun {
  readonly summary: string;
  /** Loaded only when it is named: help must not wait for a database driver. */
  readonly load: () => Promise<{ declare(program: Command, noun: string): void }>;
}

const nouns: Readonly<Record<string, Noun>> = {
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

// `tocsin ... | head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

const [asked] = process.argv.slice(2);
const program = new Command('tocsin')
  .description('Runs emergency plans: detect, classify, dispatch, evaluate, refine.')
  .version('0.1.0')
  .exitOverride()
  .showSuggestionAfterError()
  .addHelpText(
    'after',
    `
Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 unavailable.

Example:
  $ tocsin start --once --speed max`,
  );

for (const [name, { summary, load }] of Object.entries(nouns)) {
  if (name === asked) (await load()).declare(program, name);
  else program.command(name).summary(summary).description(summary);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said it already.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    process.exitCode = explainFailure(error, process.argv.includes('--json'));
  }
}
