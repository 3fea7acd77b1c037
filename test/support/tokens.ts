import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';

/** A key pair of somebody who issues tokens. */
export interface TokenIssuer {
  readonly kid: string;
  readonly algorithm: 'ES256' | 'RS256' | 'EdDSA';
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** As it stands in a key set. */
  readonly jwk: JsonWebKey;
}

export function createTokenIssuer(kid: string, algorithm: TokenIssuer['algorithm'] = 'ES256'): TokenIssuer {
  const { publicKey, privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : algorithm === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
  return { kid, algorithm, privateKey, publicKey, jwk };
}

export const keySet = (...issuers: readonly TokenIssuer[]): string =>
  JSON.stringify({ keys: issuers.map((one) => one.jwk) });

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export interface TokenParts {
  readonly header?: object;
  readonly claims?: object;
}

/** A token signed with the issuer's private key, whatever its header says. */
export function signToken({ kid, algorithm, privateKey }: TokenIssuer, parts: TokenParts = {}): string {
  const signed = `${part({ alg: algorithm, kid, ...parts.header })}.${part(parts.claims ?? {})}`;
  const signature =
    algorithm === 'EdDSA'
      ? sign(null, Buffer.from(signed), privateKey)
      : sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** A token "signed" with a secret: what key confusion makes of a public key. */
export function hmacToken(secret: string | Buffer, parts: TokenParts = {}): string {
  const signed = `${part({ alg: 'HS256', ...parts.header })}.${part(parts.claims ?? {})}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

export const unsignedToken = ({ header, claims = {} }: TokenParts): string =>
  `${part({ alg: 'none', ...header })}.${part(claims)}.`;
