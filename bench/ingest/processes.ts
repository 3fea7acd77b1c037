import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { ClientResult, ClientTask } from './client.ts';
import type { ServerOptions, ServerReport } from './server.ts';

const TSX = ['--import', 'tsx'];
const children = new Set<ChildProcess>();

/** Ends what a failure left running. */
export function stopAll(): void {
  for (const child of children) child.kill('SIGKILL');
}

function start(file: string, args: readonly string[]): ChildProcess {
  const child = fork(path.join(import.meta.dirname, file), args, { execArgv: TSX, stdio: 'inherit' });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

const answer = <T>(child: ChildProcess): Promise<T> =>
  new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('The process ended without an answer.'));
    child.once('exit', ended);
    child.once('message', (message: T & { error?: string }) => {
      child.off('exit', ended);
      if (message.error === undefined) resolve(message);
      else reject(new Error(message.error));
    });
  });

export interface BenchServer {
  readonly port: number;
  report(): Promise<ServerReport>;
  /** Memory now, and CPU time since the start. */
  usage(): Promise<{ readonly rssBytes: number; readonly cpuMs: number }>;
  stop(): void;
}

export async function startServer(options: ServerOptions | 'echo'): Promise<BenchServer> {
  const child =
    options === 'echo' ? start('echo-server.ts', []) : start('server.ts', [JSON.stringify(options)]);
  const { port } = await answer<{ port: number }>(child);
  return {
    port,
    report() {
      child.send('report');
      return answer(child);
    },
    usage() {
      child.send('usage');
      return answer(child);
    },
    stop: () => void child.kill('SIGKILL'),
  };
}

export interface BenchClient {
  run(task: ClientTask): Promise<ClientResult>;
  stop(): void;
}

export function startClient(): BenchClient {
  const child = start('client.ts', []);
  return {
    run(task) {
      child.send(task);
      return answer(child);
    },
    stop: () => void child.kill('SIGKILL'),
  };
}
