// Where requests are answered, and by what: which handlers serve something, and which only say no or lead elsewhere. Pure.
import { type Handler, recordAt, textsAt } from '../edge/adapted.ts';
import { asksForHeader, dialsOf, isOnlyFor2xx, responsesOf } from '../edge/gate-handler.ts';
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
export function servedBy({ handler, gate }: Visit): Serves | undefined {
  const { handler: name } = handler;
  if (gate !== undefined || PASS_ON.includes(name)) return undefined;
  if (name === 'reverse_proxy') return isForwardAuth(handler) ? undefined : 'app';
  if (name === 'file_server') return 'files';
  if (name === 'static_response') return isEmptyAnswer(handler) ? undefined : 'text';
  return OTHERS.includes(name) ? 'other' : 'unknown';
}

// Somebody else's forward_auth: its refusals go to the client, and nothing else.
function isForwardAuth(handler: Handler): boolean {
  const { method } = recordAt(handler['rewrite']);
  return method === 'GET' && responsesOf(handler).some(({ match }) => isOnlyFor2xx(match));
}

// Closes, refuses, leads elsewhere, or says nothing.
function isEmptyAnswer({ abort, body, status_code: status, headers }: Handler): boolean {
  if (abort === true || body === undefined || body === '') return true;
  const code = Number(status ?? 200);
  return code >= 400 || (code >= 300 && Object.hasOwn(recordAt(headers), 'Location'));
}

/** Returns whether the handler proxies to a sidecar of Signet's, and is not its gate. */
export function isToSidecar({ handler, gate }: Visit, sidecars: readonly string[]): boolean {
  if (handler.handler !== 'reverse_proxy' || gate !== undefined) return false;
  return dialsOf(handler).some((dial) => sidecars.includes(dial));
}

/** Returns whether only requests for the sidecar's own pages come here. */
export function isForPages({ given }: Visit): boolean {
  return given.some(({ sets }) =>
    sets.every((set) => {
      const paths = textsAt(set['path']);
      return paths.length > 0 && paths.every((path) => path.startsWith('/.signet/'));
    }),
  );
}

/** Returns whether an answer without the gate's stamp can let a request in. */
export function letsInUnstamped({ answers }: Visit): boolean {
  return answers.some(({ match, exit }) => exit && !asksForHeader(match, 'signet-stamp'));
}

/** Returns whether the handler proxies pages as `import signet` does: with the stamp of each answer. */
export function isPages(visit: Visit): boolean {
  const { handler } = visit;
  if (handler.handler !== 'reverse_proxy' || !isForPages(visit)) return false;
  return JSON.stringify(handler['handle_response'] ?? '').includes('Signet-Stamp');
}
