// What Caddy would do with a request to one site: sent to the server that has it, for a host that is this site's and
// no other's. What other servers and sites do with theirs is looked at where these are.
import { type Adapted, recordAt, type Server, textsAt } from '../edge/adapted.ts';
import { partsOf } from '../edge/partition.ts';
import { routesFor } from './routes-for.ts';
import { explainRequest, type Told } from '../explain/explain.ts';
import { matchOne } from '../explain/match.ts';
import { readRequest, type Request } from '../explain/request.ts';
import { isOnPort, portOf } from './ports.ts';
import type { Edge, Site } from './rule.ts';
import { listensBy } from './tls.ts';

/** A request of somebody who is not signed in. */
export type Asking = {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Of those that the site is for, a pattern among them; default: the first. */
  readonly host?: string | undefined;
};

/** Returns all that may happen to it; undefined where it is no request that Caddy would read. */
export function askSite(site: Site, edge: Edge, asking: Asking): readonly Told[] | undefined {
  const { adapted, caddy } = edge;
  const { method } = asking;
  const { url, port, host } = targetOf(site, edge, asking);
  const found = { refused: 'no-credentials' } as const;
  const explained = explainRequest(alone(adapted, site.server, port, host), {
    ...{ method, url, found, caddy },
  });
  return 'problem' in explained ? undefined : explained.outcomes;
}

/** Returns the request as it comes to the site's first route; undefined as above. */
export function requestTo(site: Site, edge: Edge, asking: Asking): Request | undefined {
  const { url } = targetOf(site, edge, asking);
  const read = readRequest({ method: asking.method, url, caddy: edge.caddy });
  return 'problem' in read ? undefined : read.request;
}

type Target = { readonly url: string; readonly port: number; readonly host: string };

function targetOf(site: Site, { adapted }: Edge, { path, host: asked }: Asking): Target {
  const server = adapted.servers[site.server] ?? {};
  const { secure, plain } = listensBy(server, adapted.ports);
  const [address = ''] = [...secure, ...plain];
  const scheme = secure.includes(address) ? 'https' : 'http';
  const usual = scheme === 'https' ? 443 : 80;
  // One for a unix socket, which has none.
  const port = portOf(address) ?? 443;
  const at = port === usual ? '' : `:${port}`;
  const host = hostFor(asked ?? site.hosts[0], server);
  return { url: `${scheme}://${inUrl(host)}${at}${path}`, port, host };
}

function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

// Wherever the server listens, that port leads to it and to none else. What the others' sites add to port 80 stays.
function alone({ servers, ...others }: Adapted, name: string, port: number, host: string): Adapted {
  const entries = Object.entries(servers).map(([key, server]) => {
    const elsewhere = (server.listen ?? []).filter((address) => !isOnPort(address, port));
    if (key !== name) return [key, { ...server, listen: elsewhere }];
    const routes = routesFor(host, server);
    return [key, { ...server, routes, listen: [`:${port}`, ...elsewhere] }];
  });
  return { ...others, servers: Object.fromEntries(entries) };
}

// For a pattern a host that is no other site's, and for a site of any host one that no site of the server names.
function hostFor(first: string | undefined, server: Server): string {
  if (first !== undefined && !first.includes('*')) return first;
  const named = hostsOf(server);
  const label = countedUp('any').find((one) => !named.some((host) => labelsOf(host).includes(one)));
  const filled = (host: string) => host.replaceAll('*', label ?? 'any');
  if (first !== undefined) return filled(first);
  const parts = partsOf(server.routes ?? []);
  const isForAny = parts.some((part) => part.hosts.length === 0);
  // All sites are taken for one where a request's host is changed on its way.
  if (!isForAny) return filled(parts[0]?.hosts[0] ?? 'localhost');
  const unnamed = DEPTHS.map((depth) => filled(`${'*.'.repeat(depth)}invalid`));
  return unnamed.find((host) => !isNamed(host, named)) ?? 'localhost';
}

/** A pattern takes hosts of as many labels as it has itself. */
const DEPTHS = [1, 2, 3, 4, 5, 6, 0];

function countedUp(word: string): string[] {
  return [word, ...Array.from({ length: 1000 }, (_, index) => `${word}${index + 1}`)];
}

function labelsOf(host: string): string[] {
  return host.toLowerCase().split('.');
}

function isNamed(host: string, named: readonly string[]): boolean {
  const read = readRequest({ method: 'GET', url: `https://${host}/` });
  return !('problem' in read) && matchOne('host', named, read.request).met === 'yes';
}

/** Each server is looked through once, however many sites of it are asked. */
const looked = new WeakMap<Server, readonly string[]>();

function hostsOf(server: Server): readonly string[] {
  const known = looked.get(server) ?? hostsIn(server.routes);
  looked.set(server, known);
  return known;
}

// Hosts and patterns of all matchers, whatever they stand in.
function hostsIn(json: unknown): readonly string[] {
  if (typeof json !== 'object' || json === null) return [];
  const inner = Object.values(json).flatMap(hostsIn);
  return Array.isArray(json) ? inner : [...textsAt(recordAt(json)['host']), ...inner];
}
