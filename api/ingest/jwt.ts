import { errors, jwtVerify } from 'jose';
import type { JWTVerifyResult } from 'jose';
import { TocsinError } from '../../domain/errors.ts';
import type { DurationMs, EpochMs } from '../../domain/units.ts';
import { openKeySet } from './key-set.ts';
import { DEFAULT_TOKEN_ALGORITHMS, TOKEN_LIFETIME_AT_MOST_MS } from './token-rules.ts';
import type { TokenAlgorithm } from './token-rules.ts';

export interface TokenOptions {
  /** A file, or an `https:` address, with a JSON Web Key Set (RFC 7517). Read again as keys change. */
  readonly jwks: string;
  /** What `aud` must name. */
  readonly audience: string;
  /** What `iss` must be. @default anything */
  readonly issuer?: string | undefined;
  /** @default ES256, EdDSA, RS256 */
  readonly algorithms?: readonly TokenAlgorithm[];
  /** The longest life of a token, from `iat` to `exp`. @default 15 minutes */
  readonly lifetimeAtMostMs?: DurationMs;
  /** For tests: a key set over `http:` on the loopback interface. @default false */
  readonly allowLoopbackHttp?: boolean;
  /** Called when the key set could not be read, and the last one is used. */
  readonly onUnreadable?: (error: unknown) => void;
  readonly now?: () => EpochMs;
}

/** The principal that a token names. */
export type TokenCheck = (token: string) => Promise<string>;

const CLOCK_TOLERANCE_S = 5;

/**
 * Checks JSON Web Tokens (RFC 7519, and the advice of RFC 8725): signed by the key of the set that `kid` names,
 * under a listed algorithm that fits this key, for this audience, with `sub`, `iat` and `exp`, short-lived.
 *
 * @throws TocsinError from the returned function: TOKEN_EXPIRED; TOKEN_REFUSED with the same words for all other
 * reasons; STORE_UNAVAILABLE when the keys cannot be read
 */
export function createTokenCheck(options: TokenOptions): TokenCheck {
  const { audience, issuer, now = Date.now, lifetimeAtMostMs = TOKEN_LIFETIME_AT_MOST_MS } = options;
  const { jwks, allowLoopbackHttp = false, onUnreadable = () => undefined } = options;
  const algorithms = [...(options.algorithms ?? DEFAULT_TOKEN_ALGORITHMS)];
  const keys = openKeySet({ jwks, allowLoopbackHttp, onUnreadable, now });

  const verify = (token: string): Promise<JWTVerifyResult> =>
    jwtVerify(token, keys, {
      algorithms,
      audience,
      ...(issuer === undefined ? {} : { issuer }),
      requiredClaims: ['sub', 'iat', 'exp'],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(now()),
    });

  return async (token) => {
    const { sub, iat, exp } = (
      await verify(token).catch((error: unknown) => {
        throw toRefusal(error);
      })
    ).payload;
    const lifetimeMs = (exp! - iat!) * 1_000;
    const isShort = lifetimeMs > 0 && lifetimeMs <= lifetimeAtMostMs;
    const isIssued = iat! * 1_000 <= now() + CLOCK_TOLERANCE_S * 1_000;
    if (!isShort || !isIssued || typeof sub !== 'string' || sub === '') throw refused();
    return sub;
  };
}

const refused = (cause?: unknown): TocsinError =>
  new TocsinError('TOKEN_REFUSED', 'This token is not valid here.', { cause });

/** What reading the keys threw is coded already; all else that jose knows is the token's fault. */
function toRefusal(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) {
    return new TocsinError('TOKEN_EXPIRED', 'This token has expired.', { cause: error });
  }
  return error instanceof errors.JOSEError ? refused(error) : error;
}
