/*
 * npm start [-- options]: brings in what is missing, then runs Tocsin.
 */
import './require-node.mjs';
import path from 'node:path';
import { runTypeScript } from './run-typescript.mjs';
import { ROOT, setUp } from './set-up.mjs';

await setUp();
runTypeScript(path.join(ROOT, 'bin', 'tocsin.ts'), ['start', ...process.argv.slice(2)]);
