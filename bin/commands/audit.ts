import path from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { Bundle } from '../../domain/audit/bundle.ts';
import type { Check } from '../../domain/audit/verify.ts';
import { leaf } from '../command-line.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { print, printJson, table } from '../output.ts';

export function declare(program: Command): void {
  const audit = program.command('audit').description('export, verify and replay the evidence');
  leaf(
    audit,
    'export <incident>',
    'write everything about one incident into one file',
    'tocsin audit export incident/demo/earthquake/hualien/20180204T131252Z --out hualien.tocsin-bundle.json',
  )
    .option('--out <file>', 'file to write (default: named after the incident, here)')
    .action(exportBundle);
  leaf(
    audit,
    'verify <bundle>',
    'check every hash and replay every history, without any server',
    'tocsin audit verify hualien.tocsin-bundle.json',
  )
    .option('--expect <sha256>', 'the bundle hash that was printed at the export')
    .option('--all', 'also list the checks that passed')
    .action(verify);
  leaf(
    audit,
    'replay <bundle>',
    'only run its histories through the workflow code of this version',
    'tocsin audit replay hualien.tocsin-bundle.json',
  )
    .option('--all', 'also list the histories that replayed')
    .action(replay);
}

async function exportBundle(incident: string, options: { out?: string; json?: boolean }): Promise<void> {
  const { openOffice } = await import('../office.ts');
  const { bundleFileName, collectBundle, saveBundle } = await import('../bundles.ts');
  const office = await openOffice();
  try {
    const bundle = await collectBundle(incident, office.stores, office.histories);
    const file = path.resolve(options.out ?? bundleFileName(incident));
    saveBundle(bundle, file);
    const { manifest, manifestSha256 } = bundle;
    if (options.json) return printJson({ file, manifestSha256, items: manifest.items });
    print(`${file}\n${manifest.items.length} items, bundle hash ${manifestSha256}`);
    print('Keep the hash apart from the file: it shows that the whole is the one exported now.');
  } finally {
    await office.close();
  }
}

interface VerifyOptions {
  readonly expect?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const { checkBundle } = await import('../bundles.ts');
  await report(file, options, checkBundle);
}

async function replay(file: string, options: VerifyOptions): Promise<void> {
  const { replayBundle } = await import('../bundles.ts');
  await report(file, options, replayBundle);
}

async function report(
  file: string,
  options: VerifyOptions,
  look: (bundle: Bundle) => Promise<Check[]>,
): Promise<void> {
  const { openBundle, unreadable } = await import('../bundles.ts');
  let checks: Check[];
  let manifestSha256: string | null = null;
  try {
    const bundle = openBundle(file);
    manifestSha256 = bundle.manifestSha256;
    checks = [...expected(bundle, options.expect), ...(await look(bundle))];
  } catch (error) {
    checks = [unreadable(error)];
  }
  const failed = checks.filter(({ ok }) => !ok);
  if (options.json) printJson({ ok: failed.length === 0, manifestSha256, checks });
  else {
    const shown = options.all ? checks : failed;
    if (shown.length > 0) {
      print(
        table(
          ['', 'check', 'item', 'what is wrong'],
          shown.map(({ check, item, ok, detail }) => [
            ok ? pc.green('ok') : pc.red('FAILED'),
            check,
            item,
            detail,
          ]),
        ),
      );
    }
    print(
      failed.length === 0
        ? `All ${checks.length} checks passed. Bundle hash ${manifestSha256}`
        : `${failed.length} of ${checks.length} checks failed.`,
    );
  }
  if (failed.length > 0) process.exitCode = EXIT.failed;
}

function expected({ manifestSha256 }: Bundle, hash: string | undefined): Check[] {
  if (hash === undefined) return [];
  if (!/^[0-9a-f]{64}$/i.test(hash)) {
    throw new CommandFailed(
      EXIT.usage,
      'HASH_INVALID',
      'Give --expect the 64 hexadecimal digits that the export printed.',
    );
  }
  const ok = hash.toLowerCase() === manifestSha256;
  const detail = ok ? '' : `expected ${hash}, found ${manifestSha256}`;
  return [{ check: 'manifest-hash', item: 'bundle', ok, detail }];
}
