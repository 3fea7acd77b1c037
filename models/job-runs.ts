import type { Connection } from 'mongoose';
import type { JobRunStore } from '../domain/ports.ts';
import { openCollection } from './collection.ts';
import type { Row } from './collection.ts';

/** `<job>/<slot>`. */
interface JobRunRow extends Row {
  readonly holder: string;
  readonly atMs: number;
}

/** Which runner took which slot of which job: whoever inserted first. */
export function createJobRunStore(connection: Connection): JobRunStore {
  const runs = openCollection<JobRunRow>(connection, 'jobRuns', { holder: String, atMs: Number });
  return {
    claim: ({ job, slot, holder, atMs }) => runs.insert({ _id: `${job}/${slot}`, holder, atMs }),
  };
}
