// One way that a request may take through the routes: how far it is, what was met on it, and what it hangs on.
import type { Handler, Route } from '../edge/adapted.ts';
import type { Gate } from '../edge/gate-handler.ts';
import { negated, type Met } from './met.ts';
import type { Maybe, Request } from './request.ts';

/** What is still to be run, nearest first. */
export type Ahead = {
  readonly run: readonly Route[] | readonly Handler[];
  readonly kind: 'routes' | 'handlers';
  readonly then: Ahead | undefined;
};

/** Routes for errors: those of a subroute, or of the server. */
export type Catcher = {
  readonly routes: readonly Route[];
  readonly then: Ahead | undefined;
  /** The server's own see the request as it came. */
  readonly restores: boolean;
  /** What sees the answers of these routes. */
  readonly intercepts: readonly Handler[];
  readonly outer: Catcher | undefined;
};

export type Step = {
  readonly did: 'matched' | 'skipped' | 'assumed' | 'ran' | 'asked';
  /** The block or handler, in a few words. */
  readonly what: string;
  readonly why: string;
};

/** Who answers, and what; a status is what is known of it. */
export type Served =
  | { readonly by: 'gate'; readonly status: number }
  | { readonly by: 'proxy'; readonly what: string; readonly dials: readonly string[] }
  | { readonly by: 'redirect'; readonly status: Maybe<string>; readonly to: Maybe<string> }
  | { readonly by: 'response'; readonly status: Maybe<string>; readonly body: Maybe<string> }
  | { readonly by: 'handler'; readonly what: string }
  | { readonly by: 'error'; readonly status: Maybe<string> }
  | { readonly by: 'nothing' }
  | { readonly by: 'closed' }
  | { readonly by: 'nobody'; readonly why: string }
  /** What an `intercept` puts in the place of this answer. */
  | { readonly by: 'intercept'; readonly of: Served };

/** The gate's answer, as far as Caddy looks at it. */
export type GateAnswer = {
  readonly status: number;
  /** Lower-case names. What is in neither may be there or not. */
  readonly has: readonly string[];
  readonly lacks: readonly string[];
};

/** A gate that was asked on the way. */
export type Asked<Verdict> = { readonly gate: Gate; readonly verdict: Verdict };

/** An open block that its operator declared: its word holds within the list of routes that it stands in. */
export type Open = {
  readonly name: string;
  /** What is run behind that list. */
  readonly until: Ahead | undefined;
  /** The one around it. */
  readonly outer: Open | undefined;
};

export type Way<Verdict> = {
  readonly request: Request;
  readonly ahead: Ahead | undefined;
  readonly catchers: Catcher | undefined;
  /** `intercept` handlers that see what answers from here on, the nearest last. */
  readonly intercepts: readonly Handler[];
  /** Groups of which a route has run. */
  readonly groups: ReadonlySet<string>;
  readonly named: Readonly<Record<string, Route>>;
  /** What the handler whose answer is looked at right now would hand on. */
  readonly answer: Served | undefined;
  /** What is said when nothing answers: an error's status, behind an error. */
  readonly atEnd: Served;
  readonly error: Maybe<string>;
  readonly open: Open | undefined;
  /** Of the site that took it. */
  readonly hosts: Maybe<readonly string[]>;
  readonly asked: readonly Asked<Verdict>[];
  readonly trail: readonly Step[];
  readonly assumed: readonly string[];
  /** What was taken for true or false since the request changed last: it is so still. */
  readonly settled: ReadonlyMap<string, boolean>;
};

/** Of an error whose status only the running Caddy knows. */
export const ANY_ERROR = 'of the error';

/** Returns the status of the error that the way is in; undefined where it is not known, or there is none. */
export function errorStatus<V>({ error }: Way<V>): Maybe<string> {
  return error === ANY_ERROR ? undefined : error;
}

/** Returns the way with a step more. */
export function stepped<V>(way: Way<V>, did: Step['did'], what: string, why: string): Way<V> {
  return { ...way, trail: [...way.trail, { did, what, why }] };
}

/** Returns the way with the request as a handler has left it: what was settled about it is open again. */
export function withRequest<V>(way: Way<V>, request: Request): Way<V> {
  return { ...way, request, settled: new Map() };
}

/** Returns the way with what a match has filled in. */
export function withFills<V>(way: Way<V>, { fills = [] }: Met): Way<V> {
  if (fills.length === 0) return way;
  const { request } = way;
  const isNew = fills.some(
    ([key, value]) => !request.placeholders.has(key) || request.placeholders.get(key) !== value,
  );
  const after = { ...request, placeholders: new Map([...request.placeholders, ...fills]) };
  return isNew ? withRequest(way, after) : way;
}

/** Returns the way, with these routes before what is ahead. */
export function withRoutes<V>(way: Way<V>, run: readonly Route[]): Way<V> {
  return { ...way, ahead: { run, kind: 'routes', then: way.ahead } };
}

/** Returns the way in an open block of this name. */
export function opened<V>(way: Way<V>, name: string): Way<V> {
  const { open: outer, ahead } = way;
  const list = ahead?.kind === 'handlers' ? ahead.then : ahead;
  return { ...way, open: { name, until: list?.then, outer } };
}

/** Returns the way behind a list of routes or handlers that has come to its end. */
export function leaving<V>(way: Way<V>, { kind, then }: Ahead): Way<V> {
  let { open } = way;
  if (kind === 'routes') while (open !== undefined && open.until === then) open = open.outer;
  return { ...way, ahead: then, open };
}

/** Returns both ways on from something that can't be told; one, where it was settled before. */
export function forked<V>(
  way: Way<V>,
  why: string,
  on: (way: Way<V>) => Way<V>,
  past: (way: Way<V>) => Way<V>,
): Way<V>[] {
  const settled = way.settled.get(why);
  if (settled !== undefined) return [settled ? on(way) : past(way)];
  return [on(assuming(way, why, true)), past(assuming(way, why, false))];
}

function assuming<V>(way: Way<V>, why: string, holds: boolean): Way<V> {
  return {
    ...way,
    settled: new Map([...way.settled, [why, holds], [negated(why), !holds]]),
    assumed: [...way.assumed, holds ? why : negated(why)],
  };
}
