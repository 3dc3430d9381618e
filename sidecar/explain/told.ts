// What is known of an outcome besides what happens: whether it is one of the sidecar's own pages, and whether any site is
// for that host at all. Pure.
import type { Adapted, Handler, Route } from '../edge/adapted.ts';
import { dialsOf, gateOf } from '../edge/gate-handler.ts';
import type { Outcome } from './walk.ts';

/** Where the sidecar's pages are. */
const PAGES = '/.signet/';

/**
 * Returns where the gates of a configuration dial, each once; without any, where the pages of `import signet` do, which
 * log the stamp of each answer.
 */
export function sidecarsOf({ servers }: Adapted): ReadonlySet<string> {
  const routes = Object.values(servers).flatMap(
    ({ routes: own = [], errors, named_routes: named }) => [
      ...own,
      ...(errors?.routes ?? []),
      ...Object.values(named ?? {}),
    ],
  );
  const parts = routes.map(dialsIn);
  const gates = parts.flatMap((part) => part.gates);
  return new Set(gates.length > 0 ? gates : parts.flatMap(({ pages }) => pages));
}

/** Where gates and the pages of `import signet` dial. */
type Dials = { readonly gates: readonly string[]; readonly pages: readonly string[] };

/** A route is looked through once, however many requests are asked about. */
const looked = new WeakMap<Route, Dials>();

function dialsIn(route: Route): Dials {
  const known = looked.get(route) ?? lookThrough(route);
  looked.set(route, known);
  return known;
}

function lookThrough(route: Route): Dials {
  const handlers = handlersIn(route);
  const gates = handlers.flatMap((handler) => gateOf(handler)?.dials ?? []);
  return { gates, pages: handlers.filter(logsStamp).flatMap(dialsOf) };
}

function handlersIn(json: object): Handler[] {
  const found: Handler[] = [];
  const open: object[] = [json];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if ('handler' in next && typeof next.handler === 'string') {
      found.push({ ...next, handler: next.handler });
    }
    const inner: unknown[] = Object.values(next);
    open.push(...inner.filter((value) => typeof value === 'object' && value !== null));
  }
  return found;
}

function logsStamp({ handler, handle_response: responses }: Handler): boolean {
  return (
    handler === 'reverse_proxy' && JSON.stringify(responses ?? '').includes('header.Signet-Stamp}')
  );
}

/** Returns whether the sidecar itself answers, as it does on its own pages. */
export function isOwnPage(
  { served }: Pick<Outcome<unknown>, 'served'>,
  path: string | undefined,
  sidecars: ReadonlySet<string>,
): boolean {
  if (served.by !== 'proxy' || path?.startsWith(PAGES) !== true) return false;
  return served.dials.length > 0 && served.dials.every((dial) => sidecars.has(dial));
}

/** Where the `redir` leads that is `import signet`'s refusal (caddy/signet.caddy says why it is one). */
const REFUSED = '/.signet/refused/';

/** Returns whether it is `import signet` that refuses it, before any block is looked for. */
export function isRefusedAtOnce({ served }: Pick<Outcome<unknown>, 'served'>): boolean {
  return served.by === 'redirect' && served.to?.startsWith(REFUSED) === true;
}

/** Returns whether the request came past all of these sites, each of which is for hosts of its own. */
export function isSiteless(
  { served, hosts }: Pick<Outcome<unknown>, 'served' | 'hosts'>,
  routes: readonly Route[],
): boolean {
  if (served.by !== 'nothing' || hosts !== undefined || routes.length === 0) return false;
  return routes.every(({ match = [] }) => match.length > 0 && match.every((set) => 'host' in set));
}
