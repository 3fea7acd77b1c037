import fs from 'node:fs';
import path from 'node:path';

/** Every `*.test.ts` under test/, in order; with `only`, those whose path contains it. */
export function findTests(root, only = '') {
  const folder = path.join(root, 'test');
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => path.join(folder, name))
    .filter((file) => path.relative(root, file).includes(only))
    .sort();
}
