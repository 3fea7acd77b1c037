import path from 'node:path';
import { runToEnd } from '../../embedded/guard.mjs';
import { ROOT } from '../../bin/config.ts';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `tocsin` as a user would, with nothing of this machine's settings. */
export async function tocsin(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  timeoutMs = 60_000,
): Promise<Ran> {
  const lines = { stdout: [] as string[], stderr: [] as string[] };
  const kept = ['PATH', 'HOME', 'NODE_EXTRA_CA_CERTS'].map((name) => [name, process.env[name]]);
  const { code } = await runToEnd(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), path.join(ROOT, 'bin', 'tocsin.ts'), ...args],
    {
      cwd: ROOT,
      env: { ...Object.fromEntries(kept), NO_COLOR: '1', ...env },
      timeoutMs,
      onLine: (line, stream) => void lines[stream].push(line),
    },
  );
  return { code, stdout: lines.stdout.join('\n'), stderr: lines.stderr.join('\n') };
}
