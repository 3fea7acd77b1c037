import fs from 'node:fs/promises';
import { createLocalJWKSet, errors } from 'jose';
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose';
import { TocsinError } from '../../domain/errors.ts';
import type { EpochMs } from '../../domain/units.ts';

const FILE_READ_EVERY_MS = 5_000;
const URL_READ_EVERY_MS = 30_000;
/** However many tokens name keys that nobody knows, whoever publishes the keys is asked no more often. */
const ASKED_EVERY_MS = 5_000;
const KEPT_WITHOUT_ANSWER_MS = 5 * 60_000;
const ANSWER_WITHIN_MS = 3_000;
const SET_BYTES_AT_MOST = 256 * 1024;

export interface KeySetOptions {
  /** A file, or an `https:` address, with a JSON Web Key Set (RFC 7517) of public keys. */
  readonly jwks: string;
  /** For tests: `http:` on the loopback interface too. @default false */
  readonly allowLoopbackHttp?: boolean;
  /** Called when the set could not be read, and the last one is used. */
  readonly onUnreadable?: (error: unknown) => void;
  readonly now: () => EpochMs;
}

/**
 * The public keys of a set by `kid` and algorithm. Read again every 5 s (file) or 30 s (address), and at once when
 * a token names a key that is not there: keys come and go without a restart. A set that cannot be read is no
 * outage yet: the last one is used for 5 minutes more.
 *
 * @throws RangeError for an address that is not `https:`; from the returned function TocsinError TOKEN_REFUSED for a
 * token without `kid`, STORE_UNAVAILABLE when the set cannot be read, and what jose throws for an unknown key
 */
export function openKeySet(options: KeySetOptions): JWTVerifyGetKey {
  const { jwks, onUnreadable, now } = options;
  const url = addressOf(jwks, options.allowLoopbackHttp === true);
  const everyMs = url === null ? FILE_READ_EVERY_MS : URL_READ_EVERY_MS;
  const read = url === null ? () => readFile(jwks) : () => download(url);
  let keys: JWTVerifyGetKey | null = null;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;

  async function refresh(): Promise<void> {
    askedAtMs = now();
    try {
      keys = createLocalJWKSet((await read()) as JSONWebKeySet);
      readAtMs = askedAtMs;
    } catch (error) {
      onUnreadable?.(error);
      if (now() - readAtMs > KEPT_WITHOUT_ANSWER_MS) throw unreadable(error);
    }
  }
  /** Those who ask while it is read wait for the same answer. */
  const refreshOnce = (): Promise<void> => (reading ??= refresh().finally(() => (reading = null)));
  const mayAsk = (): boolean => reading !== null || now() - askedAtMs >= ASKED_EVERY_MS;

  return async (header, token) => {
    if (header.kid === undefined) throw new TocsinError('TOKEN_REFUSED', 'This token does not name its key.');
    if (now() - readAtMs > everyMs && mayAsk()) await refreshOnce();
    if (keys === null || now() - readAtMs > KEPT_WITHOUT_ANSWER_MS) throw unreadable();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!isUnknownKey(error)) throw ofTheSet(error);
      if (!mayAsk()) throw error;
    }
    await refreshOnce();
    try {
      return await keys(header, token);
    } catch (error) {
      throw isUnknownKey(error) ? error : ofTheSet(error);
    }
  };
}

/** The token asks for a key that the set does not have, or for an algorithm that no public key can serve. */
const isUnknownKey = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported;

/** A key that is in the set and is none: private, damaged, too short. */
const ofTheSet = (cause: unknown): TocsinError =>
  new TocsinError('STORE_UNAVAILABLE', 'The key of this token cannot be used now.', {
    cause,
    retryable: true,
  });

const unreadable = (cause?: unknown): TocsinError =>
  new TocsinError('STORE_UNAVAILABLE', 'The keys of tokens cannot be read now.', { cause, retryable: true });

function addressOf(jwks: string, allowLoopbackHttp: boolean): URL | null {
  if (!/^[a-z][a-z0-9+.-]+:/i.test(jwks) || /^[a-z]:[\\/]/i.test(jwks)) return null;
  const url = new URL(jwks);
  const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url.protocol === 'https:' || (allowLoopbackHttp && url.protocol === 'http:' && isHere)) return url;
  throw new RangeError('The key set of tokens must be a file or an https: address.');
}

const readFile = async (file: string): Promise<unknown> => JSON.parse(await fs.readFile(file, 'utf8'));

/** Not followed elsewhere: an address that was checked must not lead to one that was not. */
async function download(url: URL): Promise<unknown> {
  const answer = await fetch(url, {
    redirect: 'error',
    headers: { accept: 'application/jwk-set+json, application/json' },
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  if (!answer.ok || answer.body === null) throw new Error(`the key set was answered with ${answer.status}`);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body as AsyncIterable<Uint8Array>) {
    bytes += part.byteLength;
    if (bytes > SET_BYTES_AT_MOST) throw new Error('the key set is too large');
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString('utf8'));
}
