// One server as the sites that it is: for each list of hosts the routes that are for it, and for all others those that
// ask for no host. So what one site does is not taken for something that happens now and then. Pure.
import { type MatcherSet, type Route, textsAt } from './adapted.ts';
import { canonical } from './conditions.ts';

/** A route, and its place among the server's. */
export type PlacedRoute = { readonly route: Route; readonly index: number };

export type Part = {
  /** As the routes have them; empty for the server's other hosts. */
  readonly hosts: readonly string[];
  readonly routes: readonly PlacedRoute[];
};

/** Returns the parts, in the order in which their first routes stand. */
export function partsOf(routes: readonly Route[]): Part[] {
  const lists = new Map<string, readonly string[]>();
  for (const { hosts } of routes.map(hostsOf)) if (hosts) lists.set(canonical(hosts), hosts);
  const parts = [...lists.values()].map((hosts) => ({ hosts, routes: routesFor(hosts, routes) }));
  const hasOthers =
    routes.length === 0 || routes.some((route) => hostsOf(route).hosts === undefined);
  return hasOthers ? [...parts, { hosts: [], routes: routesFor([], routes) }] : parts;
}

// Of the same hosts in each of its sets, or it is for nobody in particular.
function hostsOf({ match = [] }: Route): { readonly hosts: readonly string[] | undefined } {
  const [first, ...others] = match.map((set) => textsAt(set['host']));
  const isOne =
    first !== undefined &&
    first.length > 0 &&
    others.every((hosts) => canonical(hosts) === canonical(first));
  return { hosts: isOne ? first : undefined };
}

function routesFor(hosts: readonly string[], routes: readonly Route[]): PlacedRoute[] {
  return routes.flatMap((route, index) => {
    const own = hostsOf(route).hosts;
    if (own === undefined) return [{ route, index }];
    if (canonical(own) === canonical(hosts)) return [{ route: withoutHosts(route), index }];
    // That of another site. One that goes on may be for some of these, too.
    return route.terminal === true || hosts.length === 0 ? [] : [{ route, index }];
  });
}

function withoutHosts(route: Route): Route {
  const sets = (route.match ?? []).map(withoutHost);
  const { match: _, ...others } = route;
  return sets.some((set) => Object.keys(set).length === 0) ? others : { ...route, match: sets };
}

function withoutHost(set: MatcherSet): MatcherSet {
  return Object.fromEntries(Object.entries(set).filter(([name]) => name !== 'host'));
}

/** Returns all routes as one part, each with its own hosts. */
export function wholeOf(routes: readonly Route[]): Part[] {
  return [{ hosts: [], routes: routes.map((route, index) => ({ route, index })) }];
}
