// Nothing is served without a decision: each place where a request is answered, and what surely happened before.
import type { Visit } from '../edge/walk.ts';
import type { Found } from './finding.ts';
import { isFileFixed } from './fixed-files.ts';
import { isForPages, isPages, isToSidecar, servedBy, type Serves } from './places.ts';
import { type Edge, foundAt, isDeclaredOpen, isGuarded } from './rule.ts';

/** Returns what is served without a decision, in error routes, or behind two of them. */
export function findUnguarded({ sites, sidecars }: Edge): Found[] {
  const byServer = Map.groupBy(
    sites.flatMap(({ visits }) => visits),
    ({ server }) => server,
  );
  return sites.flatMap(({ server, visits }) => {
    const others = byServer.get(server) ?? [];
    return visits.flatMap((visit) =>
      visit.mode === 'request' ? inRequest(visit, sidecars) : inErrors(visit, others),
    );
  });
}

function inRequest(visit: Visit, sidecars: readonly string[]): Found[] {
  if (visit.gate) {
    const isAsked = visit.known.perhaps.includes('gate');
    return isAsked
      ? [foundAt('gate-twice', visit, `${last(visit)} stands behind another gate`)]
      : [];
  }
  const serves = servedBy(visit);
  if (serves === undefined) return [];
  // Behind the gate, too: who may pass it could then ask it himself, as somebody else.
  if (isToSidecar(visit, sidecars)) return toSidecar(visit);
  if (isGuarded(visit)) return [];
  // Whether that is the sidecar is looked at where its pages are.
  if (isPages(visit, sidecars)) return [];
  if (visit.inGateAnswer)
    return serves === 'text' ? [] : [foundAt('gate-lets-refused-in', visit, inAnswer(visit))];
  if (isDeclaredOpen(visit)) return [];
  const code = serves === 'unknown' ? 'handler-unknown' : 'unguarded';
  return [foundAt(code, visit, `${last(visit)} ${whenOf(visit)}`)];
}

function toSidecar(visit: Visit): Found[] {
  if (isForPages(visit)) return [];
  return [
    foundAt('sidecar-exposed', visit, `${last(visit)} proxies more than /.signet/* to the sidecar`),
  ];
}

const IN_ERRORS: readonly Serves[] = ['app', 'files', 'other'];

function inErrors(visit: Visit, others: readonly Visit[]): Found[] {
  if (visit.gate) {
    const where = visit.mode === 'error' ? 'an error route' : 'an intercept';
    return [foundAt('error-route-asks', visit, `${last(visit)} stands in ${where}`)];
  }
  const serves = servedBy(visit);
  if (serves === 'unknown' && !isGuarded(visit)) {
    return [foundAt('handler-unknown', visit, `${last(visit)} runs where no gate was asked`)];
  }
  if (serves === undefined || !IN_ERRORS.includes(serves) || isGuarded(visit)) return [];
  // The same page whatever was asked for.
  if (serves === 'files' && isFileFixed(visit, others)) return [];
  if (visit.mode === 'error') {
    const what = serves === 'files' ? ', with more than one fixed file' : '';
    const seen = `${last(visit)} answers in an error route${what}`;
    return [foundAt('error-route-serves', visit, seen)];
  }
  const seen = `${last(visit)} answers in place of an answer that it intercepts, a refusal among them`;
  return [foundAt('intercept-serves', visit, seen)];
}

function inAnswer(visit: Visit): string {
  return `${last(visit)} stands in a handle_response that is not for 2xx alone`;
}

function last({ path }: Visit): string {
  return path.at(-1) ?? '';
}

// Where there is a gate before it that not everything passes, that is what has to be said.
function whenOf({ known }: Visit): string {
  if (!known.perhaps.includes('gate')) return 'answers, and no gate was asked before';
  return 'answers, and the gate before it is asked only for some of these requests';
}
