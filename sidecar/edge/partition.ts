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
export function partsOf(routes: readonly Route[]): readonly Part[] {
  const known = parted.get(routes) ?? partsIn(routes);
  parted.set(routes, known);
  return known;
}

/** Each list is taken apart once, whoever asks for its parts. */
const parted = new WeakMap<readonly Route[], readonly Part[]>();

/** `key` is its hosts as one text; undefined where it is for nobody in particular. */
type Sorted = PlacedRoute & { readonly key: string | undefined };

function partsIn(routes: readonly Route[]): Part[] {
  const lists = new Map<string, readonly string[]>();
  const sorted = routes.map((route, index): Sorted => {
    const { hosts } = hostsOf(route);
    const key = hosts && canonical(hosts);
    if (key !== undefined && hosts !== undefined) lists.set(key, hosts);
    return { route, index, key };
  });
  const own = Map.groupBy(sorted, ({ key }) => key);
  // That of another site. One that goes on may be for some of these, too.
  const shared = sorted.filter(({ key, route }) => key === undefined || route.terminal !== true);
  const parts = [...lists].map(([key, hosts]) => ({
    hosts,
    routes: inOrder(own.get(key) ?? [], shared, key),
  }));
  const others = own.get(undefined) ?? [];
  const hasOthers = routes.length === 0 || others.length > 0;
  return hasOthers ? [...parts, { hosts: [], routes: others.map(placed) }] : parts;
}

function inOrder(own: readonly Sorted[], shared: readonly Sorted[], key: string): PlacedRoute[] {
  const ours = own.map(({ route, index }) => ({ route: withoutHosts(route), index }));
  const others = shared.filter((one) => one.key !== key).map(placed);
  return [...ours, ...others].toSorted((one, other) => one.index - other.index);
}

function placed({ route, index }: Sorted): PlacedRoute {
  return { route, index };
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
