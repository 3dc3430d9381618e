// What a route is called in a trail: what a reader of the Caddyfile would look for.
import { routesAt, type Handler, type Route } from '../edge/adapted.ts';
import { describeHandler, describeMatch } from '../edge/describe.ts';
import { declaredOpen, gateOf } from '../edge/gate-handler.ts';
import { isHarmless } from './harmless.ts';

const MAX_NAMES = 3;

/** Returns when a route runs and what is in it; empty for one that neither answers nor changes where requests go. */
export function blockName(route: Route): string {
  const name = named.get(route) ?? nameOf(route);
  named.set(route, name);
  return name;
}

/** Of a route that is passed by the name is asked, too: of each site for each request to another. */
const named = new WeakMap<Route, string>();

function nameOf(route: Route): string {
  const { handle = [] } = route;
  if (handle.every(isHarmless) && handle.length > 0) return '';
  const names = [...new Set(handle.flatMap(namesIn))];
  const more = names.length > MAX_NAMES ? ', …' : '';
  const inside = names.slice(0, MAX_NAMES).join(', ') + more;
  return [describeMatch(route) ?? '', inside === '' ? '' : `{ ${inside} }`].join(' ').trim();
}

function namesIn(handler: Handler): string[] {
  const open = declaredOpen(handler);
  if (open !== undefined) return [`unprotected ${open}`];
  const gate = gateOf(handler);
  if (gate) return [`protect ${gate.route ?? ''}`.trim()];
  if (handler.handler === 'subroute') return subrouteNames(handler);
  return isHarmless(handler) ? [] : [describeHandler(handler)];
}

// What stands behind a gate is its block's.
function subrouteNames(handler: Handler): string[] {
  const names = routesAt(handler['routes']).flatMap(({ handle = [] }) => handle.flatMap(namesIn));
  const at = names.findIndex((name) => /^(?:un)?protect/.test(name));
  return at === -1 ? names : names.slice(0, at + 1);
}
