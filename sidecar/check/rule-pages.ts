// Whether people can sign in: requests for the sidecar's own pages, walked through what Caddy would do with them.
import { partsOf } from '../edge/partition.ts';
import type { Visit } from '../edge/walk.ts';
import { explainRequest } from '../explain/explain.ts';
import type { Served } from '../explain/way.ts';
import type { Found } from './finding.ts';
import { type Edge, foundAt, foundIn, type Rule, type Site } from './rule.ts';
import { serverPointer } from '../edge/pointer.ts';
import { hasTls } from './rule-site.ts';

/** Where browsers and providers go. */
const PAGES = [
  ['GET', '/.signet/login'],
  ['GET', '/.signet/callback?code=a&state=b'],
  ['POST', '/.signet/logout'],
] as const;

/** Returns the sites on which the sidecar's pages are answered by something else. */
export const findPages: Rule = (edge) =>
  edge.sites
    .filter((site) => !site.lacksSignet && isMeant(site, edge))
    .flatMap((site) => inSite(site, edge));

// Also where nothing comes to the gate: a site that leads everything elsewhere.
function isMeant({ server, hosts, visits }: Site, { adapted }: Edge): boolean {
  if (visits.some(({ gate }) => gate)) return true;
  const part = partsOf(adapted.servers[server]?.routes ?? []).find(
    (one) => one.hosts.join(' ') === hosts.join(' '),
  );
  return part !== undefined && JSON.stringify(part.routes).includes('"/verify?');
}

function inSite(site: Site, edge: Edge): Found[] {
  for (const [method, path] of PAGES) {
    const other = elsewhere(site, edge, method, path);
    if (other === undefined) continue;
    const seen = `${method} ${path.replace(/\?.*/, '')} comes to ${inWords(other.served)}`;
    const visit = culprit(site, other);
    return visit
      ? [foundAt('signet-unreachable', visit, seen)]
      : [foundIn('signet-unreachable', serverPointer(site.server), site.hosts, seen)];
  }
  return [];
}

type Outcome = Exclude<ReturnType<typeof explainRequest>, { problem: string }>['outcomes'][number];

// Each thing that may happen must be the sidecar's answer.
function elsewhere(site: Site, edge: Edge, method: string, path: string): Outcome | undefined {
  const url = `${originOf(site, edge)}${path}`;
  const found = { refused: 'no-credentials' } as const;
  const explained = explainRequest(edge.adapted, { method, url, found, caddy: edge.caddy });
  if ('problem' in explained) return undefined;
  return explained.outcomes.find(({ served }) => !isSidecars(served, edge.sidecars));
}

// What came first: a path that was rewritten, else what answers.
function culprit({ visits }: Site, { served, trail }: Outcome): Visit | undefined {
  const isRewritten = trail.some(({ did, what }) => did === 'ran' && what === 'rewrite');
  const isIt = (visit: Visit) => {
    if (visit.mode !== 'request' || visit.inGateAnswer) return false;
    if (isRewritten) return visit.handler.handler === 'rewrite';
    if ('what' in served) return visit.path.at(-1) === served.what;
    return (
      ['redirect', 'response', 'closed'].includes(served.by) &&
      visit.handler.handler === 'static_response'
    );
  };
  return visits.find(isIt);
}

/** Returns where clients find the site: its first host, or one that its first pattern matches. */
export function originOf({ hosts, server }: Site, { adapted }: Edge): string {
  const settings = adapted.servers[server] ?? {};
  const port = /:(\d+)(?:-\d+)?$/.exec(settings.listen?.[0] ?? '')?.[1] ?? '443';
  const host = (hosts[0] ?? 'localhost').replaceAll('*', 'any');
  return `${hasTls(settings, hosts) ? 'https' : 'http'}://${host}:${port}`;
}

function isSidecars(served: Served, sidecars: readonly string[]): boolean {
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
    case 'nothing':
    case 'nobody':
      return 'nothing that answers';
  }
}
