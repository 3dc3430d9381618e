// The gate itself: what it is asked, what lets in, how it is reached, and by which Caddy.
import { recordAt, textsAt } from '../edge/adapted.ts';
import { dialsOf, isOnlyFor2xx } from '../edge/gate-handler.ts';
import { CADDY_ADVISED, isBelow } from '../edge/version.ts';
import type { Visit } from '../edge/walk.ts';
import { reachOf } from './addresses.ts';
import type { Found } from './finding.ts';
import { letsInUnstamped, servedBy } from './places.ts';
import { type Edge, foundAt, headersSent, isGuarded, type Rule } from './rule.ts';

/** Returns what is wrong with gates. */
export const findGates: Rule = (edge) =>
  edge.sites.flatMap((site) => {
    const gates = site.visits.filter(({ gate, mode }) => gate && mode === 'request');
    return gates.flatMap((visit) => [
      ...letsIn(visit, edge),
      ...waits(visit),
      ...reached(visit, edge),
      ...question(visit, site.lacksSignet),
      ...dialsLate(visit, site.visits, edge),
    ]);
  });

function letsIn(visit: Visit, edge: Edge): Found[] {
  if (visit.answers.some(({ match, exit }) => exit && !isOnlyFor2xx(match))) {
    const seen =
      'a handle_response that is not for 2xx alone neither copies the answer nor ends by another';
    return [foundAt('gate-lets-refused-in', visit, seen)];
  }
  if (!canDialLate(edge) || !letsInUnstamped(visit)) return [];
  return [foundAt('gate-unstamped', visit, `${version(edge)} dials late, and any 2xx lets in`)];
}

/** Without a version, the worst. */
function canDialLate({ caddy }: Edge): boolean {
  return caddy === undefined || isBelow(caddy, CADDY_ADVISED);
}

function version({ caddy }: Edge): string {
  return caddy ? `Caddy ${caddy.text}` : 'a Caddy of unknown version';
}

function waits(visit: Visit): Found[] {
  const { response_header_timeout: timeout } = recordAt(visit.handler['transport']);
  if (typeof timeout === 'number' && timeout > 0) return [];
  return [foundAt('gate-waits', visit, 'no response_header_timeout is set')];
}

function reached(visit: Visit, { env }: Edge): Found[] {
  const dials = visit.gate?.dials ?? [];
  const exposed = dials.filter((dial) => reachOf(dial) === 'others');
  const isTcp = dials.some((dial) => ['loopback', 'others'].includes(reachOf(dial)));
  const key = gateKey(visit);
  const found: Found[] = [];
  if (exposed.length > 0) {
    const isPath = exposed.some((dial) => dial.replace(/^[a-z]+\//, '').includes('/'));
    const seen = isPath
      ? `Caddy reads ${exposed.join(', ')} as a host: a socket is written unix//PATH`
      : `the gate is asked at ${exposed.join(', ')}, which is not this machine’s own`;
    found.push(foundAt('sidecar-exposed', visit, seen));
  }
  if (isTcp && key === undefined) {
    found.push(
      foundAt('gate-key-missing', visit, `${dials.join(', ')} is asked without Signet-Key`),
    );
  }
  const [, name = ''] = /^\{env\.(\w+)\}$/.exec(key ?? '') ?? [];
  // Where the socket is said here, the key would be, too.
  if (isTcp && name !== '' && env['SIGNET_SOCKET'] && !env[name]) {
    const seen = `${dials.join(', ')} is asked with ${name}, which is not set where SIGNET_SOCKET is`;
    found.push(foundAt('gate-key-missing', visit, seen));
  }
  if (key !== undefined && !key.includes('{')) {
    found.push(foundAt('secret-in-file', visit, 'Signet-Key is written out'));
  }
  return found;
}

function gateKey({ handler }: Visit): string | undefined {
  const { set } = recordAt(recordAt(handler['headers'])['request']);
  const entry = Object.entries(recordAt(set)).find(([name]) => name.toLowerCase() === 'signet-key');
  return entry && String(entry[1]);
}

// Asked by a site without `import signet` it lacks more, and that is told.
function question(visit: Visit, lacksSignet: boolean): Found[] {
  const sent = headersSent(visit);
  const found: Found[] = [];
  const believed = (['x-forwarded-uri', 'x-forwarded-method'] as const).filter(
    (name) => sent[name] === 'client',
  );
  if (believed.length > 0 && !lacksSignet) {
    found.push(
      foundAt('forwarded-believed', visit, `the gate gets the client’s own ${believed.join(', ')}`),
    );
  }
  if (sent['x-request-id'] !== 'uuid') {
    found.push(foundAt('gate-question', visit, 'X-Request-Id is not {http.request.uuid}'));
  }
  const other = wrongly(visit);
  if (other !== undefined) found.push(foundAt('gate-question', visit, other));
  const missing = (['x-forwarded-uri', 'x-forwarded-method'] as const).filter(
    (name) => sent[name] === 'absent',
  );
  if (missing.length > 0) {
    found.push(foundAt('gate-question', visit, `${missing.join(', ')} is not sent`));
  }
  return found;
}

/** What Caddy itself knows; `orig_`, because a rewritten path leads nobody back. */
const SAID_BY_CADDY: Record<string, RegExp> = {
  'x-forwarded-uri': /^\{http\.request\.(orig_)?uri\}$/,
  'x-forwarded-method': /^\{http\.request\.(orig_)?method\}$/,
};

function wrongly({ handler }: Visit): string | undefined {
  const { set } = recordAt(recordAt(handler['headers'])['request']);
  const wrong = Object.entries(recordAt(set)).find(([name, values]) => {
    const said = SAID_BY_CADDY[name.toLowerCase()];
    return said !== undefined && !textsAt(values).every((value) => said.test(value));
  });
  return wrong && `${wrong[0]} is set from ${textsAt(wrong[1]).join(', ')}`;
}

// With the gate's connections kept, and an app on a unix socket behind it.
function dialsLate(visit: Visit, visits: readonly Visit[], edge: Edge): Found[] {
  if (!canDialLate(edge) || edge.caddy === undefined) return [];
  const { keep_alive: kept } = recordAt(visit.handler['transport']);
  if (recordAt(kept)['enabled'] === false) return [];
  const block = visit.pointer.slice(0, visit.pointer.lastIndexOf('/routes/'));
  const app = visits.find(
    (other) =>
      other.pointer.startsWith(block) &&
      servedBy(other) === 'app' &&
      isGuarded(other) &&
      dialsOf(other.handler).some((dial) => reachOf(dial) === 'unix'),
  );
  if (app === undefined) return [];
  const seen = `${version(edge)}, and ${app.path.at(-1)} is an app on a unix socket`;
  return [foundAt('caddy-late-dial', app, seen)];
}
