// Which signatures can be trusted at all. A file of its own, so that settings know it without loading jose.

/** What a public key can verify: every asymmetric algorithm of RFC 7518 and RFC 8037. */
export const ALGORITHMS: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
