// What an `import signet` of an older version lacks, and one that was written by hand: what the present one refuses or logs
// for the whole site. Asked of a site with such requests, because a refusal can be written in many ways.
import { textsAt } from '../edge/adapted.ts';
import { isBelow } from '../edge/version.ts';
import type { Visit } from '../edge/walk.ts';
import type { Told } from '../explain/explain.ts';
import { matchSets } from '../explain/match.ts';
import type { Served } from '../explain/way.ts';
import { type Asking, askSite, requestTo } from './ask-site.ts';
import type { Found } from './finding.ts';
import { logsOf, logsOfLogger, type NamedLog, signetLog } from './logs-of.ts';
import { pathsIn } from './paths-in.ts';
import { isToSidecar, servedBy } from './places.ts';
import { pagesElsewhere } from './rule-pages.ts';
import { type Edge, foundIn, type Rule, type Site } from './rule.ts';
import { serverPointer } from '../edge/pointer.ts';

/** Returns sites with apps that lack something of the present `import signet`; one finding for all of it. */
export const findOldSignet: Rule = (edge) =>
  edge.sites
    .filter((site) => site.isSignets && !site.lacksSignet && hasApp(site, edge))
    .flatMap((site) => inSite(site, edge));

function hasApp({ visits }: Site, { sidecars }: Edge): boolean {
  return visits.some(
    (visit) =>
      visit.mode === 'request' && servedBy(visit) === 'app' && !isToSidecar(visit, sidecars),
  );
}

function inSite(site: Site, edge: Edge): Found[] {
  const lacks = [
    ...(comesThrough(site, edge, tunnels) ? ['CONNECT is not refused'] : []),
    ...(comesThrough(site, edge, dotted) ? ['dot segments in a path are not refused'] : []),
    ...unlogged(site, edge).map((host) => `a host such as ${host} is not logged`),
  ];
  // Where its pages are not reached, its refusals are neither: that has to be said.
  if (lacks.length === 0 || pagesElsewhere(site, edge).length > 0) return [];
  const seen = `${site.hosts.join(', ') || 'the site'}: ${lacks.join('; ')}`;
  return [foundIn('signet-old', serverPointer(site.server), site.hosts, seen)];
}

function tunnels(path: string): Asking[] {
  return [{ method: 'CONNECT', path }];
}

/** As apps read them; to Caddy's matchers the path is what is left without them. */
const DOTS = ['..%2f', '%2e%2e/', '.%2E/', '..%5c', '..;/', './'];

function dotted(path: string): Asking[] {
  const folder = path.endsWith('/') ? path : `${path}/`;
  return DOTS.map((dots) => ({ method: 'GET', path: `${folder}${dots}x` }));
}

/** As it is said what an outcome hangs on. Of such a CONNECT Caddy makes a GET (RFC 9220). */
const WEBSOCKET = '{http.request.proto} is websocket';

// To an app of a block, or to a gate that has one behind it.
function comesThrough(site: Site, edge: Edge, askings: (path: string) => Asking[]): boolean {
  const paths = new Set(['/', ...pathsIn(site)]);
  return [...paths].flatMap(askings).some((asking) => {
    const outcomes = askSite(site, edge, asking) ?? [];
    return outcomes.some((told) => reachesApp(told, edge));
  });
}

function reachesApp({ served, behind, asked, open, when }: Told, { sidecars }: Edge): boolean {
  // Without a decision it is `unguarded`, which says enough.
  if (asked.length === 0 && open === undefined) return false;
  if (when.every((all) => all.includes(WEBSOCKET))) return false;
  return [served, ...behind].some((one) => dialsIn(one).some((dial) => !sidecars.includes(dial)));
}

function dialsIn(served: Served): readonly string[] {
  if (served.by === 'intercept') return dialsIn(served.of);
  return served.by === 'proxy' ? served.dials : [];
}

/** From here on letters of any case find their log. */
const CASE_FROM = '2.11.7';

// Up to Caddy 2.11.6 the log is looked for by the very letters, and in brackets it is still not found.
function unlogged(site: Site, edge: Edge): string[] {
  const [host] = site.hosts;
  const { logs } = edge.adapted.servers[site.server] ?? {};
  if (host === undefined || logs === undefined) return [];
  const own = logsOf(edge.adapted, logs, site.hosts);
  const isOwn = ({ name }: NamedLog) => own.some((log) => log.name === name);
  // Without a log that has to be said; and it may take the hosts that have none, too.
  if (signetLog(own, edge.settings.accessLog) === undefined) return [];
  if (logsOf(edge.adapted, logs, []).some(isOwn)) return [];
  const isAnyCase = edge.caddy !== undefined && !isBelow(edge.caddy, CASE_FROM);
  const name = host.replaceAll('*', 'any');
  const odd = [...(isAnyCase ? [] : [name.toUpperCase()]), `[${name}]`];
  return odd.filter((spelled) => !site.visits.some((visit) => names(visit, spelled)));

  function names(visit: Visit, spelled: string): boolean {
    const { handler, access_logger_names: loggers } = visit.handler;
    if (handler !== 'vars' || visit.mode !== 'request') return false;
    const taking = textsAt([loggers].flat()).flatMap((one) => logsOfLogger(edge.adapted, one));
    const request = requestTo(site, edge, { method: 'GET', path: '/' });
    if (request === undefined || !taking.some(isOwn)) return false;
    return visit.given.every(
      ({ sets }) => matchSets(sets, { ...request, host: spelled }).met === 'yes',
    );
  }
}
