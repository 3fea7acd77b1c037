import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import type { Metadata } from '@grpc/grpc-js';
import { TocsinError } from '../../domain/errors.ts';
import type { EpochMs } from '../../domain/units.ts';
import type { Auth, Caller } from '../auth.ts';
import type { TokenCheck } from './jwt.ts';
import type { PrincipalDirectory } from './principals.ts';

/** PEM of a server that ends TLS itself. */
export interface TlsFiles {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** Authority of clients' certificates; given, nobody is let in without a certificate of it. */
  readonly clientAuthority?: Buffer;
}

/** TLS of the door: 1.2 or newer. */
export function tlsCredentials({ certificate, key, clientAuthority }: TlsFiles): ServerCredentials {
  return ServerCredentials.createSsl(
    clientAuthority ?? null,
    [{ cert_chain: certificate, private_key: key }],
    clientAuthority !== undefined,
  );
}

/** What a call brings to show who makes it. */
export interface IncomingCall {
  readonly metadata: Metadata;
  getPeer(): string;
  getAuthContext(): { readonly sslPeerCertificate?: PeerCertificate | DetailedPeerCertificate };
}

export interface CallerCheckOptions {
  /** Checks API keys. */
  readonly auth: Auth;
  /** Whom tokens and certificates can name. */
  readonly principals: PrincipalDirectory;
  /** Absent, tokens are not taken. */
  readonly tokens?: TokenCheck;
  /** Set when clients must show a certificate. */
  readonly certificates?: {
    /** Name in a certificate (DNS or URI) to the id of a principal. A name that is not here stands for itself. */
    readonly subjects: Readonly<Record<string, string>>;
    /** True: a certificate is enough, a call needs no key and no token. @default false */
    readonly alone?: boolean;
  };
  readonly now?: () => EpochMs;
}

export type CallerCheck = (call: IncomingCall) => Promise<Caller>;

const TOKEN = /^Bearer +([\w-]+\.[\w-]+\.[\w-]*)$/i;
const AUTHORIZATION_LENGTH_AT_MOST = 8_192;

/**
 * Who makes a call: the principal of its key or its token. Where certificates are asked for, a certificate is a
 * second lock and must be of the same principal: a stolen key opens nothing from elsewhere.
 *
 * @returns a function to be asked again while a stream is open. It throws TocsinError UNAUTHENTICATED,
 * TOKEN_EXPIRED, TOKEN_REFUSED or CERTIFICATE_REFUSED when the caller is nobody, and anything else when that could
 * not be found out
 */
export function createCallerCheck(options: CallerCheckOptions): CallerCheck {
  const { auth, principals, tokens, certificates, now = Date.now } = options;

  async function byAuthorization(authorization: string | undefined, peer: string): Promise<Caller> {
    const token = tokens === undefined ? undefined : TOKEN.exec(authorization ?? '')?.[1];
    return token === undefined
      ? auth.byAuthorization(authorization, isLoopback(peer))
      : principals.byId(await tokens!(token));
  }

  return async (call) => {
    const given = call.metadata.get('authorization');
    if (given.length > 1) throw new TocsinError('UNAUTHENTICATED', 'Send one authorization, not several.');
    const authorization = given[0]?.toString();
    if (authorization !== undefined && authorization.length > AUTHORIZATION_LENGTH_AT_MOST) {
      throw new TocsinError('UNAUTHENTICATED', 'This authorization is too long.');
    }
    if (certificates === undefined) return byAuthorization(authorization, call.getPeer());

    const ids = principalsOf(call.getAuthContext().sslPeerCertificate, certificates.subjects, now());
    if (authorization === undefined && certificates.alone === true) {
      if (ids.length === 1) return principals.byId(ids[0]!);
      throw notTheirs();
    }
    const caller = await byAuthorization(authorization, call.getPeer());
    if (!ids.includes(caller.id)) throw notTheirs();
    return caller;
  };
}

/** True when an error says who the caller is not, rather than that nobody could find out. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof TocsinError &&
  ['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'TOKEN_REFUSED', 'CERTIFICATE_REFUSED', 'ROLE_REQUIRED'].includes(
    error.code,
  );

const notTheirs = (): TocsinError =>
  new TocsinError('CERTIFICATE_REFUSED', 'The client certificate does not stand for this caller.');

/** The chain was checked when the connection was made; it may have ended since. */
function principalsOf(
  certificate: PeerCertificate | undefined,
  subjects: Readonly<Record<string, string>>,
  nowMs: EpochMs,
): string[] {
  if (certificate?.valid_to === undefined || Date.parse(certificate.valid_to) <= nowMs) return [];
  // Node quotes a name with unusual characters and escapes its commas: it cannot look like two.
  const ids = (certificate.subjectaltname ?? '')
    .split(', ')
    .map((name) => /^(?:DNS|URI):([\w.:/-]+)$/.exec(name)?.[1])
    .filter((name) => name !== undefined)
    .map((name) => (Object.hasOwn(subjects, name) ? subjects[name]! : name));
  return [...new Set(ids)];
}

const isLoopback = (peer: string): boolean => /^(127\.|\[?::1\]?|\[?::ffff:127\.|unix:)/.test(peer);
