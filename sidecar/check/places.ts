// Where requests are answered, and by what: which handlers serve something, and which only say no or lead elsewhere. Pure.
import { type Handler, type MatcherSet, recordAt, textsAt } from '../edge/adapted.ts';
import { asksForHeader, dialsOf, isOnlyFor2xx } from '../edge/gate-handler.ts';
import { htmlRedirectOf } from '../edge/html-redirect.ts';
import type { Visit } from '../edge/walk.ts';

/** What serves: an app, files, a text of the configuration, another handler of Caddy's own, or one that is not Caddy's. */
export type Serves = 'app' | 'files' | 'text' | 'other' | 'unknown';

/** Caddy 2.11's own handlers that answer nobody by themselves. */
const PASS_ON = [
  'authentication',
  'copy_response',
  'copy_response_headers',
  'encode',
  'error',
  'headers',
  'intercept',
  'invoke',
  'log_append',
  'map',
  'push',
  'request_body',
  'rewrite',
  'subroute',
  'templates',
  'tracing',
  'vars',
];

const OTHERS = ['acme_server', 'metrics'];

/** Returns what a handler serves; undefined where it serves nothing, or asks a gate. */
export function servedBy(visit: Visit): Serves | undefined {
  const { handler, gate } = visit;
  const { handler: name } = handler;
  if (gate !== undefined || PASS_ON.includes(name)) return undefined;
  if (name === 'reverse_proxy') return isForwardAuth(visit) ? undefined : 'app';
  if (name === 'file_server') return 'files';
  if (name === 'static_response') return isEmptyAnswer(handler) ? undefined : 'text';
  return OTHERS.includes(name) ? 'other' : 'unknown';
}

// Somebody else's forward_auth: its refusals go to the client, and its yes to nobody.
function isForwardAuth({ handler, answers }: Visit): boolean {
  const { method } = recordAt(handler['rewrite']);
  const yes = answers.findIndex(({ match, exit }) => exit && isForEach2xx(match));
  // Behind that no 2xx comes.
  const before = answers.slice(0, Math.max(yes, 0));
  const isHandedOn = before.some(({ match, exit }) => !exit && isFor2xx(match));
  return method === 'GET' && yes !== -1 && !isHandedOn;
}

function isForEach2xx(match: MatcherSet | undefined): boolean {
  const statuses = match?.['status_code'];
  const isWhole = Array.isArray(statuses) && statuses.includes(2) && isOnlyFor2xx(match);
  return isWhole && Object.keys(recordAt(match?.['headers'])).length === 0;
}

function isFor2xx(match: MatcherSet | undefined): boolean {
  const statuses = match?.['status_code'];
  if (!Array.isArray(statuses) || statuses.length === 0) return true;
  return statuses.some(
    (status) => status === 2 || (Number(status) >= 200 && Number(status) <= 299),
  );
}

// Closes, refuses, leads elsewhere, or says nothing.
function isEmptyAnswer(handler: Handler): boolean {
  const { abort, body, status_code: status, headers } = handler;
  if (abort === true || body === undefined || body === '') return true;
  if (htmlRedirectOf(handler) !== undefined) return true;
  const code = Number(status ?? 200);
  return code >= 400 || (code >= 300 && Object.hasOwn(recordAt(headers), 'Location'));
}

/** Returns whether the handler proxies to a sidecar of Signet's, and is not its gate. */
export function isToSidecar({ handler, gate }: Visit, sidecars: readonly string[]): boolean {
  if (handler.handler !== 'reverse_proxy' || gate !== undefined) return false;
  const dials = dialsOf(handler);
  return dials.length > 0 && dials.every((dial) => sidecars.includes(dial));
}

/** Returns whether only requests for the sidecar's own pages come here. */
export function isForPages({ given, known, handler }: Visit): boolean {
  if (handler['rewrite'] !== undefined) return false;
  return given.some(({ sets, epoch }) => {
    // Asked of the path as it is now.
    if (epoch !== String(known.rewrites)) return false;
    return sets.every((set) => {
      const paths = textsAt(set['path']);
      return paths.length > 0 && paths.every((path) => path.startsWith('/.signet/'));
    });
  });
}

/** Returns whether an answer without the gate's stamp can let a request in. */
export function letsInUnstamped({ answers }: Visit): boolean {
  return answers.some(({ match, exit }) => exit && !asksForHeader(match, 'signet-stamp'));
}

/** Where the snippets dial, if nothing else is said. */
const DEFAULT_SOCKET = 'unix//run/signet/sidecar.sock';

/** Returns whether the handler proxies pages as `import signet` does: with the stamp of each answer. */
export function isPages(visit: Visit, gates: readonly string[]): boolean {
  const { handler } = visit;
  if (handler.handler !== 'reverse_proxy' || !isForPages(visit)) return false;
  if (!dialsOf(handler).every((dial) => [...gates, DEFAULT_SOCKET].includes(dial))) return false;
  return JSON.stringify(handler['handle_response'] ?? '').includes('Signet-Stamp');
}
