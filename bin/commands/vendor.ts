import type { Command } from 'commander';
import type { Bulletin } from '../../domain/evidence.ts';
import { leaf } from '../command-line.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { print, printJson, say } from '../output.ts';

export function declare(program: Command): void {
  const vendor = program.command('vendor').description('admit a vendor, replay a recorded feed');
  leaf(
    vendor,
    'add <name>',
    'make a principal and a key for a vendor; the key is shown once and kept in .tocsin/credentials.json',
    'tocsin vendor add seismic-office',
  ).action(add);
  leaf(
    vendor,
    'replay <file>',
    'send recorded earthquake notices (GeoJSON, as the USGS publishes them) through gRPC ingestion',
    'tocsin vendor replay all_week.geojson --as vendor-quakes',
  )
    .option('--as <principal>', 'vendor to send as', 'vendor-quakes')
    .option('--grpc <address>', 'ingestion to send to (default: the Tocsin on this machine)')
    .action(replay);
}

async function add(name: string, options: { json?: boolean }): Promise<void> {
  if (!/^[a-z][a-z0-9-]{1,40}$/.test(name)) {
    throw new CommandFailed(
      EXIT.usage,
      'VENDOR_NAME_INVALID',
      `A vendor name is lower-case letters, digits and -, and ${name} is not.`,
    );
  }
  const { openStores } = await import('../office.ts');
  const { keepCredential, newKey, sha256 } = await import('../credentials.ts');
  const { dataDirectory, loadConfig } = await import('../config.ts');
  const loaded = loadConfig();
  const office = await openStores(loaded);
  const id = `vendor-${name}`;
  const key = newKey();
  try {
    const known = await office.stores.principals.list();
    if (known.some((principal) => principal.id === id)) {
      throw new CommandFailed(
        EXIT.refused,
        'PRINCIPAL_EXISTS',
        `There is a principal ${id} already, and its key is not shown again.`,
      );
    }
    await office.stores.principals.put({
      id,
      tenant: loaded.config.tenant,
      roles: ['vendor'],
      vendor: id,
      keySha256: sha256(key),
      revokedAtMs: null,
    });
  } finally {
    await office.close();
  }
  keepCredential(dataDirectory(), id, key);
  if (options.json) return printJson({ principal: id, key });
  print(`${id}\n${key}`);
  say('This key is not shown again. Send it to the vendor over a channel you trust.');
}

async function replay(file: string, options: { as: string; grpc?: string; json?: boolean }): Promise<void> {
  const { readNotices } = await import('../notices-file.ts');
  const { bulletinToWire } = await import('../../proto/map.ts');
  const { chosenKey } = await import('../credentials.ts');
  const { openVendorDoor } = await import('../vendor-door.ts');
  const bulletins: readonly Bulletin[] = readNotices(file);
  const door = openVendorDoor({
    key: chosenKey(options.as)!,
    ...(options.grpc === undefined ? {} : { grpc: options.grpc }),
  });
  const total = { sent: 0, acknowledged: 0, refused: 0 };
  try {
    for (const bulletin of bulletins) {
      const receipt = await door.send([bulletinToWire(bulletin)], bulletin.observedAtMs);
      total.sent += receipt.sent;
      total.acknowledged += receipt.acknowledged;
      total.refused += receipt.refused;
    }
  } finally {
    door.close();
  }
  if (options.json) printJson(total);
  else print(`${total.sent} sent, ${total.acknowledged} acknowledged, ${total.refused} refused`);
  if (total.refused > 0) process.exitCode = EXIT.failed;
}
