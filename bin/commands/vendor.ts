import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { Position } from '../../domain/units.ts';
import { leaf, parseDurationOption, parseSpeedOption } from '../command-line.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';
import { facts, print, printJson, say, table } from '../output.ts';
import type { AccessOptions } from '../vendor-access.ts';
import type { ConformanceCommand } from '../vendor-conformance.ts';
import type { FeedFormat } from '../vendor-feed.ts';
import type { MockCommand } from '../vendor-mock.ts';
import type { Replayed, ReplayOptions } from '../vendor-replay.ts';
import { withStores } from '../with-stores.ts';

export function declare(program: Command): void {
  const vendor = program
    .command('vendor')
    .description('admit vendors, replay feeds, check servers and clients');
  leaf(
    vendor,
    'add <name>',
    'make a principal and a key for a vendor; the key is shown once and kept in .tocsin/credentials.json',
    'tocsin vendor add seismic-office',
  )
    .option('--no-key', 'make no key: the vendor shows tokens or a certificate (docs/operations.md)')
    .action(add);
  leaf(
    vendor,
    'revoke <name>',
    'let a vendor in no more: its keys, tokens and certificates; open streams end within 60 s',
    'tocsin vendor revoke seismic-office',
  ).action(revoke);
  declareReplay(vendor);
  withAccessOptions(
    leaf(
      vendor,
      'conformance [address]',
      'check a server by what it does: acknowledgements, duplicates, gaps, refusals, limits',
      'tocsin vendor conformance 127.0.0.1:50051 --as vendor-gas --other-as vendor-quakes',
    )
      .option('--key <key>', 'key to send with')
      .option('--as <principal>', 'vendor of .tocsin/credentials.json to send as (default: vendor-gas)'),
  )
    .option('--other-key <key>', 'key of a second vendor, for the check that vendors are kept apart')
    .option('--other-as <principal>', 'the same, of .tocsin/credentials.json')
    .option(
      '--site <place>',
      'place that the server knows; one sensor is registered there',
      'riverside-tower',
    )
    .option('--restart <command>', 'command that kills the server and starts it again, for that check')
    .option('--only <text>', 'only checks whose name contains this')
    .option('--list', 'list the checks and what they expect, and run none')
    .action(async (address: string | undefined, options: ConformanceCommand) => {
      const { conformance } = await import('../vendor-conformance.ts');
      const { targetAddress } = await import('../vendor-target.ts');
      await conformance(targetAddress(address), withSender(options, 'vendor-gas'));
    });
  leaf(
    vendor,
    'mock',
    'a server to test a client against; says at its end what the client lost or did wrong',
    'tocsin vendor mock --port 50099 --lose 0.01 --retry-later 0.05',
  )
    .option('--port <number>', 'port to listen on; 0: one that is free', parsePort, 0)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--lose <share>',
      'share of messages (0 to 1) at which the stream is broken unanswered',
      parseShare,
      0,
    )
    .option('--retry-later <share>', 'share of messages that are answered RETRY_LATER', parseShare, 0)
    .option('--retry-after <duration>', 'what it asks for then', parseDurationOption, 500)
    .option('--delay <duration>', 'how long an answer takes', parseDurationOption, 5)
    .option(
      '--fault <name>',
      'be a bad server, to see a conformance run find it (repeatable)',
      parseFault,
      [],
    )
    .option('--for <duration>', 'end by itself after this long', parseDurationOption)
    .action(async (options: MockCommand) => {
      const { mock } = await import('../vendor-mock.ts');
      await mock(options);
    });
}

function declareReplay(vendor: Command): void {
  withAccessOptions(
    leaf(
      vendor,
      'replay <file>',
      'send a recorded feed through gRPC ingestion: CSV, JSON lines, or earthquake notices (GeoJSON, as the USGS publishes them)',
      'tocsin vendor replay pump.csv --as vendor-gas --site riverside-tower --unit bar --shift end',
    )
      .option('--as <principal>', 'vendor of .tocsin/credentials.json to send as (default: vendor-quakes)')
      .option('--key <key>', 'key to send with, instead of --as'),
  )
    .option('--grpc <address>', 'ingestion to send to (default: the Tocsin on this machine)')
    .option(
      '--format <format>',
      'csv, jsonl or geojson (default: by the name and the beginning)',
      parseFormat,
    )
    .option(
      '--time <column>',
      'column of the time: ISO 8601 (UTC without an offset), seconds or ms since 1970',
    )
    .option('--value <column>', 'column of the value')
    .option('--channels <columns>', 'columns of values, a sensor each, separated by commas', parseList)
    .option('--sensor <name>', 'name of the sensor, or what its names begin with (default: of the file)')
    .option('--sensor-column <column>', 'column that names the sensor')
    .option('--rate <key>', 'key with the samples a second, when values are arrays')
    .option('--site <place>', 'register the sensors at this place first')
    .option(
      '--position <latitude,longitude>',
      'where they stand, with --site (default: where the place is)',
      parsePosition,
    )
    .option('--channel <name>', 'what they measure (default: the name of the column)')
    .option('--unit <unit>', 'unit of the values, with --site (default: 1)')
    .option('--low <number>', 'smallest value, with --site (default: of the feed)', parseNumber)
    .option('--high <number>', 'largest value, with --site (default: of the feed)', parseNumber)
    .option('--speed <times>', 'how much faster than it was recorded, or max', parseSpeedOption, 'max')
    .option('--shift <where>', 'move all times so that the begin, or the end, is now', parseShift)
    .option('--strict', 'send nothing when a line is malformed')
    .action(replay);
}

async function add(name: string, options: { key: boolean; json?: boolean }): Promise<void> {
  if (!/^[a-z][a-z0-9-]{1,40}$/.test(name)) {
    throw new CommandFailed(
      EXIT.usage,
      'VENDOR_NAME_INVALID',
      `A vendor name is lower-case letters, digits and -, and ${name} is not.`,
    );
  }
  const { keepCredential, newKey } = await import('../credentials.ts');
  const { sha256Hex } = await import('../../models/hash.ts');
  const { dataDirectory, loadConfig } = await import('../config.ts');
  const loaded = loadConfig();
  const id = `vendor-${name}`;
  const key = newKey();
  await withStores(async ({ principals }) => {
    const known = await principals.list();
    if (known.some((principal) => principal.id === id)) {
      throw new CommandFailed(
        EXIT.refused,
        'PRINCIPAL_EXISTS',
        `There is a principal ${id} already, and its key is not shown again.`,
      );
    }
    await principals.put({
      id,
      tenant: loaded.config.tenant,
      roles: ['vendor'],
      vendor: id,
      // Without a key: the hash of one that nobody is told.
      keySha256: sha256Hex(key),
      revokedAtMs: null,
    });
  }, loaded);
  if (!options.key) {
    if (options.json) return printJson({ principal: id });
    return print(id);
  }
  keepCredential(dataDirectory(), id, key);
  if (options.json) return printJson({ principal: id, key });
  print(`${id}\n${key}`);
  say('This key is not shown again. Send it to the vendor over a channel you trust.');
}

async function revoke(name: string, options: { json?: boolean }): Promise<void> {
  const id = name.startsWith('vendor-') ? name : `vendor-${name}`;
  const { already, revokedAtMs } = await withStores(async ({ principals }) => {
    const principal = (await principals.list()).find((one) => one.id === id);
    if (principal?.vendor === undefined) {
      throw new CommandFailed(EXIT.notFound, 'PRINCIPAL_UNKNOWN', `There is no vendor ${id}.`);
    }
    const nowMs = Date.now();
    const { revokedAtMs: earlierMs } = principal;
    if (earlierMs !== null && earlierMs <= nowMs) return { already: true, revokedAtMs: earlierMs };
    await principals.put({ ...principal, revokedAtMs: nowMs });
    return { already: false, revokedAtMs: nowMs };
  });
  if (options.json) return printJson({ principal: id, revokedAtMs, already });
  print(`${id} ${already ? 'was revoked' : 'is revoked'} (${new Date(revokedAtMs).toISOString()})`);
  if (!already) say('Open streams end within 60 s. What it sent stays, and its sensors become silent.');
}

/** Who sends when nobody was named and there is no certificate to speak for itself. */
const withSender = <O extends AccessOptions>(options: O, usual: string): O =>
  options.as === undefined && options.certificate === undefined ? { ...options, as: usual } : options;

const withAccessOptions = (command: Command): Command =>
  command
    .option('--token-file <file>', 'send the key or JSON Web Token in this file; read again for each stream')
    .option('--tls', 'speak TLS, and trust the authorities that this machine trusts')
    .option('--authority <file>', 'speak TLS, and trust the authorities in this file (PEM) instead')
    .option('--certificate <file>', 'show this certificate (PEM); with --certificate-key')
    .option('--certificate-key <file>', "the certificate's private key (PEM)");

interface ReplayCommand
  extends AccessOptions, Pick<ReplayOptions, 'speed' | 'shift' | 'site' | 'unit' | 'low' | 'high'> {
  readonly position?: Position;
  /** What the sensors measure. */
  readonly channel?: string;
  readonly grpc?: string;
  readonly format?: FeedFormat;
  readonly time?: string;
  readonly value?: string;
  readonly channels?: readonly string[];
  readonly sensor?: string;
  readonly sensorColumn?: string;
  readonly rate?: string;
  readonly strict?: boolean;
  readonly json?: boolean;
}

async function replay(file: string, options: ReplayCommand): Promise<void> {
  const { formatOf } = await import('../vendor-feed.ts');
  const { adviceFor, replayFeed } = await import('../vendor-replay.ts');
  const { accessOf } = await import('../vendor-access.ts');
  const { explainRefusal, mustAnswer, targetAddress } = await import('../vendor-target.ts');
  const { time, value, sensor, sensorColumn, rate, json = false } = options;
  const address = targetAddress(options.grpc);
  const format = options.format ?? formatOf(file);
  const access = accessOf(withSender(options, 'vendor-quakes'));
  await mustAnswer(address, access);
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  const bar = progressBar(json);
  const replayed = await replayFeed({
    ...options,
    file,
    format,
    mapping: {
      time,
      channels: options.channels ?? (value === undefined ? undefined : [value]),
      sensor,
      sensorColumn,
      rate,
    },
    address,
    key: access.key,
    connection: access.channel,
    strict: options.strict === true,
    signal: stopping.signal,
    onProgress: bar.draw,
    onReconnect: (reason) => say(`Connecting again: ${reason}`),
  })
    .catch((error: unknown) => {
      throw explainRefusal(error);
    })
    .finally(bar.clear);
  if (json) printJson(replayed);
  else printReplayed(replayed, adviceFor(replayed, { file }));
  if (replayed.quarantined > 0 || replayed.interrupted) process.exitCode = EXIT.failed;
}

function printReplayed(replayed: Replayed, advice: readonly string[]): void {
  const { sent, accepted, duplicate, quarantined, reasons, malformed, problems, interrupted } = replayed;
  print(
    facts([
      ['sent', String(sent)],
      ['accepted', String(accepted)],
      ['duplicate', String(duplicate)],
      ['quarantined', String(quarantined)],
      ['malformed lines', String(malformed)],
    ]),
  );
  if (quarantined > 0) {
    print('');
    print(
      table(
        ['reason', 'readings', 'for example'],
        Object.entries(reasons).map(([reason, { count, example }]) => [reason, String(count), example]),
      ),
    );
  }
  if (malformed > 0) {
    print('');
    for (const { line, column, message } of problems) {
      print(`line ${line}${column === '' ? '' : `, ${column}`}: ${message}`);
    }
    if (malformed > problems.length) print(`and ${malformed - problems.length} more`);
  }
  for (const line of advice) say(line);
  if (interrupted) say('Interrupted. Run it again to go on: what is stored already is answered DUPLICATE.');
}

/** A line on standard error, where somebody is watching. */
function progressBar(quiet: boolean): {
  readonly draw: (progress: Replayed & { readonly share: number }) => void;
  readonly clear: () => void;
} {
  const { stderr } = process;
  if (quiet || !stderr.isTTY) return { draw: () => undefined, clear: () => undefined };
  const WIDTH = 24;
  let drawnAt = 0;
  return {
    draw({ share, accepted, duplicate, quarantined }) {
      const now = performance.now();
      if (now - drawnAt < 100) return;
      drawnAt = now;
      const full = Math.round(share * WIDTH);
      stderr.write(
        `\r[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${String(Math.floor(share * 100)).padStart(3)} %  ` +
          `${accepted} accepted, ${duplicate} duplicate, ${quarantined} quarantined`,
      );
    },
    clear: () => void stderr.write(drawnAt > 0 ? '\r\u001b[2K' : ''),
  };
}

function parseFormat(text: string): FeedFormat {
  if (text === 'csv' || text === 'jsonl' || text === 'geojson') return text;
  throw new InvalidArgumentError('Give csv, jsonl or geojson.');
}

function parseShift(text: string): 'begin' | 'end' {
  if (text === 'begin' || text === 'end') return text;
  throw new InvalidArgumentError('Give begin or end.');
}

function parsePosition(text: string): Position {
  const [latitudeDeg = NaN, longitudeDeg = NaN, ...more] = text
    .split(',')
    .map((one) => (one.trim() === '' ? NaN : Number(one)));
  if (!(Math.abs(latitudeDeg) <= 90) || !(Math.abs(longitudeDeg) <= 180) || more.length > 0) {
    throw new InvalidArgumentError('Give latitude,longitude in degrees, such as 16.86,-99.88.');
  }
  return { latitudeDeg, longitudeDeg };
}

const parseList = (text: string): string[] => text.split(',').map((one) => one.trim());

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number.');
  return value;
}

function parseShare(text: string): number {
  const share = parseNumber(text);
  if (share < 0 || share > 1) throw new InvalidArgumentError('Give a share from 0 to 1.');
  return share;
}

function parsePort(text: string): number {
  const port = parseNumber(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('Give a port.');
  return port;
}

function parseFault(text: string, before: readonly string[]): string[] {
  return [...before, text];
}
