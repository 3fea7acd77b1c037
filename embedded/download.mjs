/*
 * Downloads one server with the downloader of its own npm package and prints the path of the executable on the
 * last line. A process of its own: see `download` in obtain-temporal.mjs.
 */
import fs from 'node:fs';
import path from 'node:path';
import { MONGOD_VERSION, TEMPORAL_VERSION } from './versions.mjs';

const [what, directory] = process.argv.slice(2);

const downloads = {
  async temporal() {
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    const executable = { type: 'cached-download', version: `v${TEMPORAL_VERSION}`, downloadDir: directory };
    // The SDK downloads only in order to run: run it once, which also proves that it does.
    const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
    await environment.teardown();
    const files = fs.readdirSync(directory).map((name) => path.join(directory, name));
    return files.find((file) => fs.statSync(file).isFile());
  },
  async mongod() {
    const { MongoBinary } = await import('mongodb-memory-server-core');
    return MongoBinary.getPath({ version: MONGOD_VERSION, downloadDir: directory, checkMD5: true });
  },
};

console.log(await downloads[what]());
process.exit(0);
