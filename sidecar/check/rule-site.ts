// What a site needs besides its gates: all of `import signet`, and Caddy's own bounds around it.
import type { Server } from '../edge/adapted.ts';
import { recordAt, textsAt } from '../edge/adapted.ts';
import { CADDY_FLOOR, isBelow, unsafeBecause } from '../edge/version.ts';
import { hostOf, isEverybody, reachOf } from './addresses.ts';
import type { Found } from './finding.ts';
import { serverPointer } from '../edge/pointer.ts';
import type { Visit } from '../edge/walk.ts';
import { type Edge, foundAt, foundIn, type Rule, type Site } from './rule.ts';
import { findTakenOver } from './taken-over.ts';
import { onlyLeadsToHttps } from './plain.ts';
import { listensBy, tlsOf } from './tls.ts';

/** Returns sites with gates or open blocks and nothing of `import signet`. */
export const findBareSites: Rule = ({ sites }) =>
  sites
    .filter(({ lacksSignet }) => lacksSignet)
    .map(({ visits, hosts, server }) => {
      const [first] = visits.filter(({ gate }) => gate);
      const seen = 'nothing of `import signet` is in this site';
      return first
        ? { ...foundIn('signet-missing', first.pointer, hosts, seen), where: whereOf(first) }
        : foundIn('signet-missing', serverPointer(server), hosts, seen);
    });

function whereOf({ pointer, hosts, path }: Site['visits'][number]): Found['where'] {
  return { pointer, hosts, path };
}

/** More is a flood of the log; Caddy's default is 1 MiB. In bytes. */
const MAX_HEADER_BYTES = 128 * 1024;

/** Returns what is wrong around the sites: bounds, Caddy's admin endpoint and version, proxies, TLS. */
export const findAround: Rule = (edge) => {
  const signets = edge.sites.filter(({ isSignets }) => isSignets);
  if (signets.length === 0) return [];
  const names = [...new Set(signets.map(({ server }) => server))];
  return [
    ...ofVersion(edge),
    ...findTakenOver(edge.adapted),
    ...ofSidecar(edge),
    ...signets.flatMap(({ visits }) => visits.flatMap(ofProxy)),
    ...names.flatMap((name) => ofServer(name, edge.adapted.servers[name] ?? {})),
    ...signets.flatMap((site) => ofTls(site, edge)),
  ];
};

function ofVersion({ caddy }: Edge): Found[] {
  if (caddy === undefined || !isBelow(caddy, CADDY_FLOOR)) return [];
  const holes = unsafeBecause(caddy).map(({ ids, what }) => `${ids.join(', ')}: ${what}`);
  return [foundIn('caddy-old', '', [], `Caddy ${caddy.text} (${holes.join('; ')})`)];
}

function ofSidecar({ settings: { listen } }: Edge): Found[] {
  if (listen === undefined || reachOf(listen) !== 'others') return [];
  return [foundIn('sidecar-exposed', '', [], `by its settings the sidecar listens on ${listen}`)];
}

function ofServer(name: string, server: Server): Found[] {
  const found: Found[] = [];
  const { max_header_bytes: bytes = 0, trusted_proxies: proxies } = server;
  if (bytes <= 0 || bytes > MAX_HEADER_BYTES) {
    const seen = bytes <= 0 ? 'max_header_size is not set' : `max_header_size is ${bytes} bytes`;
    found.push(
      foundIn('header-bound', serverPointer(name), [], `${seen} for ${listensOn(server)}`),
    );
  }
  const ranges = textsAt(recordAt(proxies)['ranges']).filter(isEverybody);
  if (ranges.length > 0) {
    const pointer = `${serverPointer(name)}/trusted_proxies`;
    found.push(foundIn('proxies-trusted', pointer, [], `trusted_proxies has ${ranges.join(', ')}`));
  } else if (proxies !== undefined && believesFirst(server)) {
    const seen = `trusted_proxies without trusted_proxies_strict for ${listensOn(server)}`;
    found.push(foundIn('proxies-not-strict', serverPointer(name), [], seen));
  }
  return found;
}

// Caddy 2.11: `determineTrustedProxy`. A header of another name is one that the proxy writes alone, or none would name it.
function believesFirst(server: Server): boolean {
  const headers = textsAt(server['client_ip_headers']);
  const isUsual = headers.length === 0 || headers.some((name) => /^x-forwarded-for$/i.test(name));
  return isUsual && !(Number(server['trusted_proxies_strict'] ?? 0) > 0);
}

// A proxy's own list: its upstream believes whom it names.
function ofProxy(visit: Visit): Found[] {
  const ranges = textsAt(visit.handler['trusted_proxies']).filter(isEverybody);
  if (ranges.length === 0) return [];
  return [foundAt('proxies-trusted', visit, `its trusted_proxies has ${ranges.join(', ')}`)];
}

function ofTls(site: Site, edge: Edge): Found[] {
  const { server, hosts } = site;
  const settings = edge.adapted.servers[server] ?? {};
  if (settings['trusted_proxies'] !== undefined || hosts.some(isLocal)) return [];
  const seen = plainly(site, settings, edge);
  if (seen === undefined) return [];
  const what = `${hosts.join(', ') || 'the site'} ${seen}`;
  return [foundIn('plain-http', serverPointer(server), hosts, what)];
}

function plainly(site: Site, settings: Server, edge: Edge): string | undefined {
  const { plain } = listensBy(settings, edge.adapted.ports);
  if (plain.length > 0 && !onlyLeadsToHttps(site)) {
    return `is served on ${listensOn({ listen: plain })} without TLS`;
  }
  // Loaded ones would stand there; of that part of the configuration nothing more is known.
  if (tlsOf(settings, edge.adapted.ports) !== 'port' || edge.adapted.apps.includes('tls'))
    return undefined;
  return `is served on ${listensOn(settings)} without a certificate: no site of it names a host`;
}

// Browsers take http on their own machine for safe.
function isLocal(host: string): boolean {
  return reachOf(host) === 'loopback' || host.endsWith('.localhost');
}

function listensOn({ listen = [] }: Server): string {
  return listen
    .map((address) => (hostOf(address) === '' ? `port ${address.slice(1)}` : address))
    .join(', ');
}
