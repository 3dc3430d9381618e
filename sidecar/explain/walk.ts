// Walks a server's routes with one request, as Caddy 2.11 does it: routes in order, groups, terminal ones, errors.
// Where something can't be told, both ways are followed, so that what comes out is all that may happen.
import { textsAt, type Handler, type Route } from '../edge/adapted.ts';
import { describeMatch } from '../edge/describe.ts';
import type { Gate } from '../edge/gate-handler.ts';
import { isHarmlessRoute, isMarking, perhapsPast } from './harmless.ts';
import { failed } from './failed.ts';
import { intercepted } from './intercepted.ts';
import { runHandler } from './handlers.ts';
import { matchSets } from './match.ts';
import { negated, type Case, type Met } from './met.ts';
import type { Request } from './request.ts';
import { blockName } from './block-name.ts';
import {
  errorStatus,
  forked,
  leaving,
  stepped,
  withFills,
  withRequest,
  type Ahead,
  type Asked,
  type GateAnswer,
  type Served,
  type Step,
  type Way,
} from './way.ts';

/** One thing that may happen. */
export type Outcome<Verdict> = {
  readonly served: Served;
  readonly asked: readonly Asked<Verdict>[];
  /** Name of an open block that its operator declared. */
  readonly open: string | undefined;
  /** Hosts of the site that took it, as the configuration has them; undefined where none did. */
  readonly hosts: readonly string[] | undefined;
  /** What has to hold for it to happen, beside what is sure; several, where several lead to it. */
  readonly when: readonly (readonly string[])[];
  readonly trail: readonly Step[];
};

export type WalkOptions<Verdict> = {
  readonly routes: readonly Route[];
  readonly errors: readonly Route[];
  readonly named: Readonly<Record<string, Route>>;
  /** What the gate says to its question; asked wherever a way comes to a gate. */
  readonly ask: (
    gate: Gate,
    request: Request,
  ) => { readonly verdict: Verdict; readonly answer: GateAnswer };
};

export type Walked<Verdict> = {
  readonly outcomes: readonly Outcome<Verdict>[];
  /** Whether there are more than were followed. */
  readonly isCut: boolean;
};

/** Ways that are followed; a Caddyfile has a few. */
const MAX_WAYS = 256;
/** Of all ways together: a named route that invokes itself has no end. */
const MAX_STEPS = 200_000;
const MAX_TRAIL = 500;
/** Passed by: thousands of sites may stand before the one that takes it. */
const MAX_SKIPPED = 20_000;

/** Returns all that may happen to the request. */
export function walk<V>(request: Request, options: WalkOptions<V>): Walked<V> {
  const open: Way<V>[] = [begin(request, options)];
  const ended: Outcome<V>[] = [];
  let steps = 0;
  for (let way = open.pop(); way !== undefined; way = open.pop()) {
    const isLong = steps++ > MAX_STEPS || isTooLong(way.trail);
    if (isLong || open.length + ended.length > MAX_WAYS)
      return { outcomes: merged(ended), isCut: true };
    const next = advance(way, options);
    if ('served' in next) ended.push(...intercepted(way, next).map((one) => outcomeOf(way, one)));
    else open.push(...next.ways.toReversed());
  }
  return { outcomes: merged(ended), isCut: false };
}

function isTooLong(trail: readonly Step[]): boolean {
  if (trail.length <= MAX_TRAIL) return false;
  const skipped = trail.filter(({ did }) => did === 'skipped').length;
  return skipped > MAX_SKIPPED || trail.length - skipped > MAX_TRAIL;
}

function begin<V>(request: Request, { routes, errors, named }: WalkOptions<V>): Way<V> {
  return {
    request,
    ahead: { run: routes, kind: 'routes', then: undefined },
    catchers: {
      ...{ routes: errors, then: undefined, restores: true },
      ...{ intercepts: [], outer: undefined },
    },
    intercepts: [],
    groups: new Set(),
    named,
    answer: undefined,
    atEnd: { by: 'nothing' },
    error: undefined,
    open: undefined,
    hosts: undefined,
    asked: [],
    trail: [],
    assumed: [],
    settled: new Map(),
  };
}

type Advanced<V> =
  { readonly ways: readonly Way<V>[] } | { readonly served: Served; readonly way?: Way<V> };

function advance<V>(way: Way<V>, options: WalkOptions<V>): Advanced<V> {
  const { ahead } = way;
  if (ahead === undefined) return { served: way.atEnd };
  const [first] = ahead.run;
  const later = { ...way, ahead: behind(ahead) };
  if (first === undefined) return { ways: [leaving(way, ahead)] };
  return ahead.kind === 'routes'
    ? { ways: runRoute(first as Route, later) }
    : runHandler(first as Handler, later, options.ask);
}

function behind({ run, kind, then }: Ahead): Ahead {
  return { run: run.slice(1), kind, then };
}

function runRoute<V>(route: Route, way: Way<V>): Way<V>[] {
  const met = matchSets(route.match, way.request);
  const filled = withFills(way, met);
  const what = blockName(route);
  const isTaken = route.group !== undefined && way.groups.has(route.group);
  if (met.met === 'no' || isTaken) return [skipped(filled, what, met, isTaken)];
  if (met.met === 'yes') return [entered(route, filled, what, 'matched', met.why)];
  if (isHarmlessRoute(route) && !isMarking(route)) return [perhaps(route, filled)];
  if (met.cases) return byCase(route, way, what, met, met.cases);
  return forked(
    filled,
    met.why,
    (taken) => entered(route, taken, what, 'assumed', met.why),
    (left) => stepped(left, 'skipped', what, `assumed that it is not so: ${met.why}`),
  );
}

// A way for each of the cases; none beside them where one of them holds for certain.
function byCase<V>(
  route: Route,
  way: Way<V>,
  what: string,
  met: Met,
  cases: readonly Case[],
): Way<V>[] {
  const taken = cases.map(({ why, fills, fails }) => {
    const filled = withFills(
      { ...way, assumed: [...way.assumed, why] },
      { met: 'yes', why, fills },
    );
    return fails === undefined
      ? entered(route, filled, what, 'assumed', why)
      : failed(fails, filled);
  });
  if (met.isSure) return taken;
  const left = { ...way, assumed: [...way.assumed, negated(met.why)] };
  return [...taken, stepped(left, 'skipped', what, `assumed that it is not so: ${met.why}`)];
}

// What neither answers nor rewrites is no news.
function skipped<V>(way: Way<V>, what: string, met: Met, isTaken: boolean): Way<V> {
  if (what === '') return way;
  const isOther = isTaken && met.met !== 'no';
  return stepped(
    way,
    'skipped',
    what,
    isOther ? 'another block beside it has it already' : met.why,
  );
}

function perhaps<V>({ handle = [] }: Route, way: Way<V>): Way<V> {
  return withRequest(
    way,
    handle.reduce((request, handler) => perhapsPast(handler, request), way.request),
  );
}

// A terminal route ends the request behind it, the server's error routes with the error's status.
function entered<V>(
  route: Route,
  way: Way<V>,
  what: string,
  did: Step['did'],
  why: string,
): Way<V> {
  const { group, terminal, handle = [], match = [] } = route;
  const told =
    what === '' || describeMatch(route) === undefined ? way : stepped(way, did, what, why);
  return {
    ...told,
    hosts:
      way.hosts ??
      (match.some((set) => set['host']) ? match.flatMap((set) => textsAt(set['host'])) : undefined),
    groups: group === undefined ? way.groups : new Set([...way.groups, group]),
    ahead: { run: handle, kind: 'handlers', then: terminal === true ? undefined : way.ahead },
    ...(terminal === true && {
      atEnd:
        way.error === undefined ? { by: 'nothing' } : { by: 'error', status: errorStatus(way) },
    }),
  };
}

function outcomeOf<V>(
  before: Way<V>,
  { served, way = before }: { served: Served; way?: Way<V> },
): Outcome<V> {
  const { asked, trail, assumed, open, hosts } = way;
  return { served, asked, open: open?.name, hosts, when: [assumed], trail };
}

// Where both ways lead to the same, what they hung on makes no difference.
function merged<V>(outcomes: readonly Outcome<V>[]): Outcome<V>[] {
  const distinct = new Map<string, Outcome<V>>();
  for (const outcome of outcomes) {
    const key = JSON.stringify([outcome.served, outcome.asked, outcome.open]);
    const same = distinct.get(key);
    distinct.set(key, same ? { ...same, when: [...same.when, ...outcome.when] } : outcome);
  }
  return [...distinct.values()];
}
