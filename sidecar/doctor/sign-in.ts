// Where /.signet/login leads, and with what: the authorization request (OpenID Connect Core 1.0, section
// 3.1.2.1; PKCE, RFC 7636). Nobody goes there. Pure.
import { isAllowedUrl, isLoopback } from '../identity/bounded-fetch.ts';
import type { Reply } from './ask.ts';
import { type Line, notLookedAt, quoted, well, wrong } from './line.ts';

/** What the settings and the provider say of it. */
export type Expected = {
  readonly clientId: string;
  /** Undefined where the provider could not be asked. */
  readonly endpoint: string | undefined;
};

/** 256 bits in base64url (RFC 7636, section 4.2). */
const CHALLENGE = /^[\w-]{43}$/;
const ELSEWHERE = new Set(['/.signet/login', '/.signet/hand-over']);

const RESTART = 'something between stands in for Signet, or changes its answers: look what answers';

/** Returns the line about it; without settings what a provider should be is not known. */
export function judgeSignIn(name: string, site: URL, reply: Reply, expected?: Expected): Line {
  const { status, headers } = reply;
  if (status === 502 || status === 504) {
    const seen = `${status}, and not of the sidecar: Caddy has no answer of it`;
    return wrong(name, seen, 'mend what the line `sidecar` tells first');
  }
  if (status === 503) {
    const mend = '`signet status` says what it lacks; can the sidecar reach the provider?';
    return wrong(name, '503: the sidecar can sign nobody in', mend);
  }
  if (status === 200 && expected === undefined) {
    return notLookedAt(name, 'people choose among several providers, which only the settings name');
  }
  const target = URL.parse(headers['location']?.[0] ?? '', site.origin) ?? undefined;
  if (target === undefined || status < 300 || status > 399) {
    return wrong(
      name,
      `/.signet/login answers ${status}, and does not lead to a provider`,
      RESTART,
    );
  }
  if (ELSEWHERE.has(target.pathname) && target.host !== site.host) {
    const there = `signet doctor ${quoted(target.origin)}/`;
    return notLookedAt(
      name,
      `leads on to ${quoted(target.host)}, which is right if people sign in there for all hosts (\`session.sign_in_host\`): ${there}`,
    );
  }
  const [problem] = problemsOf(target, site, expected);
  if (problem !== undefined) return wrong(name, ...problem);
  const whose = expected?.endpoint === undefined ? ', which nobody could compare' : '';
  return well(name, `leads to ${quoted(endpointOf(target))}${whose}, with S256, state and nonce`);
}

type Problem = readonly [seen: string, mend: string];

function problemsOf(target: URL, site: URL, expected: Expected | undefined): Problem[] {
  return [...ofTarget(target, expected), ...ofParameters(target), ...ofReturn(target, site)];
}

function ofTarget(target: URL, expected: Expected | undefined): Problem[] {
  const leads = `leads to ${quoted(endpointOf(target))}`;
  if (!isAllowedUrl(target)) return [[`${leads}, which is not https`, 'correct the issuer']];
  const { endpoint, clientId } = expected ?? {};
  const wanted = endpoint === undefined ? undefined : URL.parse(endpoint);
  if (wanted && endpointOf(wanted) !== endpointOf(target)) {
    const seen = `${leads}, and the provider names ${quoted(endpointOf(wanted))}`;
    return [[seen, 'is it another sidecar, or one that runs by older settings? `signet status`']];
  }
  const shown = target.searchParams.get('client_id') ?? '';
  if (clientId === undefined || shown === clientId) return [];
  const seen = `is asked for the client ${quoted(shown)}, and the settings name ${quoted(clientId)}`;
  return [[seen, 'is it another sidecar, or one that runs by older settings? `signet status`']];
}

function ofParameters({ searchParams }: URL): Problem[] {
  const value = (name: string) => searchParams.get(name) ?? '';
  const lacking = [
    ...(value('response_type') === 'code' ? [] : ['response_type=code']),
    ...(value('code_challenge_method') === 'S256' ? [] : ['code_challenge_method=S256']),
    ...(CHALLENGE.test(value('code_challenge')) ? [] : ['code_challenge']),
    ...['state', 'nonce'].filter((name) => value(name) === ''),
  ];
  return lacking.length === 0 ? [] : [[`the request lacks ${lacking.join(', ')}`, RESTART]];
}

function ofReturn({ searchParams }: URL, site: URL): Problem[] {
  const text = searchParams.get('redirect_uri') ?? '';
  const back = URL.parse(text);
  const seen = `the redirect URI is ${text === '' ? 'missing' : quoted(text)}`;
  if (back === null || back.host !== site.host || !back.pathname.startsWith('/.signet/callback')) {
    return [[`${seen}, and not at ${site.host}`, 'Caddy must see the host that people open']];
  }
  if (back.protocol === 'https:' || isLoopback(back.hostname)) return [];
  const mend =
    'where TLS ends in front of Caddy, name that proxy in `servers { trusted_proxies … }`';
  return [[`${seen}, which is not https`, mend]];
}

function endpointOf({ origin, pathname }: URL): string {
  return origin + pathname;
}
