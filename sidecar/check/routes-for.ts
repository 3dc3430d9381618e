// Which of a server's routes a request for one host may come to, told without asking each of them: where there are
// hundreds of sites, a request to one would go through all the others. Matches nothing: explain/ does.
import { type Route, type Server, textsAt } from '../edge/adapted.ts';
import { changesHost } from '../edge/walk.ts';

type Placed = { readonly route: Route; readonly index: number };

/** Routes by the hosts that they are for by name alone, and those that may be for any. */
type Index = {
  readonly byHost: ReadonlyMap<string, readonly Placed[]>;
  readonly forAny: readonly Placed[];
};

/** Returns the server's routes without those that are for other hosts only, in order. */
export function routesFor(host: string, server: Server): readonly Route[] {
  const { byHost, forAny } = indexOf(server);
  const own = byHost.get(host.toLowerCase()) ?? [];
  const both = [...own, ...forAny].toSorted((one, other) => one.index - other.index);
  return both.map(({ route }) => route);
}

const indexed = new WeakMap<Server, Index>();

function indexOf(server: Server): Index {
  const known = indexed.get(server) ?? read(server);
  indexed.set(server, known);
  return known;
}

function read(server: Server): Index {
  const placed = (server.routes ?? []).map((route, index) => ({ route, index }));
  // What is for another host as it comes may be for this one later.
  if (changesHost(server)) return { byHost: new Map(), forAny: placed };
  const named = placed.map((one) => ({ ...one, hosts: namesOf(one.route) }));
  const byHost = new Map<string, Placed[]>();
  for (const { route, index, hosts = [] } of named) {
    for (const host of hosts) byHost.set(host, [...(byHost.get(host) ?? []), { route, index }]);
  }
  return { byHost, forAny: named.filter(({ hosts }) => hosts === undefined) };
}

/** Of letters that Go and JavaScript read alike; no pattern, no placeholder, no address. */
const NAME = /^[a-z0-9._-]+$/;

// In each of its sets, or it may be for any.
function namesOf({ match = [] }: Route): readonly string[] | undefined {
  const sets = match.map((set) => textsAt(set['host']).map((host) => host.toLowerCase()));
  const hosts = sets.flat();
  const isNamed = sets.length > 0 && sets.every((own) => own.length > 0);
  return isNamed && hosts.every((host) => NAME.test(host)) ? [...new Set(hosts)] : undefined;
}
