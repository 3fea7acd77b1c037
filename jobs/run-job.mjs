/*
 * What bree starts: a thread that loads TypeScript, puts the job's context together, runs the job once and ends.
 *
 * workerData.appointment (set by the jobs role): `job`, its `file`, `everyMs`, and `context`, the file that exports
 * `openJobContext`. It is named and not imported: jobs know nothing of stores, and the role that composes them does.
 */
import { pathToFileURL } from 'node:url';
import { threadId, workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
const { job, file, everyMs, context } = workerData.appointment;
const load = (path) => import(pathToFileURL(path).href);
const { openJobContext } = await load(context);
const { runOnce } = await load(new URL('./run-once.ts', import.meta.url).pathname);
const opened = await openJobContext(job);
try {
  const holder = `${process.pid}/${threadId}`;
  await runOnce({ job, everyMs, holder }, opened, (await load(file)).run);
} finally {
  await opened.close();
}
