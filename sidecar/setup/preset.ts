// Which preset an issuer looks like. By its host only; whether it is one nobody is asked.

/** Hosts by which providers issue; a domain of a customer's own tells nothing. */
const HOSTS: readonly (readonly [RegExp, string])[] = [
  [/^accounts\.google\.com$/, 'google'],
  [/^login\.microsoftonline\.(com|us)$/, 'entra'],
  [/^sts\.windows\.net$/, 'entra'],
  [/\.(okta|oktapreview|okta-emea)\.com$/, 'okta'],
  [/\.auth0\.com$/, 'auth0'],
  [/^cognito-idp\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/, 'cognito'],
];

/** Returns the name of the preset that such an issuer has, where its URL shows it. */
export function presetFor(issuer: string): string | undefined {
  const url = URL.parse(issuer);
  const known = HOSTS.find(([host]) => host.test(url?.hostname ?? ''))?.[1];
  // Its path is the same wherever it runs.
  return known ?? (/^\/realms\/[^/]+$/.test(url?.pathname ?? '') ? 'keycloak' : undefined);
}
