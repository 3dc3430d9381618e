// What a provider says of itself (OpenID Connect Discovery 1.0), and whether Signet can sign people in
// with it. The judging is pure; the asking is bounded in time and size.
import type { Fetch } from '../identity/bounded-fetch.ts';
import { createBoundedFetch, isAllowedUrl } from '../identity/bounded-fetch.ts';
import { explain } from '../fault.ts';
import { quoted } from './parsed.ts';

/** What the provider says, in sentences. */
export type Judged = {
  readonly findings: readonly string[];
  /** Each of them keeps people from signing in. */
  readonly problems: readonly string[];
  /** Those of the default scopes that it offers, when it says that it lacks one of them. */
  readonly scopes?: readonly string[];
  /** It has the scope by which most give a refresh token, without which sessions can't be re-checked. */
  readonly hasOfflineAccess?: true;
};

type Metadata = Readonly<Record<string, unknown>>;

const SCOPES = ['openid', 'profile', 'email'];
/** Not asked for by themselves: a provider may refuse a client that it did not grant them. */
const MORE_SCOPES = ['groups', 'roles'];
const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'];
/** Signatures that its public keys can verify. */
const SIGNED = /^((RS|PS|ES)(256|384|512)|EdDSA|Ed25519)$/;
const MAX_LISTED = 12;

/** Returns where an issuer describes itself (Discovery 1.0, section 4). */
export function discoveryUrlOf(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** Returns what the provider says, judged; or a sentence that says why it could not be asked. */
export async function discover(
  issuer: string,
  fetch?: Fetch,
): Promise<Judged | { readonly unreachable: string }> {
  const url = discoveryUrlOf(issuer);
  try {
    const response = await createBoundedFetch(fetch)(url, {
      headers: { accept: 'application/json' },
    });
    if (response.status !== 200) return { unreachable: `${url} answered ${response.status}` };
    const metadata = objectIn(await response.text());
    return metadata ? judge(issuer, metadata) : { unreachable: `${url} did not answer with JSON` };
  } catch (error) {
    return { unreachable: explain(error) };
  }
}

function objectIn(text: string): Metadata | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Metadata)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Returns what follows from a provider's metadata. */
export function judge(issuer: string, metadata: Metadata): Judged {
  const scopes = listOf(metadata, 'scopes_supported');
  const lacking = scopes
    ? SCOPES.filter((scope) => scope !== 'openid' && !scopes.includes(scope))
    : [];
  const problems = [
    ...judgeName(issuer, metadata['issuer']),
    ...ENDPOINTS.flatMap((name) => judgeEndpoint(name, metadata[name])),
    ...judgeOffers(metadata),
  ];
  const findings = FINDINGS.flatMap(([name, found]) => findIn(metadata, name, found));
  if (lacking.length > 0) findings.push(`it has no scope ${lacking.join(', ')}: left out`);
  const more = MORE_SCOPES.filter((scope) => scopes?.includes(scope));
  if (more.length > 0)
    findings.push(`if teams or roles need it, ask for the scope ${more.join(', ')}, too`);
  return {
    findings,
    problems,
    ...(lacking.length > 0 && { scopes: SCOPES.filter((scope) => !lacking.includes(scope)) }),
    ...(scopes?.includes('offline_access') && { hasOfflineAccess: true }),
  };
}

/** What is told of what it offers; when it doesn't say, that is told, too. */
const FINDINGS: readonly (readonly [string, string])[] = [
  ['response_types_supported', 'flows'],
  ['code_challenge_methods_supported', 'PKCE'],
  ['id_token_signing_alg_values_supported', 'ID tokens signed by'],
  ['scopes_supported', 'scopes'],
  ['claims_supported', 'claims'],
];

function findIn(metadata: Metadata, name: string, found: string): string[] {
  const list = listOf(metadata, name);
  if (list === undefined) return name === 'claims_supported' ? [] : [`${found}: it doesn't say`];
  const more = list.length > MAX_LISTED ? `, and ${list.length - MAX_LISTED} more` : '';
  return [`${found}: ${list.slice(0, MAX_LISTED).map(plain).join(', ')}${more}`];
}

function judgeName(issuer: string, name: unknown): string[] {
  if (name === issuer) return [];
  const called = typeof name === 'string' ? quoted(name) : 'nothing';
  // A token's `iss` is compared as text.
  return [`it calls itself ${called}: the issuer must be written exactly so`];
}

function judgeEndpoint(name: string, value: unknown): string[] {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (url === null) return [`it names no ${name}`];
  return isAllowedUrl(url) ? [] : [`its ${name} is neither https nor on this machine`];
}

/** Lists that must hold one of something; what is not said is not held against it. */
const NEEDED: readonly (readonly [string, RegExp, string])[] = [
  ['response_types_supported', /^code$/, 'it does not offer the authorization code flow'],
  ['code_challenge_methods_supported', /^S256$/, 'it offers PKCE, but not with S256'],
  [
    'id_token_signing_alg_values_supported',
    SIGNED,
    'it signs ID tokens with nothing that its public keys verify',
  ],
  [
    'token_endpoint_auth_methods_supported',
    /^client_secret_(basic|post)$/,
    'it takes no client secret (client_secret_basic or client_secret_post)',
  ],
];

function judgeOffers(metadata: Metadata): string[] {
  return NEEDED.flatMap(([name, wanted, problem]) => {
    const list = listOf(metadata, name);
    return list === undefined || list.some((item) => wanted.test(item)) ? [] : [problem];
  });
}

function listOf(metadata: Metadata, name: string): string[] | undefined {
  const value = metadata[name];
  if (!Array.isArray(value)) return undefined;
  return value.filter((item) => typeof item === 'string');
}

function plain(text: string): string {
  return /^[\w:./ -]{1,60}$/.test(text) ? text : quoted(text);
}
