import { spawn } from 'node:child_process';
import { ROOT } from './set-up.mjs';
import { whenNpmIsGone } from './under-npm.mjs';

/**
 * Runs a TypeScript program of the project in the foreground: it has our standard streams, gets our signals, and
 * its end is ours. It also notices our end by the IPC channel, and we notice the end of npm, who started us.
 */
export function runTypeScript(script, args) {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, ...args], {
    cwd: ROOT,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => {
    process.stderr.write(`could not start ${script}: ${error.message}\n`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => {
    if (code !== null) process.exit(code);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
  whenNpmIsGone(() => child.kill('SIGTERM'));
}
