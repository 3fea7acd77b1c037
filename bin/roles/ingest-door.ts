import fs from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { tlsCredentials } from '../../api/ingest/credentials.ts';
import type { TlsFiles } from '../../api/ingest/credentials.ts';
import { createTokenCheck } from '../../api/ingest/jwt.ts';
import type { IngestLimits } from '../../api/ingest/limits.ts';
import type { IngestServerOptions } from '../../api/ingest/server.ts';
import type { PrincipalStore } from '../../domain/ports.ts';
import type { Config } from '../config.ts';
import { CommandFailed, EXIT } from '../exit-codes.ts';

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|\[::1\]|localhost)$/;

/**
 * Who is let in over gRPC, and what they may do there, as the settings say.
 *
 * @throws CommandFailed (usage) for a file that cannot be read or is not what it should be, and for plain text
 * beyond loopback that was not asked for
 */
export function ingestDoor(
  { ingest, listen }: Config,
  log: Pick<Logger, 'warn'>,
): Pick<IngestServerOptions, 'credentials' | 'certificates' | 'tokens' | 'limits'> {
  const { tls, tokens } = ingest;
  if (tls === undefined && !LOOPBACK.test(listen.host)) {
    if (!ingest.allow_plaintext) {
      throw refused(
        `gRPC ingestion does not listen on ${listen.host} in plain text: keys and readings could be read on their way. Give ingest.tls (TOCSIN_TLS_CERTIFICATE, TOCSIN_TLS_KEY), listen on 127.0.0.1, or set ingest.allow_plaintext when something in front ends TLS.`,
      );
    }
    log.warn(
      { host: listen.host },
      'gRPC in plain text beyond loopback: only what ends TLS may reach this port',
    );
  }
  return {
    limits: limitsOf(ingest),
    ...(tls === undefined ? {} : { credentials: credentialsOf(tls) }),
    ...(tls?.client_authority === undefined
      ? {}
      : { certificates: { subjects: tls.subjects, alone: tls.certificate_alone } }),
    ...(tokens === undefined
      ? {}
      : {
          tokens: createTokenCheck({
            jwks: tokens.jwks,
            audience: tokens.audience,
            issuer: tokens.issuer,
            algorithms: tokens.algorithms,
            lifetimeAtMostMs: tokens.life_at_most,
            onUnreadable: (error) => log.warn({ err: error }, 'the keys of tokens cannot be read'),
          }),
        }),
  };
}

/**
 * Nothing is bound beyond loopback while nobody could show who they are.
 *
 * @throws CommandFailed (usage)
 */
export async function requireCredential(
  host: string,
  principals: Pick<PrincipalStore, 'list'>,
): Promise<void> {
  if (LOOPBACK.test(host)) return;
  if ((await principals.list()).some((one) => one.revokedAtMs === null)) return;
  throw refused(
    `Nothing listens on ${host} before there is a credential. Make one with: tocsin vendor add <name>`,
  );
}

function credentialsOf(
  tls: NonNullable<Config['ingest']['tls']>,
): NonNullable<IngestServerOptions['credentials']> {
  const files: TlsFiles = {
    certificate: read(tls.certificate, 'ingest.tls.certificate'),
    key: read(tls.key, 'ingest.tls.key'),
    ...(tls.client_authority === undefined
      ? {}
      : { clientAuthority: read(tls.client_authority, 'ingest.tls.client_authority') }),
  };
  try {
    createSecureContext({ cert: files.certificate, key: files.key, ca: files.clientAuthority });
  } catch (error) {
    throw refused(
      `ingest.tls.certificate, key and client_authority must be PEM, the key that of the certificate: ${(error as Error).message}.`,
      error,
    );
  }
  return tlsCredentials(files);
}

function read(file: string, setting: string): Buffer {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw refused(`${setting} names ${file}, which cannot be read (${code}).`, error);
  }
}

const refused = (text: string, cause?: unknown): CommandFailed =>
  new CommandFailed(EXIT.usage, 'CONFIG_REFUSED', text, { cause });

const limitsOf = ({ limits: set, quota }: Config['ingest']): Partial<IngestLimits> => ({
  readingsPerSecondAtMost: quota.readings_per_second,
  bytesPerSecondAtMost: quota.bytes_per_second,
  messageBytesAtMost: set.message_bytes,
  itemsAtMost: set.items,
  unackedReadingsAtMost: set.unacked_readings,
  pendingBytesAtMost: set.pending_bytes,
  streamsPerConnectionAtMost: set.streams_per_connection,
  streamsPerVendorAtMost: set.streams_per_vendor,
  connectionsPerVendorAtMost: set.connections_per_vendor,
  connectionAgeAtMostMs: set.connection_age,
  connectionIdleAtMostMs: set.connection_idle,
  silentStreamAfterMs: set.silent_stream,
  reauthenticateEveryMs: set.recheck,
  lateAtMostMs: set.late,
});
