// Walks what Caddy will do with a request: each handler of a server in the order in which they run, with what is known
// there of any request that comes so far. Pure, and judges nothing: rules do (check/).
import { Fault } from '../fault.ts';
import { type Handler, recordAt, type Route, routesAt, type Server } from './adapted.ts';
import { type Block, blocksOf, sharedGroups } from './blocks.ts';
import { type Condition, conditionOf, negated } from './conditions.ts';
import { describeHandler } from './describe.ts';
import { escapePointer, serverPointer } from './pointer.ts';
import { effectOf, namesHost } from './effects.ts';
import { filteredBy } from './filters.ts';
import {
  type Gate,
  gateOf,
  headersAskedFor,
  isOnlyFor2xx,
  responsesOf,
  type Response,
} from './gate-handler.ts';
import { type PlacedRoute, partsOf, wholeOf } from './partition.ts';
import { atSite, enter, inErrors, isBrought, type Spot, unknownAt } from './spot.ts';
import {
  ARRIVED,
  closedBehind,
  joinWays,
  type Known,
  knownOf,
  mapWorlds,
  narrowed,
  type State,
  type Way,
  withFact,
} from './state.ts';

/** What comes of one of the answers that a proxy handles itself. */
export type Answered = Pick<Response, 'match'> & {
  /** As Caddy goes on behind it; undefined where the client was answered. */
  readonly exit: State | undefined;
};

/** A handler, reached. */
export type Visit = Spot & {
  readonly handler: Handler;
  readonly gate: Gate | undefined;
  /** Of whatever comes to it. */
  readonly known: Known;
  /** What a reverse_proxy does with answers, in order; empty where it hands all to the client. */
  readonly answers: readonly Answered[];
};

/** A configuration in which routes invoke each other could be walked for ever. */
const MAX_VISITS = 100_000;
/** Of each route of a server, which is a site's: a site of three protected blocks has some 250. */
const MAX_VISITS_MORE = 2000;

/**
 * Returns every handler of the server that a request can come to, in order; inner ones behind theirs.
 * @throws {Fault} ERR_CADDY where there are more than anybody's configuration has.
 */
export function walkServer(name: string, server: Server): readonly Visit[] {
  const visits: Visit[] = [];
  const named = server.named_routes ?? {};
  const shared = sharedGroups(server);
  const pointer = serverPointer(name);
  const start: Spot = {
    ...{ pointer, server: name, site: pointer, hosts: [], path: [], given: [] },
    ...{ mode: 'request', inGateAnswer: false, brought: [], invoked: [] },
  };
  const maxVisits = MAX_VISITS + MAX_VISITS_MORE * (server.routes ?? []).length;
  const parts = changesHost(server) ? wholeOf : partsOf;
  for (const { hosts, routes } of parts(server.routes ?? [])) {
    runPlaced(routes, atSite(start, hosts), ARRIVED);
  }
  for (const { hosts, routes } of parts(server.errors?.routes ?? [])) {
    runPlaced(routes, inErrors(atSite(start, hosts)), ARRIVED);
  }
  return visits;

  function runRoutes(routes: readonly Route[], at: Spot, arrived: State): State | undefined {
    const placed = routes.map((route, index) => ({ route, index }));
    return runPlaced(placed, at, arrived);
  }

  function runPlaced(routes: readonly PlacedRoute[], at: Spot, arrived: State): State | undefined {
    let now: State | undefined = arrived;
    const ended: Way[] = [];
    const past: Condition[] = [];
    for (const block of blocksOf(routes, shared)) {
      if (now === undefined) break;
      const { last, onward, past: passed } = runBlock(block, at, now);
      ended.push(...last.map(({ needs, exit }) => ({ needs: [...past, ...needs], exit })));
      if (last.length > 0) past.push(...passed);
      now = filtered(block, joinWays(onward));
    }
    const isSimple = ended.every(({ exit }) => exit === undefined);
    return closedBehind(arrived, isSimple ? now : joinWays([...ended, { needs: past, exit: now }]));
  }

  function runBlock(block: Block, at: Spot, before: State): BlockEnd {
    const end: BlockEnd = { last: [], onward: [], past: [] };
    // Of a group that ran elsewhere none runs, whatever would match.
    const perhaps = block.isContinued ? [unknownAt(at, block)] : [];
    const missed: Condition[] = [];
    for (const placed of block.routes) {
      const condition = conditionOf(placed.route, before);
      const needs = [...perhaps, ...missed, ...(condition ? [condition] : [])];
      const inside = enter(at, placed, needs);
      const exit = runHandlers(placed.route.handle, inside, narrowed(before, inside.given));
      end[placed.route.terminal ? 'last' : 'onward'].push({ needs, exit });
      if (condition === undefined && !block.isContinued) return end;
      if (condition) missed.push(negated(condition));
    }
    const past = block.isContinued ? [] : missed;
    end.onward.push({ needs: past, exit: before });
    return { ...end, past };
  }

  function runHandlers(
    handlers: readonly Handler[] = [],
    at: Spot,
    arrived: State,
  ): State | undefined {
    let now: State | undefined = arrived;
    for (const [index, handler] of handlers.entries()) {
      if (now === undefined) return undefined;
      if (visits.length >= maxVisits) throw tooMuch(name, maxVisits);
      now = runHandler(handler, { ...at, pointer: `${at.pointer}/handle/${index}` }, now);
    }
    return now;
  }

  function runHandler(handler: Handler, at: Spot, state: State): State | undefined {
    const gate = gateOf(handler);
    const known = knownOf(state, at.given);
    const path = [...at.path, describeHandler(handler)];
    const visit: Visit = { ...at, path, handler, gate, known, answers: [] };
    const place = visits.push(visit) - 1;
    if (handler.handler !== 'reverse_proxy') return runOther(handler, at, state, known);
    const answers = runAnswers(handler, { ...at, inGateAnswer: gate !== undefined }, state);
    visits[place] = { ...visit, answers };
    const exit = joinWays(answers.map(({ exit }) => ({ needs: [], exit })));
    if (exit === undefined) return undefined;
    if (gate === undefined) return { ...exit, changes: exit.changes + 1 };
    return known.perhaps.includes('gate') ? withFact(exit, 'gates') : withFact(exit, 'gate');
  }

  function runAnswers(handler: Handler, at: Spot, state: State): Answered[] {
    return responsesOf(handler).map(({ match, routes, isHandedOn }, index) => {
      if (isHandedOn) return { match, exit: undefined };
      const brought = headersAskedFor(match);
      const inside = { ...at, brought, pointer: `${at.pointer}/handle_response/${index}` };
      const isYes = at.inGateAnswer && isOnlyFor2xx(match);
      return { match, exit: runRoutes(routes, inside, isYes ? withFact(state, 'gate') : state) };
    });
  }

  function runOther(handler: Handler, at: Spot, state: State, { sure }: Known): State | undefined {
    switch (handler.handler) {
      case 'subroute':
        runRoutes(routesAt(recordAt(handler['errors'])['routes']), inErrors(at), ARRIVED);
        return runRoutes(routesAt(handler['routes']), at, state);
      case 'invoke':
        return invoke(String(handler['name']), at, state);
      case 'intercept': {
        // Not the gate's answer, but that of whatever is behind; a refusal, too.
        const seen = { ...at, inGateAnswer: false, brought: [] };
        runAnswers(handler, sure.includes('gate') ? seen : { ...seen, mode: 'answer' }, state);
        return state;
      }
      case 'file_server':
        return handler['pass_thru'] === true ? state : undefined;
      case 'static_response':
      case 'error':
      case 'copy_response':
      case 'metrics':
        return undefined;
      default:
        return effectOf(
          handler,
          state,
          (header, into) => at.inGateAnswer && header === into && isBrought(header, at),
        );
    }
  }

  function invoke(name: string, at: Spot, state: State): State | undefined {
    const route = Object.hasOwn(named, name) ? named[name] : undefined;
    // One that invokes itself would never end, in Caddy either.
    if (route === undefined || at.invoked.includes(name)) return state;
    const path = [...at.path, `invoke ${name}`];
    const invoked = [...at.invoked, name];
    const place = {
      ...at,
      path,
      invoked,
      pointer: `${pointer}/named_routes/${escapePointer(name)}`,
    };
    return closedBehind(state, runInvoked(route, place, state));
  }

  function runInvoked(route: Route, at: Spot, state: State): State | undefined {
    const condition = conditionOf(route, state);
    if (condition === undefined) return runHandlers(route.handle, at, state);
    const given = [...at.given, condition];
    const exit = runHandlers(route.handle, { ...at, given }, state);
    const past = { needs: [negated(condition)], exit: state };
    return joinWays([{ needs: [condition], exit }, past]);
  }
}

function tooMuch(server: string, most: number): Fault {
  const problem = `more than ${most} handlers can run; do its named routes invoke each other?`;
  return new Fault('ERR_CADDY', `server ${server}: ${problem}`);
}

type BlockEnd = {
  /** On these no later route of the list runs. */
  readonly last: Way[];
  readonly onward: Way[];
  /** What holds where none of the block ran. */
  readonly past: readonly Condition[];
};

/** Returns whether a handler in it changes for whom a request is: for whom a route is can't be told beforehand then. */
export function changesHost(json: unknown): boolean {
  if (typeof json !== 'object' || json === null) return false;
  const { handler, ...others } = recordAt(json);
  if (handler === 'headers' && namesHost({ handler, ...others })) return true;
  return Object.values(json).some(changesHost);
}

function filtered({ routes }: Block, state: State | undefined): State | undefined {
  const names = state ? routes.flatMap(({ route }) => filteredBy(route)) : [];
  if (state === undefined || names.length === 0) return state;
  return mapWorlds(state, (world) => {
    const headers = { ...world.headers };
    for (const name of names) if (headers[name] === 'client') headers[name] = 'filtered';
    return { ...world, headers };
  });
}
