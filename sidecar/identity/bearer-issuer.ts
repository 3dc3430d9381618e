// An issuer whose bearer tokens are accepted, as it is configured. Nothing is asked or judged here.
import type { Secret } from '../secret.ts';
import type { ClaimNames } from './claims.ts';

export type BearerIssuer = {
  /** What the configuration calls it, for `idp:` in requirements. */
  readonly name: string;
  /** Exactly as in `iss`. */
  readonly issuer: string;
  /** A token must be for one of these. */
  readonly audiences: readonly string[];
  /** The claim that the audience stands in where a token has no `aud` at all; default: such a token is refused. */
  readonly audienceClaim?: string;
  /** Whether people have tokens of it; default yes. Of one that has no people nobody is of the type `human`. */
  readonly forPeople?: boolean;
  /** Default: every asymmetric one of RFC 7518 and RFC 8037. */
  readonly algorithms?: readonly string[];
  /**
   * What a token may say of its type (header `typ`), in any case and with `application/` or without; the
   * empty text is a token that says nothing. Default: `at+jwt`, `jwt`, and nothing.
   */
  readonly types?: readonly string[];
  /** How far the clocks may be apart. Default 5. */
  readonly toleranceSeconds?: number;
  readonly names?: ClaimNames;
  /** Where its tokens are opaque: how it is asked about them (RFC 7662). */
  readonly introspection?: IntrospectionClient;
};

/** The client that asks, as the issuer knows it. */
export type IntrospectionClient = {
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** How long an answer holds: a revoked token is refused this much later at the latest. Default 30,000. */
  readonly cacheMs?: number;
  /** What the issuer's tokens begin with. Needed where several issuers are asked. */
  readonly tokenPrefix?: string;
};

/** Between our clock and an issuer's, where its configuration does not say. */
export const TOLERANCE_SECONDS = 5;
