// Whether people can sign in: requests for the sidecar's own pages, walked through what Caddy would do with them.
import { holdsGate } from '../edge/gate-handler.ts';
import { type PlacedRoute, partsOf } from '../edge/partition.ts';
import { serverPointer } from '../edge/pointer.ts';
import type { Visit } from '../edge/walk.ts';
import type { Told } from '../explain/explain.ts';
import { matchSets } from '../explain/match.ts';
import type { Request } from '../explain/request.ts';
import { isRefusedAtOnce } from '../explain/told.ts';
import type { Served } from '../explain/way.ts';
import { type Asking, askSite, requestTo } from './ask-site.ts';
import type { Found } from './finding.ts';
import { pathsIn } from './paths-in.ts';
import { onlyLeadsToHttps } from './plain.ts';
import { type Edge, foundAt, foundIn, type Rule, type Site } from './rule.ts';
import { listensBy } from './tls.ts';

/** Where browsers and providers go. */
const PAGES = [
  ['GET', '/.signet/login'],
  ['GET', '/.signet/callback?code=a&state=b'],
  ['POST', '/.signet/logout'],
] as const;

/** Returns the sites on which the sidecar's pages are answered by something else. */
export const findPages: Rule = (edge) =>
  edge.sites
    .filter((site) => !site.lacksSignet && isMeant(site, edge) && !isLeft(site, edge))
    .flatMap((site) => pagesElsewhere(site, edge));

// Also where nothing comes to the gate: a site that leads everything elsewhere.
function isMeant({ server, hosts, visits }: Site, { adapted }: Edge): boolean {
  if (visits.some(({ gate }) => gate)) return true;
  const part = partsOf(adapted.servers[server]?.routes ?? []).find(
    (one) => one.hosts.join(' ') === hosts.join(' '),
  );
  return part !== undefined && holdsGate(untilEnd(part.routes));
}

// What stands behind a route that takes everything is another site's, for any host.
function untilEnd(routes: readonly PlacedRoute[]): readonly PlacedRoute[] {
  const end = routes.findIndex(({ route }) => route.terminal === true && route.match === undefined);
  return end === -1 ? routes : routes.slice(0, end + 1);
}

// Nobody stays: where they are led, the pages are another site's.
function isLeft(site: Site, { adapted }: Edge): boolean {
  const { secure } = listensBy(adapted.servers[site.server] ?? {}, adapted.ports);
  return secure.length === 0 && onlyLeadsToHttps(site);
}

/** Returns what answers the sidecar's pages of a site in its place; nothing where none does. */
export function pagesElsewhere(site: Site, edge: Edge): Found[] {
  for (const asking of askings(site, edge)) {
    const other = elsewhere(site, edge, asking);
    if (other === undefined) continue;
    const { method, path, host } = asking;
    const at = site.hosts.length > 1 ? ` at ${host}` : '';
    const seen = `${method} ${path.replace(/\?.*/, '')}${at} comes to ${inWords(other.served)}`;
    const visit = culprit(site, other, requestTo(site, edge, asking));
    return visit
      ? [foundAt('signet-unreachable', visit, seen)]
      : [foundIn('signet-unreachable', serverPointer(site.server), site.hosts, seen)];
  }
  return [];
}

// At each of its hosts, but for those whose visitors are led to another: nobody stays there.
function askings(site: Site, edge: Edge): Asking[] {
  const hosts = site.hosts.filter((host) => !isLedOn(host, site, edge));
  const asked = site.hosts.length === 0 ? [undefined] : hosts.length === 0 ? site.hosts : hosts;
  return asked.flatMap((host) => PAGES.map(([method, path]) => ({ method, path, host })));
}

function isLedOn(host: string, site: Site, edge: Edge): boolean {
  return ['/', '/.signet/login', ...pathsIn(site)].every((path) => {
    const outcomes = askSite(site, edge, { method: 'GET', path, host });
    return outcomes?.every(({ served }) => served.by === 'redirect' && isTo(served.to, site, host));
  });
}

function isTo(target: string | undefined, { hosts }: Site, from: string): boolean {
  const to = URL.parse(target ?? '')?.hostname;
  return to !== undefined && to !== from.toLowerCase() && (from.includes('*') || hosts.length > 1);
}

// Each thing that may happen must be the sidecar's answer.
function elsewhere(site: Site, edge: Edge, asking: Asking): Told | undefined {
  const outcomes = askSite(site, edge, asking);
  // What `import signet` refuses at once is nobody else's: an unsafe method in early data.
  return outcomes?.find(
    (told) => !isSidecars(told.served, edge.sidecars) && !isRefusedAtOnce(told),
  );
}

// What came first: a path that was rewritten, else what answers.
function culprit({ visits }: Site, told: Told, request: Request | undefined): Visit | undefined {
  const { served, trail } = told;
  const isRewritten = trail.some(({ did, what }) => did === 'ran' && what === 'rewrite');
  const isIt = (visit: Visit) => {
    if (visit.mode !== 'request' || visit.inGateAnswer) return false;
    // The same may stand where this request never comes.
    if (request && !mayCome(request, visit)) return false;
    if (isRewritten) return visit.handler.handler === 'rewrite';
    if ('what' in served) return visit.path.at(-1) === served.what;
    return (
      ['redirect', 'response', 'closed'].includes(served.by) &&
      visit.handler.handler === 'static_response'
    );
  };
  return visits.find(isIt);
}

// By what is asked of the request as it came.
function mayCome(request: Request, { given }: Visit): boolean {
  const asked = given.filter(({ isOfLine, epoch }) => isOfLine && epoch === '0');
  return asked.every(({ sets }) => matchSets(sets, request).met !== 'no');
}

function isSidecars(served: Served, sidecars: readonly string[]): boolean {
  // What is made of an answer on its way is not where it comes from.
  if (served.by === 'intercept') return isSidecars(served.of, sidecars);
  return served.by === 'proxy' && served.dials.some((dial) => sidecars.includes(dial));
}

function inWords(served: Served): string {
  switch (served.by) {
    case 'proxy':
    case 'handler':
      return served.what;
    case 'redirect':
      return 'a redirect';
    case 'response':
      return 'a response of the Caddyfile';
    case 'gate':
      return 'the gate, which refuses who is signed out';
    case 'error':
      return 'an error';
    case 'closed':
      return 'a closed connection';
    case 'intercept':
      return inWords(served.of);
    case 'nothing':
    case 'nobody':
      return 'nothing that answers';
  }
}
