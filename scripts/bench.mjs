/*
 * npm run bench -- <name> [options]: brings in what is missing, then runs bench/<name>.ts.
 */
import './require-node.mjs';
import fs from 'node:fs';
import path from 'node:path';
import { runTypeScript } from './run-typescript.mjs';
import { ROOT, setUp } from './set-up.mjs';

const [name, ...args] = process.argv.slice(2);
const folder = path.join(ROOT, 'bench');
const names = fs.existsSync(folder)
  ? fs
      .readdirSync(folder)
      .filter((file) => file.endsWith('.ts'))
      .map((file) => file.slice(0, -'.ts'.length))
      .sort()
  : [];

if (!name || !names.includes(name)) {
  const problem = name ? `There is no benchmark ${name}.` : 'Say which benchmark.';
  process.stderr.write(
    `${problem} There ${names.length ? `are: ${names.join(', ')}` : 'are none yet'}.\nusage: npm run bench -- <name> [--json]\n`,
  );
  process.exit(2);
}
await setUp();
runTypeScript(path.join(folder, `${name}.ts`), args);
