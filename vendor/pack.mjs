/*
 * npm pack --workspace @tocsin/vendor: compiles the kit, with the wire contract beside it, into vendor/dist, so that
 * it can be installed where there is no Tocsin.
 */
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const here = import.meta.dirname;
const root = path.resolve(here, '..');
const out = path.join(here, 'dist');
fs.rmSync(out, { recursive: true, force: true });

const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root);
const program = ts.createProgram([path.join(here, 'index.ts')], {
  ...options,
  noEmit: false,
  incremental: false,
  tsBuildInfoFile: undefined,
  allowImportingTsExtensions: undefined,
  rewriteRelativeImportExtensions: true,
  declaration: true,
  rootDir: root,
  outDir: out,
});
const complaints = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
if (complaints.length > 0) {
  process.stderr.write(
    ts.formatDiagnostics(complaints, {
      getCurrentDirectory: () => root,
      getCanonicalFileName: (name) => name,
      getNewLine: () => '\n',
    }),
  );
  process.exit(1);
}

for (const name of fs.readdirSync(path.join(root, 'proto'), { recursive: true })) {
  if (!name.endsWith('.proto') || name.startsWith('released')) continue;
  fs.cpSync(path.join(root, 'proto', name), path.join(out, 'proto', name));
}
