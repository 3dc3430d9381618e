// `signet check`, without its files and its terminal: all rules over one configuration of Caddy's. Pure.
import type { CaddyfileTree } from '../caddyfile/tree.ts';
import type { Adapted } from '../edge/adapted.ts';
import { declaredOpen, dialsOf } from '../edge/gate-handler.ts';
import type { CaddyVersion } from '../edge/version.ts';
import { type Visit, walkServer } from '../edge/walk.ts';
import { CODES } from './codes.ts';
import type { Finding, Found, SourceLine } from './finding.ts';
import { isForPages, isPages, isToSidecar, servedBy } from './places.ts';
import { logsNamedTwice } from './logs-named.ts';
import type { Edge, EdgeSettings, Rule, Site } from './rule.ts';
import { findTellingAnswers } from './rule-answers.ts';
import { findGates } from './rule-gate.ts';
import { findUnguarded } from './rule-guard.ts';
import { findIdentity } from './rule-identity.ts';
import { findLogs } from './rule-log.ts';
import { findOldSignet } from './rule-old.ts';
import { findPages } from './rule-pages.ts';
import { findNeverReached, findPathEdges } from './rule-reach.ts';
import { findRequirements } from './rule-requirement.ts';
import { findAround, findBareSites } from './rule-site.ts';
import { findTargets } from './rule-target.ts';

export type CheckContext = {
  /** undefined where it can't be told: then the worst is assumed, but for what is known of the version alone. */
  readonly caddy: CaddyVersion | undefined;
  readonly settings?: EdgeSettings | undefined;
  /** What the Caddyfile's `{$NAME}` were taken from. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Of the Caddyfile, where it was one; what only the source shows is looked for there. */
  readonly tree?: CaddyfileTree | undefined;
  /** Returns the line in the Caddyfile; default: none is told. */
  readonly locate?: ((found: Found) => SourceLine | undefined) | undefined;
};

const RULES: readonly Rule[] = [
  findUnguarded,
  findTellingAnswers,
  findGates,
  findRequirements,
  findBareSites,
  findIdentity,
  findLogs,
  findPages,
  findNeverReached,
  findPathEdges,
  findTargets,
  findOldSignet,
  findAround,
];

/** Returns what is wrong with the configuration, the worst first, then in its order. */
export function checkEdge(adapted: Adapted, context: CheckContext): readonly Finding[] {
  const edge = readEdge(adapted, context);
  const found = RULES.flatMap((rule) => rule(edge));
  return once(found)
    .map((one) => ({ ...CODES[one.code], ...one, source: context.locate?.(one) }))
    .toSorted((a, b) => (a.severity === b.severity ? 0 : a.severity === 'error' ? -1 : 1));
}

function readEdge(adapted: Adapted, { caddy, settings = {}, env = {}, tree }: CheckContext): Edge {
  const visits = Object.entries(adapted.servers).flatMap(([name, server]) =>
    walkServer(name, server),
  );
  const sidecars = sidecarsOf(visits, settings);
  return {
    adapted,
    sites: sitesOf(visits, sidecars),
    sidecars,
    caddy,
    settings,
    env,
    namedTwice: tree ? logsNamedTwice(tree) : [],
  };
}

// Without a gate there is only the word of the pages' path for it.
function sidecarsOf(visits: readonly Visit[], { listen }: EdgeSettings): string[] {
  const gates = visits.flatMap(({ gate }) => gate?.dials ?? []);
  const pages = visits.filter(isForPages).flatMap(({ handler }) => dialsOf(handler));
  return [...new Set([...(gates.length > 0 ? gates : pages), ...(listen ? [listen] : [])])];
}

function sitesOf(visits: readonly Visit[], sidecars: readonly string[]): Site[] {
  const bySite = Map.groupBy(visits, ({ site }) => site);
  return [...bySite].map(([key, inside]) => ({
    key,
    server: inside[0]?.server ?? '',
    hosts: inside[0]?.hosts ?? [],
    visits: inside,
    isSignets: inside.some(isSignets),
    lacksSignet: inside.some(isSignets) && !inside.some((visit) => isOfSignet(visit, sidecars)),
  }));
}

function isSignets({ gate, handler }: Visit): boolean {
  return gate !== undefined || declaredOpen(handler) !== undefined;
}

// What `import signet` brings, any of it: the sidecar's pages, or the answers cleaned.
function isOfSignet(visit: Visit, sidecars: readonly string[]): boolean {
  if (isPages(visit, sidecars) || (isToSidecar(visit, sidecars) && isForPages(visit))) return true;
  return servedBy(visit) === 'app' && visit.known.isAnswerClean;
}

// A named route is walked for each place that invokes it.
function once(found: readonly Found[]): Found[] {
  const seen = new Set<string>();
  return found.filter(({ code, where, seen: what }) => {
    const key = JSON.stringify([code, where.pointer, what]);
    return !seen.has(key) && seen.add(key);
  });
}
