// Whether blocks are what they seem: one to which nothing comes, and one whose own path goes to another block.
import { type Adapted, type Handler, type MatcherSet, recordAt, textsAt } from '../edge/adapted.ts';
import { canonical, type Condition, setCovers } from '../edge/conditions.ts';
import { contradicts } from '../edge/state.ts';
import { declaredOpen, dialsOf, gateOf } from '../edge/gate-handler.ts';
import { describeHandler } from '../edge/describe.ts';
import type { Visit } from '../edge/walk.ts';
import { parseRequirement } from '../policy/requirement.ts';
import type { Told } from '../explain/explain.ts';
import { goRegExp } from '../explain/regexp.ts';
import { askSite } from './ask-site.ts';
import type { Found } from './finding.ts';
import { servedBy } from './places.ts';
import { type Edge, foundAt, type Rule, type Site } from './rule.ts';
import { escapePointer, serverPointer } from '../edge/pointer.ts';

/** Returns gates and open blocks to which no request comes. */
export const findNeverReached: Rule = ({ adapted, sites }) => {
  const visits = sites.flatMap((site) => site.visits);
  const open = visits.filter(({ given }) => !contradicts(given));
  const reached = new Set(open.map(({ pointer }) => pointer));
  const unreached = blocksIn(adapted)
    .filter(({ pointer }) => !reached.has(pointer))
    .map(({ pointer, handler, hosts }) => ({
      code: 'never-reached' as const,
      where: { pointer, hosts, path: [describeHandler(handler)], handler: handler.handler },
      seen: `something before ${nameOf(handler)} answers all that would come to it`,
    }));
  return [...unreached, ...open.flatMap((visit) => inPart(visit, visits))];
};

// Some of a block's own patterns are an earlier block's, which asks for less.
function inPart(visit: Visit, visits: readonly Visit[]): Found[] {
  const { gate, given, mode } = visit;
  if (gate === undefined || mode !== 'request') return [];
  const names = given.flatMap((earlier) => {
    const sets = givenNot(earlier);
    if (sets.length === 0 || !isLaxer(sets, visit, visits)) return [];
    return given.flatMap((own) =>
      own.epoch === earlier.epoch ? own.sets.flatMap((set) => taken(set, sets)) : [],
    );
  });
  if (names.length === 0) return [];
  const seen = `${[...new Set(names)].join(', ')}: a block before ${nameOf(visit.handler)} answers it`;
  return [foundAt('never-reached', visit, seen)];
}

function givenNot({ sets }: Condition): MatcherSet[] {
  const [only, ...more] = sets;
  const not = only?.['not'];
  const isAlone = more.length === 0 && Object.keys(only ?? {}).length === 1;
  return isAlone && Array.isArray(not) ? not.map(recordAt) : [];
}

// Blocks that run where the other's condition holds, and that ask for less; open ones, too.
function isLaxer(sets: readonly MatcherSet[], visit: Visit, visits: readonly Visit[]): boolean {
  const wanted = canonical(sets);
  const own = strictness(visit.gate?.requirement);
  const earlier = visits.filter(
    (one) =>
      one.site === visit.site &&
      (one.gate !== undefined || declaredOpen(one.handler) !== undefined) &&
      one.given.some((condition) => canonical(condition.sets) === wanted),
  );
  return earlier.some(({ gate }) => (gate ? strictness(gate.requirement) : -1) < own);
}

/** Matchers of which any one pattern will do. */
const OF_PATTERNS = ['path', 'host'];

function taken(set: MatcherSet, earlier: readonly MatcherSet[]): string[] {
  return OF_PATTERNS.flatMap((name) =>
    textsAt(set[name]).filter((pattern) =>
      earlier.some((wider) => setCovers(wider, { ...set, [name]: [pattern] })),
    ),
  );
}

type Placed = {
  readonly pointer: string;
  readonly handler: Handler;
  readonly hosts: readonly string[];
};

function nameOf(handler: Handler): string {
  return declaredOpen(handler) ?? describeHandler(handler);
}

// A named route that nobody invokes is nobody's.
function blocksIn({ servers }: Adapted): Placed[] {
  return Object.entries(servers).flatMap(([name, { routes = [] }]) =>
    routes.flatMap((route, index) => {
      const hosts = (route.match ?? []).flatMap((set) => textsAt(set['host']));
      const pointer = `${serverPointer(name)}/routes/${index}`;
      return handlersIn(route, pointer).map((placed) => ({ ...placed, hosts }));
    }),
  );
}

function handlersIn(json: unknown, pointer: string): Omit<Placed, 'hosts'>[] {
  if (typeof json !== 'object' || json === null) return [];
  const { handler, ...others } = recordAt(json);
  const own = typeof handler === 'string' ? { handler, ...others } : undefined;
  const isBlock = own && (gateOf(own) !== undefined || declaredOpen(own) !== undefined);
  const inner = Object.entries(json).flatMap(([key, value]) =>
    handlersIn(value, `${pointer}/${escapePointer(key)}`),
  );
  return own && isBlock ? [{ pointer, handler: own }, ...inner] : inner;
}

/**
 * Returns blocks for `/x/*` where `/x` itself goes to the same app behind another requirement: to the app it is mostly
 * the same page.
 */
export const findPathEdges: Rule = (edge) =>
  edge.sites.flatMap((site) =>
    site.visits
      .filter(({ gate, mode, given }) => gate && mode === 'request' && !contradicts(given))
      .flatMap((visit) =>
        [...pathsOf(visit), ...brokenPathsOf(visit)].flatMap((path) =>
          atEdge(visit, path, site, edge),
        ),
      ),
  );

// Of a matcher by path alone.
function pathsOf({ given }: Visit): string[] {
  return given.flatMap(({ sets }) => {
    const [only, ...more] = sets;
    if (only === undefined || more.length > 0 || Object.keys(only).join() !== 'path') return [];
    const paths = textsAt(only['path']);
    return paths.filter((path) => /^(\/[\w.-]+)+\/\*$/.test(path)).map((path) => path.slice(0, -2));
  });
}

/** A dot of RE2 is none, without `(?s)`. */
const LINE_FEED = '%0a';

// Of a matcher by an expression alone: a path that it would take, but for a line's end.
function brokenPathsOf({ given }: Visit): string[] {
  return given.flatMap(({ sets }) => {
    const [only, ...more] = sets;
    if (only === undefined || more.length > 0 || Object.keys(only).join() !== 'path_regexp') {
      return [];
    }
    const { pattern } = recordAt(only['path_regexp']);
    const expression = typeof pattern === 'string' ? goRegExp(pattern) : undefined;
    const [, folder] = /^(?:\(\?i\))?\^?((?:\/[\w-]+)+\/)/.exec(String(pattern)) ?? [];
    if (folder === undefined || expression === undefined) return [];
    const isBroken = expression.test(`${folder}ab`) && !expression.test(`${folder}a\nb`);
    return isBroken ? [`${folder}a${LINE_FEED}b`] : [];
  });
}

function atEdge(visit: Visit, path: string, site: Site, edge: Edge): Found[] {
  const hosts = site.hosts.length > 0 ? site.hosts : [undefined];
  const outcomes = hosts.flatMap(
    (host) => askSite(site, edge, { method: 'GET', path, host }) ?? [],
  );
  const apps = appsBehind(visit, site);
  const other = outcomes.find(
    (told) => isOther(told, visit) && dialsIn(told).some((dial) => apps.includes(dial)),
  );
  if (other === undefined) return [];
  const [asked] = other.asked;
  const seen = `${path}${path.endsWith(`${LINE_FEED}b`) ? '' : ' itself'} comes to ${asked?.gate.route ?? 'another block'}, which asks for ${asked?.gate.requirement ?? 'nothing'}`;
  return [foundAt('path-edge', visit, seen)];
}

// Where it asks for less.
function isOther({ asked }: Told, { gate }: Visit): boolean {
  const own = strictness(gate?.requirement);
  return asked.length > 0 && asked.every((one) => strictness(one.gate.requirement) < own);
}

function strictness(text: string | undefined): number {
  const requirement = parseRequirement(text);
  if (requirement.level !== 'signed-in') return 0;
  return requirement.conditions.length > 0 ? 2 : 1;
}

function dialsIn({ served, behind }: Told): readonly string[] {
  return [served, ...behind].flatMap((one) => (one.by === 'proxy' ? one.dials : []));
}

function appsBehind({ pointer }: Visit, { visits }: Site): readonly string[] {
  const block = pointer.slice(0, pointer.lastIndexOf('/routes/'));
  const apps = visits.filter(
    (other) => other.pointer.startsWith(block) && servedBy(other) === 'app',
  );
  return apps.flatMap(({ handler }) => dialsOf(handler));
}
