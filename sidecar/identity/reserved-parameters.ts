// What Signet sets in an authorization request itself (RFC 6749, RFC 7636, OpenID Connect Core). In a file of its
// own: the settings are read by commands that never need a provider.

/** Parameters of the authorization request that are Signet's own: what a sign-in's safety rests on. */
export const RESERVED_PARAMETERS: ReadonlySet<string> = new Set([
  ...['client_id', 'client_secret', 'redirect_uri', 'response_type', 'response_mode', 'scope'],
  ...['state', 'nonce', 'code_challenge', 'code_challenge_method', 'request', 'request_uri'],
]);
