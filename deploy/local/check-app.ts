// The app's part of a trace: it hangs under Signet's upstream span, all the way to the database, and
// what Signet put into the baggage has come as far as the second process.
import { USERS, type Expected } from './check-table.ts';
import type { Case } from './evidence.ts';
import type { SpanLine } from './span-line.ts';

/** From the edge to the database: each span's parent is the one before. */
const WHOLE_WAY: readonly (readonly [service: string, kind: string])[] = [
  ['caddy', 'SERVER'],
  ['caddy', 'CLIENT'],
  ['orders', 'SERVER'],
  ['orders', 'CLIENT'],
  ['inventory', 'SERVER'],
  ['inventory', 'CLIENT'],
];

/** Returns what is wrong, a phrase each; empty when all is well. */
export function appProblems({ seen, trace }: Case, expected: Expected): string[] {
  if (expected.reach !== 'app' || expected.status === 101) return [];
  const goesFar = seen.label.endsWith(': GET /orders');
  const way = goesFar ? WHOLE_WAY : WHOLE_WAY.slice(0, 3);
  return [...wayProblems(trace, way), ...(goesFar ? baggageProblems(trace, expected) : [])];
}

function wayProblems(trace: readonly SpanLine[], way: typeof WHOLE_WAY): string[] {
  let parent: SpanLine | undefined;
  for (const [service, kind] of way) {
    const span = find(trace, service, kind, parent?.spanId);
    if (span === undefined) return [`${service} has no ${kind} span below ${describe(parent)}`];
    parent = span;
  }
  const isDatabase = way === WHOLE_WAY && parent?.attributes['db.system.name'] !== 'sqlite';
  return isDatabase ? ['the last span is not the database query'] : [];
}

function find(trace: readonly SpanLine[], service: string, kind: string, parentId?: string) {
  return trace.find(
    (span) =>
      span.resource['service.name'] === service &&
      span.kind === kind &&
      (span.parentSpanId || undefined) === parentId,
  );
}

function describe(span: SpanLine | undefined): string {
  return span === undefined ? 'nothing' : `the ${span.kind} span "${span.name}"`;
}

function baggageProblems(trace: readonly SpanLine[], { user }: Expected): string[] {
  const { team, type } = user === undefined ? {} : (USERS[user] ?? {});
  const arrived = trace.find(
    ({ resource, kind }) => resource['service.name'] === 'inventory' && kind === 'SERVER',
  )?.attributes;
  return Object.entries({ 'user.id': user, team, user_type: type })
    .filter(([key, value]) => arrived?.[key] !== value)
    .map(([key, value]) => `the baggage's ${key} did not reach inventory as ${value ?? 'absent'}`);
}
