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

/**
 * FerretDB 1.24 makes an index on each collection's `_id` and then asks with another expression, so that SQLite
 * reads the whole collection for every exact read: 52 ms instead of 2 among 20,000 documents. It is built with
 * the index's own expression.
 */
const FERRET = 'github.com/FerretDB/FerretDB';
const INDEXED_ID = {
  file: 'internal/backends/sqlite/metadata/metadata.go',
  from: `IDColumn = DefaultColumn + "->'$._id'"`,
  to: 'IDColumn = DefaultColumn + `->"_id"`',
};

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
  const hash = createHash('sha256').update(`${INDEXED_ID.to}\n`);
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
  const options = { cwd: SOURCE, env: { ...env, CGO_ENABLED: '0' } };
  const manifest = await withIndexedId(go, workshop, options);
  const args = ['build', '-mod=readonly', '-modfile', manifest, '-trimpath', '-o', binary, '.'];
  const run = await runToEnd(go, args, options);
  if (!run.ok) throw new Unavailable(`go build failed: ${lastWords(run)}`);
  return binary;
}

/** A copy of the module, which go.sum has checked, with its one line changed; answers the go.mod that names the copy. */
async function withIndexedId(go, workshop, options) {
  const printed = [];
  const onLine = (line, stream) => stream === 'stdout' && printed.push(line);
  const found = await runToEnd(go, ['mod', 'download', '-json', FERRET], { ...options, onLine });
  if (!found.ok) throw new Unavailable(`go mod download failed: ${lastWords(found)}`);
  const { Dir: module } = JSON.parse(printed.join('\n'));
  const copy = path.join(workshop, 'FerretDB');
  fs.cpSync(module, copy, { recursive: true });
  // The module cache is read-only, and so are copies of it.
  await runToEnd('chmod', ['-R', 'u+w', copy]);

  const changed = path.join(copy, INDEXED_ID.file);
  const text = fs.readFileSync(changed, 'utf8');
  if (!text.includes(INDEXED_ID.from)) throw new Unavailable(`${FERRET} is not the version it should be`);
  fs.writeFileSync(changed, text.replace(INDEXED_ID.from, INDEXED_ID.to));

  const manifest = path.join(workshop, 'go.mod');
  const pinned = fs.readFileSync(path.join(SOURCE, 'go.mod'), 'utf8');
  fs.writeFileSync(manifest, `${pinned}\nreplace ${FERRET} => ${copy}\n`);
  fs.copyFileSync(path.join(SOURCE, 'go.sum'), path.join(workshop, 'go.sum'));
  return manifest;
}
