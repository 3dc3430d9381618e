// What is known of an outcome besides what happens: whether it is one of the sidecar's own pages, and whether any site is
// for that host at all. Pure.
import type { Adapted, Route } from '../edge/adapted.ts';
import { gateOf } from '../edge/gate-handler.ts';
import type { Outcome } from './walk.ts';

/** Where the sidecar's pages are. */
const PAGES = '/.signet/';

/** Returns where the gates of a configuration dial, each once. */
export function sidecarsOf({ servers }: Adapted): ReadonlySet<string> {
  const found = new Set<string>();
  const open: unknown[] = Object.values(servers);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    for (const dial of dialsIn(next)) found.add(dial);
    open.push(...Object.values(next).filter((value) => typeof value === 'object'));
  }
  return found;
}

function dialsIn(json: object): readonly string[] {
  if (!('handler' in json) || typeof json.handler !== 'string') return [];
  return gateOf({ ...json, handler: json.handler })?.dials ?? [];
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

/** Returns whether the request came past all of these sites, each of which is for hosts of its own. */
export function isSiteless(
  { served, hosts }: Pick<Outcome<unknown>, 'served' | 'hosts'>,
  routes: readonly Route[],
): boolean {
  if (served.by !== 'nothing' || hosts !== undefined || routes.length === 0) return false;
  return routes.every(({ match = [] }) => match.length > 0 && match.every((set) => 'host' in set));
}
