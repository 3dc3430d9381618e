// How an answer shows that Signet had a part in it: the request's id, and its trace, which only the gate and the
// sidecar's own pages tell. Pure.
import type { Reply } from './ask.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TRACE = /(?:^|[,;\s])trace;desc="?00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}"?/g;

type Answered = Pick<Reply, 'headers'>;

/** Returns the id that `import signet` gives each request; undefined where there is none, or more than one. */
export function requestIdOf({ headers }: Answered): string | undefined {
  const ids = new Set(headers['x-request-id']);
  const [id = ''] = ids;
  return ids.size === 1 && UUID.test(id) ? id : undefined;
}

/** Returns the traces that `Server-Timing` names, the app's own among them: 32 hex digits each. */
export function tracesOf({ headers }: Answered): string[] {
  const text = (headers['server-timing'] ?? []).join(', ');
  return [...text.matchAll(TRACE)].map(([, trace = '']) => trace);
}

/** Returns whether Signet's snippet had the request, and no gate: an open block, or Caddy's own answer. */
export function isUndecided(answered: Answered): boolean {
  return requestIdOf(answered) !== undefined && !isDecided(answered);
}

/** Returns whether the sidecar has decided this request: its trace is the request's, as only the sidecar says. */
export function isDecided(answered: Answered): boolean {
  const id = requestIdOf(answered)?.replaceAll('-', '');
  return id !== undefined && tracesOf(answered).includes(id);
}
