/** Signatures that only the holder of a private key can make. `none` and the HMACs are not among them. */
export const TOKEN_ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

export const DEFAULT_TOKEN_ALGORITHMS: readonly TokenAlgorithm[] = ['ES256', 'EdDSA', 'RS256'];
/** From `iat` to `exp`. */
export const TOKEN_LIFETIME_AT_MOST_MS = 15 * 60_000;
