// What apps are told of the caller: only what the gate said, and nothing that a client can change.
import { recordAt, textsAt } from '../edge/adapted.ts';
import { isFastCgi } from '../edge/describe.ts';
import {
  ALIASES,
  type Followed,
  type Headers,
  IDENTITY_HEADERS,
  type Says,
} from '../edge/header-flow.ts';
import type { Visit } from '../edge/walk.ts';
import type { Code } from './codes.ts';
import type { Found } from './finding.ts';
import { isPages, isToSidecar, servedBy } from './places.ts';
import { type Edge, foundAt, headersSent, isDeclaredOpen, isGuarded, type Rule } from './rule.ts';

/** Returns what is wrong with the headers that apps get. */
export const findIdentity: Rule = (edge) =>
  edge.sites
    .filter(({ isSignets, lacksSignet }) => isSignets && !lacksSignet)
    .flatMap(({ visits }) => [
      ...visits
        .filter((visit) => isApp(visit, edge))
        .flatMap((visit) => [...identity(visit), ...variables(visit), ...others(visit)]),
      ...visits.flatMap(mapped),
      ...visits.filter((visit) => !isSidecars(visit, edge)).flatMap(spelledOtherwise),
    ]);

/** What a gate's answer brings; where it does not, Caddy 2.11 takes what a `map` says of it. */
const OF_ANSWER = /^\{?http\.reverse_proxy\.header\.(?:remote|signet)[-_.]/i;

function mapped(visit: Visit): Found[] {
  if (visit.handler.handler !== 'map') return [];
  const names = textsAt(visit.handler['destinations']).filter((name) => OF_ANSWER.test(name));
  if (names.length === 0) return [];
  return [foundAt('identity-overwritten', visit, `${names.join(', ')}: set by map`)];
}

/** As `import signet` deletes them, so that no app takes another spelling for the caller (GHSA-49wc-4hcv-v58q). */
const OF_CALLER = /^(?:remote|signet)/i;
/** Where it comes from. */
const ADDRESS = /^remote[-_.]?(?:addr|address|host|ip|port)$/i;

// What is followed by its name is told at the app that gets it.
function spelledOtherwise(visit: Visit): Found[] {
  const { handler, headers, request } = visit.handler;
  const ops = recordAt(handler === 'headers' ? request : recordAt(headers)['request']);
  const set = Object.entries({ ...recordAt(ops['add']), ...recordAt(ops['set']) });
  const names = set.flatMap(([name, values]) =>
    OF_CALLER.test(name) &&
    !ADDRESS.test(name) &&
    !isFollowed(name) &&
    !isCopied(name, values, visit)
      ? [name]
      : [],
  );
  if (names.length === 0) return [];
  return [foundAt('identity-overwritten', visit, `${names.join(', ')}: set anew`)];
}

// What it gets has its own meaning: `Signet-Key`.
function isSidecars(visit: Visit, { sidecars }: Edge): boolean {
  return visit.gate !== undefined || isToSidecar(visit, sidecars) || isPages(visit, sidecars);
}

// `copy_headers Signet-Stamp`, for the log.
function isCopied(name: string, values: unknown, { inGateAnswer }: Visit): boolean {
  const own = `{http.reverse_proxy.header.${name}}`.toLowerCase();
  return inGateAnswer && textsAt(values).every((value) => value.toLowerCase() === own);
}

function isFollowed(name: string): boolean {
  return [...IDENTITY_HEADERS, ...ALIASES].some((one) => one === name.toLowerCase());
}

// Behind a gate or declared open; what is neither is `unguarded`, which says enough.
function isApp(visit: Visit, { sidecars }: Edge): boolean {
  if (visit.mode !== 'request' || servedBy(visit) !== 'app') return false;
  if (isToSidecar(visit, sidecars) || isTwiceGuarded(visit)) return false;
  return isGuarded(visit) || isDeclaredOpen(visit);
}

// `gate-twice` says enough: what the one set, the other takes away.
function isTwiceGuarded({ known }: Visit): boolean {
  return known.perhaps.includes('gates');
}

/** What FastCGI apps take for the caller's name. */
const CALLER_VARIABLES = /^(REMOTE_|HTTP_REMOTE_|HTTP_SIGNET_|AUTH_USER)/i;

function variables(visit: Visit): Found[] {
  const names = Object.keys(recordAt(recordAt(visit.handler['transport'])['env']));
  const callers = names.filter(
    (name) => CALLER_VARIABLES.test(name) && !/^REMOTE_(ADDR|HOST|PORT)$/i.test(name),
  );
  if (callers.length === 0) return [];
  return [foundAt('identity-overwritten', visit, `${callers.join(', ')}: set by env`)];
}

function identity(visit: Visit): Found[] {
  const { headers } = visit.known;
  const sent = headersSent(visit);
  const found: Found[] = [];
  const tell = (code: Code, names: readonly string[], what: string) => {
    if (names.length > 0) found.push(foundAt(code, visit, `${names.join(', ')}: ${what}`));
  };
  const isTold =
    isGuarded(visit) && named(IDENTITY_HEADERS, headers, ['gate', 'either']).length > 0;
  const untold = isTold ? named(IDENTITY_HEADERS, headers, ['absent']) : [];
  const theirs = named([...IDENTITY_HEADERS, ...ALIASES], sent, ['client', 'either']);
  tell('identity-not-copied', untold, 'not brought over from the gate’s answer');
  tell('identity-not-deleted', theirs, 'as the client sent it');
  tell(
    'identity-overwritten',
    named([...IDENTITY_HEADERS, ...ALIASES], sent, ['other']),
    'set anew',
  );
  tell('identity-deleted-late', named(IDENTITY_HEADERS, sent, ['lost']), 'deleted behind the gate');
  if (!isTold && isGuarded(visit) && found.length === 0) {
    tell('identity-not-copied', IDENTITY_HEADERS, 'none is brought over from the gate’s answer');
  }
  return found;
}

function others(visit: Visit): Found[] {
  const sent = headersSent(visit);
  const isHttp = !isFastCgi(visit.handler);
  const found: Found[] = [];
  if (isHttp && isGuarded(visit) && sent.connection === 'client') {
    found.push(foundAt('hop-header', visit, 'Connection is as the client sent it'));
  }
  if (isHttp && sent.upgrade === 'client') {
    found.push(foundAt('upgrade-passes', visit, 'Upgrade is as the client sent it'));
  }
  const forwarded = named(['x-forwarded-uri', 'x-forwarded-method'], sent, ['client']);
  if (forwarded.length > 0) {
    found.push(
      foundAt('forwarded-believed', visit, `${forwarded.join(', ')}: as the client sent it`),
    );
  }
  if (sent.cookie === 'client') {
    found.push(foundAt('session-cookie-passes', visit, 'Cookie is as the client sent it'));
  }
  if (!visit.known.isAnswerClean) {
    found.push(
      foundAt(
        'answer-identity',
        visit,
        'nothing deletes Remote-* and Signet-* from the answer, deferred',
      ),
    );
  }
  return found;
}

function named(names: readonly Followed[], headers: Headers, says: readonly Says[]): Followed[] {
  return names.filter((name) => says.includes(headers[name]));
}
