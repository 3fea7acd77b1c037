import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import { createSecureContext } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { chosenKey } from './credentials.ts';
import { CommandFailed, EXIT } from './exit-codes.ts';

/** How a vendor's command shows who it is, and speaks TLS. The same options for each of them. */
export interface AccessOptions {
  readonly key?: string;
  readonly as?: string;
  /** File with a key or a JSON Web Token, read again for each stream: tokens end within minutes. */
  readonly tokenFile?: string;
  /** TLS, with the authorities that this machine trusts. */
  readonly tls?: boolean;
  /** File in PEM: the authorities to trust instead. */
  readonly authority?: string;
  /** Files in PEM: shown to a server that asks for a certificate. */
  readonly certificate?: string;
  readonly certificateKey?: string;
}

export interface Access {
  /** Empty: none is sent, the certificate says it all. */
  readonly key: string | (() => string);
  readonly channel: ChannelCredentials;
  readonly overTls: boolean;
}

/** @throws CommandFailed (usage) when there is no key to be had, or a file is not what it should be */
export function accessOf(options: AccessOptions): Access {
  const { tls = false, authority, certificate } = options;
  const overTls = tls || authority !== undefined || certificate !== undefined;
  return { channel: channelOf(options, overTls), key: keyOf(options), overTls };
}

function keyOf({ key, as, tokenFile, certificate }: AccessOptions): Access['key'] {
  if (key !== undefined) return key;
  if (tokenFile !== undefined) {
    read(tokenFile, '--token-file');
    return () => read(tokenFile, '--token-file').toString('utf8').trim();
  }
  // Whoever shows a certificate need not have a key: that is for the server to say.
  if (certificate !== undefined && as === undefined) return '';
  const found = chosenKey(as);
  if (found !== undefined) return found;
  throw usage('CREDENTIAL_UNKNOWN', 'Give a key with --key, --as, --token-file or TOCSIN_KEY.');
}

function channelOf(
  { authority, certificate, certificateKey }: AccessOptions,
  overTls: boolean,
): ChannelCredentials {
  if ((certificate === undefined) !== (certificateKey === undefined)) {
    throw usage('TLS_FILES_REFUSED', 'Give --certificate and --certificate-key together, or neither.');
  }
  if (!overTls) return credentials.createInsecure();
  const ca = authority === undefined ? null : read(authority, '--authority');
  const cert = certificate === undefined ? null : read(certificate, '--certificate');
  const key = certificateKey === undefined ? null : read(certificateKey, '--certificate-key');
  try {
    // A file of authorities without any would be taken for an empty list.
    if (ca !== null) new X509Certificate(ca);
    createSecureContext({ ca: ca ?? undefined, cert: cert ?? undefined, key: key ?? undefined });
  } catch (error) {
    throw usage(
      'TLS_FILES_REFUSED',
      `--authority, --certificate and --certificate-key must be PEM, the key that of the certificate: ${(error as Error).message}.`,
      error,
    );
  }
  return credentials.createSsl(ca, key, cert);
}

function read(file: string, option: string): Buffer {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw usage('FILE_UNREADABLE', `${option} names ${file}, which cannot be read (${code}).`, error);
  }
}

const usage = (code: string, text: string, cause?: unknown): CommandFailed =>
  new CommandFailed(EXIT.usage, code, text, { cause });
