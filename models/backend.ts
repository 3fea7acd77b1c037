import type { Connection } from 'mongoose';
import { answered } from './deadline.ts';
import { storeFailure } from './failure.ts';

/** What answers behind the wire protocol. */
export interface Backend {
  readonly kind: 'ferretdb' | 'mongodb';
  /** Version it names; FerretDB names the MongoDB version that it imitates. */
  readonly version: string;
}

const known = new WeakMap<Connection, Promise<Backend>>();

/** Asks once per connection. @throws TocsinError STORE_UNAVAILABLE, and asks again next time */
export function backendOf(connection: Connection): Promise<Backend> {
  const asked = known.get(connection);
  if (asked !== undefined) return asked;
  const answer = ask(connection);
  known.set(connection, answer);
  answer.catch(() => known.delete(connection));
  return answer;
}

export async function isFerret(connection: Connection): Promise<boolean> {
  return (await backendOf(connection)).kind === 'ferretdb';
}

async function ask(connection: Connection): Promise<Backend> {
  try {
    const info = await answered(connection, () =>
      connection.getClient().db('admin').command({ buildInfo: 1 }),
    );
    return {
      kind: 'ferretdbFeatures' in info || 'ferretdb' in info ? 'ferretdb' : 'mongodb',
      version: String(info['version']),
    };
  } catch (error) {
    throw storeFailure(error);
  }
}
