// What a request to Signet says, sorted by who says it: Caddy, the Caddyfile, the client.
// Reading only; nothing here is proof of anything.
import { readCookie, SESSION_COOKIE } from './identity/cookie.ts';
import type { How } from './policy/decide.ts';
import { ROUTE_NAME } from './policy/route-name.ts';
import { isUuid } from './trace/ids.ts';

/** Header values by lower-case name; repeated ones joined by a comma, as Node does it. */
export type RequestHeaders = Readonly<Record<string, string | undefined>>;

/** What Caddy says of the request that it asks about. */
export type Asked = {
  readonly requestId: string;
  readonly uri: string;
  readonly how: How;
  /** What the Caddyfile says: the block's name and requirement, raw. */
  readonly route: string;
  readonly require: string | undefined;
};

/** What the client offers as proof. */
export type Evidence = {
  readonly bearer?: string;
  /** The cookie's value, or `repeated` when the name stands there twice. */
  readonly session: string | undefined;
};

// Of `protect NAME ""` Caddy 2.11 makes `require`, without the `=`: no requirement, which denies. Older snippets, of
// which one may still be there, name the route first.
const TARGET = new RegExp(
  `^/verify\\?(?:require(?:=(.*))?&route=(${ROUTE_NAME})|route=(${ROUTE_NAME})(?:&require(?:=(.*))?)?)$`,
);

/**
 * Returns the question of one `forward_auth` subrequest, or undefined when it was not Caddy with our
 * snippet who asked: a missing header, or a target of another shape. `route` is last and holds no `&`: nothing
 * that is appended can become a parameter of its own. Caddy cuts a target at `#` (2.11): where one stands in the
 * requirement, the route is missing, and that is no question.
 */
export function readAsked(target: string, headers: RequestHeaders): Asked | undefined {
  const block = TARGET.exec(target);
  const origin = readOrigin(headers);
  const method = headers['x-forwarded-method'];
  const uri = headers['x-forwarded-uri'];
  if (block === null || origin === undefined || method === undefined || uri === undefined) {
    return undefined;
  }
  return {
    requestId: origin.requestId,
    uri,
    how: howOf(method, headers),
    route: block[2] ?? block[3] ?? '',
    require: block[1] ?? block[4],
  };
}

/** What Caddy says on every path: the request's id, and where the client thinks it is. */
export type Origin = { readonly requestId: string; readonly scheme: string; readonly host: string };

/** Returns the origin, or undefined when one of Caddy's own headers is missing or malformed. */
export function readOrigin(headers: RequestHeaders): Origin | undefined {
  const requestId = headers['x-request-id'];
  const scheme = headers['x-forwarded-proto'];
  const host = headers['x-forwarded-host'];
  if (requestId === undefined || !isUuid(requestId)) return undefined;
  if (scheme === undefined || host === undefined) return undefined;
  if (headers['x-forwarded-for'] === undefined) return undefined;
  return { requestId: requestId.toLowerCase(), scheme, host };
}

/** Returns what the client offers. A caller with both presents the bearer. */
export function readEvidence(headers: RequestHeaders, cookieName = SESSION_COOKIE): Evidence {
  const session = readCookie(headers['cookie'], cookieName);
  const authorization = headers['authorization'];
  if (authorization === undefined || !/^bearer\s/i.test(authorization)) return { session };
  return { bearer: authorization.slice('bearer'.length).trim(), session };
}

function howOf(method: string, headers: RequestHeaders): How {
  if (isPreflight(method, headers)) return 'preflight';
  return isNavigation(method, headers) ? 'navigation' : 'other';
}

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

// CORS-preflight fetch, Fetch standard 4.8: both headers, one value each. Node joins what stands twice by a
// comma, and then it is none.
function isPreflight(method: string, headers: RequestHeaders): boolean {
  if (method !== 'OPTIONS') return false;
  const origin = headers['origin'] ?? '';
  return /^[^\s,]+$/.test(origin) && TOKEN.test(headers['access-control-request-method'] ?? '');
}

// Fetch Metadata tells it outright; without it, a GET that accepts HTML is a person's.
function isNavigation(method: string, headers: RequestHeaders): boolean {
  const mode = headers['sec-fetch-mode'];
  if (mode !== undefined) return mode === 'navigate';
  const isRead = method === 'GET' || method === 'HEAD';
  return isRead && (headers['accept'] ?? '').includes('text/html');
}
