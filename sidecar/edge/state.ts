// What is known of a request at a place in Caddy's configuration, and what is left of that where several ways meet. Pure.
import { areOpposite, type Condition, excludes, implies } from './conditions.ts';
import { type Headers, joinHeaders, OF_CLIENT } from './header-flow.ts';

/** What may have happened before: the gate was asked, an open block was declared, a field was logged. */
export type FactKey = 'gate' | 'open' | `log:${string}`;

/** It happened wherever all of `needs` hold. */
export type Fact = { readonly key: FactKey; readonly needs: readonly Condition[] };

export type State = {
  readonly facts: readonly Fact[];
  readonly headers: Headers;
  /** Whether the path is the operator's, whatever the client asked for. */
  readonly isPathFixed: boolean;
  /** Whether Remote-* and Signet-* are taken off the answer. */
  readonly isAnswerClean: boolean;
  /** How often path, host or method may have changed. */
  readonly rewrites: number;
  /** How often anything else that matchers look at may have. */
  readonly changes: number;
};

/** A request as it comes in. */
export const ARRIVED: State = {
  facts: [],
  headers: OF_CLIENT,
  isPathFixed: false,
  isAnswerClean: false,
  rewrites: 0,
  changes: 0,
};

/** One of several ways, of which a request goes one: when, and how it came out; undefined where it was answered. */
export type Way = { readonly needs: readonly Condition[]; readonly exit: State | undefined };

/** Returns the state behind ways that all began in `base` and are all that there are; undefined when none goes on. */
export function joinWays(base: State, ways: readonly Way[]): State | undefined {
  const open = ways.flatMap(({ needs, exit }) => (exit ? [{ needs, exit }] : []));
  const [first, ...more] = open;
  if (first === undefined) return undefined;
  // Whoever gets further came by this one.
  if (more.length === 0) return first.exit;
  const exits = open.map(({ exit }) => exit);
  return {
    facts: [...base.facts, ...joinFacts(base.facts.length, open)],
    headers: exits.map(({ headers }) => headers).reduce(joinHeaders),
    isPathFixed: exits.every(({ isPathFixed }) => isPathFixed),
    isAnswerClean: exits.every(({ isAnswerClean }) => isAnswerClean),
    rewrites: Math.max(...exits.map(({ rewrites }) => rewrites)),
    changes: Math.max(...exits.map(({ changes }) => changes)),
  };
}

type OpenWay = { readonly needs: readonly Condition[]; readonly exit: State };

// What happened on each way happened; the rest did where its way was taken.
function joinFacts(known: number, ways: readonly OpenWay[]): Fact[] {
  const added = ways.map(({ needs, exit }) => ({ needs, facts: exit.facts.slice(known) }));
  const isSure = (key: FactKey) =>
    added.every(({ facts }) => facts.some((fact) => fact.key === key && fact.needs.length === 0));
  const keys = new Set(added.flatMap(({ facts }) => facts.map(({ key }) => key)));
  const sure = [...keys].filter(isSure);
  const perhaps = added.flatMap(({ needs, facts }) =>
    facts
      .filter(({ key }) => !sure.includes(key))
      .map((fact) => ({ key: fact.key, needs: [...needs, ...fact.needs] })),
  );
  return [...sure.map((key) => ({ key, needs: [] })), ...perhaps];
}

/** Returns the state with a fact more, which holds from here on. */
export function withFact(state: State, key: FactKey): State {
  return { ...state, facts: [...state.facts, { key, needs: [] }] };
}

/** Returns whether it surely happened to whatever comes here. */
export function holds({ facts }: State, key: FactKey, given: readonly Condition[]): boolean {
  const open = facts
    .filter((fact) => fact.key === key)
    .map(({ needs }) => needs.filter((need) => !implies(given, need)));
  if (open.some((needs) => needs.length === 0)) return true;
  // Of two that each want one thing more, and one thing is the other's opposite, one happened.
  const single = open.flatMap((needs) => (needs.length === 1 ? needs : []));
  return single.some((one) => single.some((other) => areOpposite(one, other)));
}

/** Returns whether it may have happened to something that comes here. */
export function mayHold({ facts }: State, key: FactKey, given: readonly Condition[]): boolean {
  return facts.some(
    (fact) =>
      fact.key === key &&
      !fact.needs.some((need) => given.some((condition) => excludes(condition, need))),
  );
}
