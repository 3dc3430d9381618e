// Whether a route takes a dangerous header off the request, and leaves it where it is none: tried on the texts that
// attacks use, because a pattern can be written in many ways. Pure.
import { type MatcherSet, recordAt, type Route, textsAt } from './adapted.ts';
import { namesHeader } from './header-flow.ts';
import { readPattern } from './pattern.ts';

/** What must be taken off (GHSA-w9mr-28mw-j8hg; h2c smuggling), as a client may write it. */
const DANGEROUS = {
  connection: ['close, Remote-User', 'remote-user', 'keep-alive, Remote-Team, traceparent'],
  upgrade: ['h2c', 'H2C', 'h2c, websocket', 'websocket, h2c'],
} as const;

export type Filtered = keyof typeof DANGEROUS;

/** Returns which headers are harmless behind the route, though not always absent. */
export function filteredBy({ match = [], handle = [] }: Route): Filtered[] {
  const deletes = handle.flatMap((handler) =>
    handler.handler === 'headers' ? textsAt(recordAt(handler['request'])['delete']) : [],
  );
  const names: readonly Filtered[] = ['connection', 'upgrade'];
  return names.filter(
    (name) =>
      deletes.some((pattern) => namesHeader(pattern.toLowerCase(), name)) &&
      DANGEROUS[name].every((value) => match.some((set) => catches(set, name, value))),
  );
}

// Sure, or no: a set of other matchers beside it may not match.
function catches(set: MatcherSet, name: Filtered, value: string): boolean {
  const entries = Object.entries(set);
  return (
    entries.length > 0 && entries.every(([matcher, how]) => matches(matcher, how, name, value))
  );
}

function matches(matcher: string, how: unknown, name: Filtered, value: string): boolean {
  if (matcher === 'not') {
    return Array.isArray(how) && how.every((set) => missesSurely(recordAt(set), name, value));
  }
  return patternsOf(matcher, how, name).some((pattern) => pattern?.test(value));
}

function missesSurely(set: MatcherSet, name: Filtered, value: string): boolean {
  return Object.entries(set).some(([matcher, how]) => {
    // `header_regexp` looks at each header by itself, and lets all pass where one is harmless.
    if (matcher !== 'vars_regexp') return false;
    const patterns = patternsOf(matcher, how, name);
    return patterns.length > 0 && patterns.every((pattern) => pattern && !pattern.test(value));
  });
}

// undefined for a pattern that can't be read here: of that nothing is sure.
function patternsOf(matcher: string, how: unknown, name: Filtered): (RegExp | undefined)[] {
  if (matcher !== 'header_regexp' && matcher !== 'vars_regexp') return [];
  return Object.entries(recordAt(how))
    .filter(
      ([key]) => key.replace(/^\{http\.request\.header\.(.+)\}$/, '$1').toLowerCase() === name,
    )
    .map(([, regexp]) => readPattern(recordAt(regexp)['pattern']));
}
