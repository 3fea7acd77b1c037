import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { limitHeapGrowth } from '../../api/ingest/memory.ts';
import type { IngestLimits } from '../../api/ingest/limits.ts';
import { callDoor, openDoor } from './door.ts';
import type { DoorCalls } from './door.ts';

/** A door in a process of its own, so that its memory is nobody else's. */
export interface DoorProcess extends DoorCalls {
  readonly address: string;
  look(): Promise<DoorLook>;
  stop(): Promise<void>;
}

export interface DoorLook {
  /** Resident, MB: the least of some looks, each after a collection. Sockets and buffers go in their own time. */
  readonly rssMb: number;
  /** What is reachable, MB: in the heap, and outside of it. */
  readonly heapMb: number;
  readonly complaints: readonly string[];
}

const LOOKS = 10;

export async function startDoorProcess(limits: Partial<IngestLimits>): Promise<DoorProcess> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(limits)], {
    execArgv: ['--import', 'tsx', '--expose-gc'],
  });
  const answer = async <T>(): Promise<T> => {
    const [message] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error('The door has ended.'))),
    ])) as [T];
    return message;
  };
  const address = await answer<string>();
  const { close, ...calls } = callDoor(address);
  return {
    ...calls,
    address,
    look() {
      child.send('look');
      return answer();
    },
    async stop() {
      close();
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

async function look(complaints: readonly string[]): Promise<DoorLook> {
  let least = { rssMb: Infinity, heapMb: Infinity };
  for (let n = 0; n < LOOKS; n++) {
    await delay(200);
    globalThis.gc!();
    const { rss, heapUsed, external } = process.memoryUsage();
    least = {
      rssMb: Math.min(least.rssMb, Math.round(rss / 2 ** 20)),
      heapMb: Math.min(least.heapMb, Math.round((heapUsed + external) / 2 ** 20)),
    };
  }
  return { ...least, complaints };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  limitHeapGrowth();
  const door = await openDoor({ limits: JSON.parse(process.argv[2]!) as Partial<IngestLimits> });
  process.on('message', () => void look(door.complaints).then((seen) => process.send!(seen)));
  // The parent is gone, however it went.
  process.on('disconnect', () => process.exit());
  process.send!(door.address);
}
