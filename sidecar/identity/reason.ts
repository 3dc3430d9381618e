// Why evidence proves nobody, and why a sign-in was refused: this room's part of the closed list of
// reasons, which policy/reason.ts completes.

/** Credentials that were there and did not hold, or were not there at all. */
export const EVIDENCE_REASONS = [
  'no-credentials',
  'cookie-malformed',
  'cookie-repeated',
  'session-unknown',
  'session-expired',
  'token-malformed',
  'token-type', // not an access token: an ID token, a logout token, an unknown `typ`
  'token-algorithm',
  'token-issuer',
  'token-audience',
  'token-signature',
  'token-expired',
  'token-not-yet-valid',
  'token-claims', // `sub` or another needed claim is missing or of the wrong type
  'token-inactive', // its issuer says that it does not hold: revoked, expired, or never issued
  'token-used', // a logout token that came before
  'token-bound', // only together with a proof that Signet can't verify (`cnf`: DPoP, mutual TLS)
] as const;

/** A sign-in came back and was refused. */
export const SIGN_IN_REASONS = [
  'state-missing', // no sign-in of this browser is under way: cookies blocked, expired, or foreign
  'state-mismatch',
  'state-used',
  'state-expired',
  'provider-refused', // the provider answered with `error`
  'issuer-mismatch', // RFC 9207
  'id-token-signature',
  'id-token-algorithm',
  'id-token-issuer',
  'id-token-audience',
  'id-token-nonce',
  'id-token-expired',
  'id-token-not-yet-valid',
  'id-token-claims',
  'code-refused', // the token endpoint did not accept the code
  'userinfo-invalid',
  'host-not-allowed',
  'sign-in-loop',
  'redirect-uri-refused', // the provider does not know the address that it is to send people back to
  'clock-off', // the ID token is of a time that only a wrong clock explains, here or at the provider
  'provider-unknown', // the callback is of a provider that is not configured
] as const;

export type EvidenceReason = (typeof EVIDENCE_REASONS)[number];
export type SignInReason = (typeof SIGN_IN_REASONS)[number];
