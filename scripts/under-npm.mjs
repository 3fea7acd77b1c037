/**
 * Calls `stop` when npm, which started this script, has gone without a word. (The scripts of package.json say
 * `exec`, so that npm is our parent and not a shell between.) A shell, on the other hand, may go and mean us to
 * stay: without npm nothing is watched.
 */
export function whenNpmIsGone(stop) {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, 500);
  watch.unref();
}
