/** Places at which a test may kill the process, between a message's arrival and the incident it reaches. */
export const FAILPOINTS = [
  'validated',
  'before-quarantine',
  'after-quarantine',
  'before-archive',
  'after-archive',
  'before-ack',
  'after-ack',
  'frame-read',
  'frame-detected',
  'asides-put',
  'inbox-put',
  'position-saved',
  'incident-told',
  'inbox-removed',
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

const [armed, hits] = (process.env['TOCSIN_FAILPOINT'] ?? '').split(':');
let left = Number(hits ?? 1);

/**
 * Kills the process, as `kill -9` would, when TOCSIN_FAILPOINT says `<name>:<n>` and it comes here for the n-th time.
 * Does nothing otherwise.
 */
export function failpoint(name: Failpoint): void {
  if (name !== armed || --left > 0) return;
  process.kill(process.pid, 'SIGKILL');
}
