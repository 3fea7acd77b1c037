import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { stringify } from 'smol-toml';
import type { LoadedConfig } from './config.ts';

/**
 * How to connect to Temporal: the profile of `temporal.yaml` with TEMPORAL_* over it, read by Temporal's own
 * loader, so that every variable of theirs means here what it means everywhere.
 */
export function temporalConnection(
  loaded: LoadedConfig,
  env: NodeJS.ProcessEnv = process.env,
): ClientConnectConfig & { readonly namespace: string } {
  const { TEMPORAL_PROFILE: _ours, ...rest } = env;
  const settings = loadClientConnectConfig({
    configSource: { data: profilesAsToml(loaded) },
    profile: loaded.profileName,
    configFileStrict: true,
    overrideEnvVars: Object.fromEntries(
      Object.entries(rest).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  });
  return { ...settings, namespace: settings.namespace ?? 'default' };
}

/** The profiles in the format of the Temporal CLI's `temporal.toml`. */
export function profilesAsToml({ config }: LoadedConfig): string {
  return stringify({ profile: config.profile });
}
