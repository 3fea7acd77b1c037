import type { Command } from 'commander';
import pc from 'picocolors';
import { leaf } from '../command-line.ts';
import { loadConfig, masked } from '../config.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { print, printJson, say, table } from '../output.ts';

export function declare(program: Command): void {
  const config = program.command('config').description('show the settings and where they come from');
  leaf(config, 'show', 'print each setting, its value and its source', 'tocsin config show').action(
    showConfig,
  );
  leaf(
    config,
    'export',
    'write the Temporal profiles for the Temporal CLI',
    'tocsin config export --toml > temporal.toml',
  )
    .option('--toml', 'in the format of temporal.toml')
    .action(exportProfiles);
}

function showConfig(options: { json?: boolean }): void {
  const { entries, file, profileName, unknownVariables } = loadConfig();
  const shown = entries.map((entry) => ({ key: entry.key, value: masked(entry), source: entry.source }));
  if (options.json) return printJson({ file, profile: profileName, settings: shown, unknownVariables });
  print(
    table(
      ['setting', 'value', 'source'],
      shown.map(({ key, value, source }) => [
        key,
        String(value),
        source === 'default' ? pc.dim(source) : source,
      ]),
    ),
  );
  for (const name of unknownVariables) {
    say(`The variable ${name} means nothing to Tocsin. See .env.example for those that do.`);
  }
}

async function exportProfiles(options: { toml?: boolean; json?: boolean }): Promise<void> {
  if (!options.toml) {
    throw new CommandFailed(
      EXIT.usage,
      'FORMAT_MISSING',
      'Say in which format: tocsin config export --toml.',
    );
  }
  const { profilesAsToml } = await import('../temporal-profile.ts');
  const toml = profilesAsToml(loadConfig());
  if (options.json) printJson({ toml });
  else print(toml.trimEnd());
}
