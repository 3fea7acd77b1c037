import type { Command } from 'commander';
import { loadConfig } from '../config.ts';

interface Role {
  readonly description: string;
  readonly run: () => Promise<{ run(loaded: ReturnType<typeof loadConfig>): Promise<void> }>;
}

const roles: Readonly<Record<string, Role>> = {
  ingest: { description: 'take in events over gRPC', run: () => import('../roles/ingest.ts') },
  api: { description: 'serve the HTTP API and the console', run: () => import('../roles/api.ts') },
  worker: { description: 'run workflows and activities', run: () => import('../roles/worker.ts') },
  jobs: { description: 'keep house: bundles, disk', run: () => import('../roles/jobs.ts') },
};

/** One role in a process of its own, for production: Temporal and the store are given. */
export function declare(program: Command, noun: string): void {
  const role = roles[noun]!;
  program
    .command(noun)
    .description(role.description)
    .addHelpText(
      'after',
      `\nExample:\n  $ MONGODB_URI=mongodb://db/ TEMPORAL_ADDRESS=temporal:7233 tocsin ${noun}`,
    )
    .action(async () => {
      const { run } = await role.run();
      await run(loadConfig());
    });
}
