// Whether blocks are what they seem: one to which nothing comes, and one whose own path goes to another block.
import { type Adapted, type Handler, recordAt, textsAt } from '../edge/adapted.ts';
import { declaredOpen, dialsOf, gateOf } from '../edge/gate-handler.ts';
import { describeHandler } from '../edge/describe.ts';
import type { Visit } from '../edge/walk.ts';
import { parseRequirement } from '../policy/requirement.ts';
import type { Told } from '../explain/explain.ts';
import { askSite } from './ask-site.ts';
import type { Found } from './finding.ts';
import { servedBy } from './places.ts';
import { type Edge, foundAt, type Rule, type Site } from './rule.ts';
import { escapePointer, serverPointer } from '../edge/pointer.ts';

/** Returns gates and open blocks to which no request comes. */
export const findNeverReached: Rule = ({ adapted, sites }) => {
  const visits = sites.flatMap((site) => site.visits);
  const reached = new Set(visits.map(({ pointer }) => pointer));
  return blocksIn(adapted)
    .filter(({ pointer }) => !reached.has(pointer))
    .map(({ pointer, handler, hosts }) => ({
      code: 'never-reached' as const,
      where: { pointer, hosts, path: [describeHandler(handler)], handler: handler.handler },
      seen: `something before ${nameOf(handler)} answers all that would come to it`,
    }));
};

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
      .filter(({ gate, mode }) => gate && mode === 'request')
      .flatMap((visit) => pathsOf(visit).flatMap((path) => atEdge(visit, path, site, edge))),
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
  const seen = `${path} itself comes to ${asked?.gate.route ?? 'another block'}, which asks for ${asked?.gate.requirement ?? 'nothing'}`;
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
