// What may be true of a request at a place in Caddy's configuration: the ways by which it can have come, and what
// happened on each. Pure. Where ways can't be told apart later, what is known of them is what is true of both.
import { canonical, type Condition, excludes } from './conditions.ts';
import { type Headers, joinHeaders, OF_CLIENT } from './header-flow.ts';

/** What can have happened: the gate was asked, or twice; an open block was declared; a field was put on the line, at once or when
 * the answer is there. */
export type FactKey = 'gate' | 'gates' | 'open' | `${'log' | 'late'}:${string}`;

/** One way to have come here. */
export type World = {
  /** What holds of a request that came by it. */
  readonly needs: readonly Condition[];
  readonly facts: readonly FactKey[];
  readonly headers: Headers;
  /** Whether the path is the operator's, whatever the client asked for. */
  readonly isPathFixed: boolean;
  /** Whether Remote-* and Signet-* are taken off the answer. */
  readonly isAnswerClean: boolean;
};

export type State = {
  /** All ways that there are; at least one. */
  readonly worlds: readonly World[];
  /** How often path, host or method may have changed. */
  readonly rewrites: number;
  /** How often anything else that matchers look at may have. */
  readonly changes: number;
};

/** A request as it comes in. */
export const ARRIVED: State = {
  worlds: [{ needs: [], facts: [], headers: OF_CLIENT, isPathFixed: false, isAnswerClean: false }],
  rewrites: 0,
  changes: 0,
};

/** More ways than a Caddyfile leaves open; beyond it only what is true of all is known. */
const MAX_WORLDS = 24;

/** One of several ways, of which a request goes one: when, and how it came out; undefined where it was answered. */
export type Way = { readonly needs: readonly Condition[]; readonly exit: State | undefined };

/** Returns the state behind ways that are all that there are; undefined when none goes on. */
export function joinWays(ways: readonly Way[]): State | undefined {
  const open = ways.flatMap(({ needs, exit }) => (exit ? [{ needs, exit }] : []));
  if (open.length === 0) return undefined;
  const worlds = open.flatMap(({ needs, exit }) =>
    exit.worlds.map((world) => ({ ...world, needs: [...world.needs, ...needs] })),
  );
  return {
    worlds: settled(worlds),
    rewrites: Math.max(...open.map(({ exit }) => exit.rewrites)),
    changes: Math.max(...open.map(({ exit }) => exit.changes)),
  };
}

function settled(worlds: readonly World[]): readonly World[] {
  const possible = worlds.filter(({ needs }) => !contradicts(needs));
  const distinct: World[] = [];
  for (const world of possible.length === 0 ? worlds : possible) {
    const at = distinct.findIndex((other) => areAlike(other, world));
    const other = distinct[at];
    if (other === undefined) distinct.push(world);
    else distinct[at] = merged(other, world);
  }
  return distinct.length > MAX_WORLDS ? [distinct.reduce(merged)] : distinct;
}

/** Returns whether no request can have all of these, as far as that can be told. */
export function contradicts(needs: readonly Condition[]): boolean {
  return needs.some((one, at) => needs.slice(at + 1).some((other) => excludes(one, other)));
}

// The same happened; or nothing that a later matcher asks for tells them apart.
function areAlike(one: World, other: World): boolean {
  if (one.isPathFixed !== other.isPathFixed || one.isAnswerClean !== other.isAnswerClean)
    return false;
  if (canonical(one.facts.toSorted()) !== canonical(other.facts.toSorted())) return false;
  return canonical(one.headers) === canonical(other.headers) || !differByLine(one, other);
}

function differByLine(one: World, other: World): boolean {
  const own = (a: World, b: World) => a.needs.filter((need) => !b.needs.includes(need));
  return [...own(one, other), ...own(other, one)].some(({ isOfLine }) => isOfLine);
}

function merged(one: World, other: World): World {
  return {
    needs: one.needs.filter((need) => other.needs.includes(need)),
    facts: one.facts.filter((fact) => other.facts.includes(fact)),
    headers: joinHeaders(one.headers, other.headers),
    isPathFixed: one.isPathFixed && other.isPathFixed,
    isAnswerClean: one.isAnswerClean && other.isAnswerClean,
  };
}

/** Returns the ways that are left where all of `given` holds; all of them, should that be none. */
export function narrowed(state: State, given: readonly Condition[]): State {
  const worlds = state.worlds.filter(
    ({ needs }) => !needs.some((need) => given.some((condition) => excludes(condition, need))),
  );
  return worlds.length === 0 ? state : { ...state, worlds };
}

/** Returns the state with each of its ways changed. */
export function mapWorlds(state: State, change: (world: World) => World): State {
  return { ...state, worlds: state.worlds.map(change) };
}

/** Returns the state with a fact more. */
export function withFact(state: State, key: FactKey): State {
  return mapWorlds(state, (world) =>
    world.facts.includes(key) ? world : { ...world, facts: [...world.facts, key] },
  );
}

/** What is known of whatever comes to a place. */
export type Known = Omit<World, 'needs' | 'facts'> & {
  /** What surely happened. */
  readonly sure: readonly FactKey[];
  /** What happened to some. */
  readonly perhaps: readonly FactKey[];
  /** Of the state: how often path, host or method may have changed. */
  readonly rewrites: number;
};

/** Returns what is known where all of `given` holds. */
export function knownOf(state: State, given: readonly Condition[]): Known {
  const { worlds } = narrowed(state, given);
  const { facts, headers, isPathFixed, isAnswerClean } = worlds.reduce(merged);
  const perhaps = [...new Set(worlds.flatMap((world) => world.facts))];
  const { rewrites } = state;
  return { sure: facts, perhaps, headers, isPathFixed, isAnswerClean, rewrites };
}

/** Returns the state without an open block's word: it holds within the list that it stands in, and no further. */
export function closedBehind(arrived: State, exit: State | undefined): State | undefined {
  const wasOpen = arrived.worlds.some(({ facts }) => facts.includes('open'));
  if (exit === undefined || wasOpen) return exit;
  return mapWorlds(exit, (world) => ({
    ...world,
    facts: world.facts.filter((fact) => fact !== 'open'),
  }));
}
