import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { cacheDirectory, isExecutable, placeInCache } from './cache.mjs';
import { runToEnd } from './guard.mjs';
import { Unavailable, findOnPath, firstThatWorks, lastWords, mustReach, versionOf } from './obtain.mjs';
import { download } from './obtain-temporal.mjs';
import { GO_VERSION, MONGOD_VERSION } from './versions.mjs';

/** The downloader's own default; its MONGOMS_ settings, such as another mirror, are respected. */
const DOWNLOAD = 'https://fastdl.mongodb.org';
const SOURCE = path.join(import.meta.dirname, 'store');

/** Finds or obtains a document store; the order is in docs/operations.md. See the .d.mts for the result. */
export async function obtainStore({
  env = process.env,
  log = () => {},
  dependencies = Promise.resolve(),
  presentOnly = false,
  keep,
} = {}) {
  // Its failure is reported by the way that needs it, if it comes to that.
  dependencies.catch(() => {});
  const platform = `${process.platform}-${process.arch}`;
  const cachedMongod = path.join(cacheDirectory(env), `mongod-${MONGOD_VERSION}-${platform}`);
  const cachedFerret = path.join(cacheDirectory(env), `tocsin-store-${sourceHash()}-${platform}`);
  const mongodAllowed = keep !== 'ferret';
  const ferretAllowed = keep !== 'mongod';
  const kept = `the data on disk was written by ${keep}`;

  const present = [
    {
      from: 'address',
      fix: 'set MONGODB_URI=mongodb://host:port to use a server that is running',
      async attempt() {
        if (!env.MONGODB_URI) throw new Unavailable('MONGODB_URI is not set');
        const shown = env.MONGODB_URI.replace(/\/\/[^@/]*@/, '//***@');
        return { uri: env.MONGODB_URI, because: `MONGODB_URI is ${shown}` };
      },
    },
    {
      from: 'PATH',
      fix: 'install MongoDB, so that `mongod` is on PATH',
      async attempt() {
        if (!mongodAllowed) throw new Unavailable(kept);
        const binary = findOnPath('mongod', env);
        if (!binary) throw new Unavailable('no `mongod` on PATH');
        return { binary, kind: 'mongod', because: `${binary}, ${await versionOf(binary, env)}` };
      },
    },
    {
      from: 'cache',
      fix: 'run `npm start` or `npm test`, which fill the cache',
      async attempt() {
        if (mongodAllowed && isExecutable(cachedMongod)) {
          return { binary: cachedMongod, kind: 'mongod', because: cachedMongod };
        }
        if (ferretAllowed && isExecutable(cachedFerret)) {
          return { binary: cachedFerret, kind: 'ferret', because: cachedFerret };
        }
        const wanted = [mongodAllowed && cachedMongod, ferretAllowed && cachedFerret].filter(Boolean);
        throw new Unavailable(
          `no ${wanted.map((file) => path.basename(file)).join(' or ')} in ${cacheDirectory(env)}`,
        );
      },
    },
  ];
  const obtained = [
    {
      from: 'download',
      fix: 'allow outgoing HTTPS to fastdl.mongodb.org, or rely on the package below',
      async attempt() {
        if (!mongodAllowed) throw new Unavailable(kept);
        await mustReach(env.MONGOMS_DOWNLOAD_MIRROR ?? DOWNLOAD, env);
        log(`downloading mongod ${MONGOD_VERSION}, checked by its published hash`);
        const build = async (workshop) => {
          const binary = await download('mongod', workshop, env, dependencies);
          // A mongod of another distribution starts only to miss its libraries.
          await versionOf(binary, env);
          return binary;
        };
        await placeInCache(cachedMongod, build, log);
        return { binary: cachedMongod, kind: 'mongod', because: `downloaded to ${cachedMongod}` };
      },
    },
    {
      from: 'package',
      fix: `cd ${SOURCE} && go build, with Go ${GO_VERSION} or newer`,
      async attempt() {
        if (!ferretAllowed) throw new Unavailable(kept);
        await placeInCache(cachedFerret, (workshop) => buildFerret(workshop, env, log), log);
        return {
          binary: cachedFerret,
          kind: 'ferret',
          because: `built from embedded/store, now ${cachedFerret}`,
        };
      },
    },
  ];
  return firstThatWorks('A document store', presentOnly ? present : [...present, ...obtained]);
}

/** A change to the store's source or to its pinned modules asks for a new build. */
function sourceHash() {
  const hash = createHash('sha256');
  for (const name of ['main.go', 'go.mod', 'go.sum']) {
    hash.update(`${name}\n`).update(fs.readFileSync(path.join(SOURCE, name)));
  }
  return hash.digest('hex').slice(0, 12);
}

/** go.sum pins the hash of every module that goes in. */
async function buildFerret(workshop, env, log) {
  const go = findOnPath('go', env);
  if (!go) {
    throw new Unavailable(
      'there is no `go` on PATH',
      `install Go ${GO_VERSION} or newer so that \`go\` is on PATH, then run this again`,
    );
  }
  log('building embedded/store with Go (one to two minutes, once)');
  const binary = path.join(workshop, 'tocsin-store');
  const run = await runToEnd(go, ['build', '-mod=readonly', '-trimpath', '-o', binary, '.'], {
    cwd: SOURCE,
    env: { ...env, CGO_ENABLED: '0' },
  });
  if (!run.ok) throw new Unavailable(`go build failed: ${lastWords(run)}`);
  return binary;
}
