// Spans of one request: which there must be, under which ids, when, and in whose name.
import { USERS, type Expected } from './check-table.ts';
import type { Case } from './evidence.ts';
import type { SpanLine } from './span-line.ts';

const NANOS_PER_MS = 1_000_000n;

/** How long a request must have lasted at the edge and at the app, by label. */
const AT_LEAST_MS: Readonly<Record<string, bigint>> = {
  'alice: GET /slow': 300n,
  'alice: GET /socket': 2_000n,
};

/** Signet's spans of a request. */
type Own = {
  readonly ingress: SpanLine | undefined;
  readonly gate: SpanLine | undefined;
  readonly upstream: SpanLine | undefined;
};

/** Returns what is wrong, a phrase each; empty when all is well. */
export function spanProblems({ seen, trace }: Case, expected: Expected): string[] {
  const all = trace.filter((span) => span.scope === 'signet');
  const own = all.filter((span) => !isProviderCall(span));
  const spans = sort(own);
  return [
    ...presence(own, spans, expected),
    ...ids(spans, seen.requestId),
    ...providerCalls(all.filter(isProviderCall), seen),
    ...orphans(trace),
    ...names(own, expected),
    ...times(spans),
    ...durations(spans, AT_LEAST_MS[seen.label]),
  ];
}

// What a sign-in asks the provider: the only spans of Signet that have a template.
function isProviderCall({ attributes }: SpanLine): boolean {
  return attributes['url.template'] !== undefined;
}

// A code is exchanged for a token in the callback, and nowhere else is anybody waited for.
function providerCalls(calls: readonly SpanLine[], { label, requestId }: Case['seen']): string[] {
  const isCallback = label.endsWith('GET /.signet/callback');
  const ingress = requestId.slice(0, 18).replaceAll('-', '');
  const problems = calls
    .filter(({ parentSpanId }) => parentSpanId !== ingress)
    .map(({ name }) => notBelow(`provider's "${name}"`));
  if (isCallback !== calls.some(({ name }) => name.startsWith('POST ')))
    problems.push(`there is ${isCallback ? 'no' : 'an unexpected'} call to the provider`);
  return problems;
}

function sort(own: readonly SpanLine[]): Own {
  const first = (kind: string) => own.find((span) => span.kind === kind);
  return { ingress: first('SERVER'), gate: first('INTERNAL'), upstream: first('CLIENT') };
}

function presence(own: readonly SpanLine[], spans: Own, { reach }: Expected): string[] {
  const wanted = { ingress: true, gate: reach !== 'edge', upstream: reach === 'app' };
  const count = Object.values(wanted).filter(Boolean).length;
  const problems = Object.entries(wanted)
    .filter(([name, isWanted]) => (spans[name as keyof Own] !== undefined) !== isWanted)
    .map(([name, isWanted]) => `there is ${isWanted ? 'no' : 'an unexpected'} ${name} span`);
  if (problems.length > 0 || own.length === count) return problems;
  return [`there are ${own.length} spans of Signet, not ${count}`];
}

// Everything follows from the request id.
function ids({ ingress, gate, upstream }: Own, requestId: string): string[] {
  const [first, second] = [requestId.slice(0, 18), requestId.slice(19)].map((half) =>
    half.replaceAll('-', ''),
  );
  const problems: string[] = [];
  if (ingress && ingress.spanId !== first) problems.push('the ingress span has another id');
  if (ingress?.parentSpanId) problems.push('the ingress span has a parent');
  if (upstream && upstream.spanId !== second) problems.push('the upstream span has another id');
  if (upstream && upstream.parentSpanId !== first) problems.push(notBelow('upstream'));
  if (gate && gate.parentSpanId !== first) problems.push(notBelow('gate'));
  return problems;
}

function notBelow(name: string): string {
  return `the ${name} span is not below the ingress span`;
}

function orphans(trace: readonly SpanLine[]): string[] {
  const known = new Set(trace.map((span) => span.spanId));
  return trace
    .filter(({ parentSpanId }) => parentSpanId && !known.has(parentSpanId))
    .map((span) => `the parent of the ${span.kind} span "${span.name}" is not in the trace`);
}

function names(own: readonly SpanLine[], { user }: Expected): string[] {
  const { team, type } = user === undefined ? {} : (USERS[user] ?? {});
  const wanted = { 'user.id': user, team, user_type: type };
  return own.flatMap((span) =>
    Object.entries(wanted)
      .filter(([key, value]) => span.attributes[key] !== value)
      .map(([key, value]) => {
        const is = JSON.stringify(span.attributes[key]) ?? 'absent';
        return `${key} of the ${span.kind} span is ${is}, not ${value ?? 'absent'}`;
      }),
  );
}

function times({ ingress, gate, upstream }: Own): string[] {
  const problems: string[] = [];
  if (ingress && gate && !isWithin(gate, ingress))
    problems.push('the gate lies outside the ingress');
  if (ingress && upstream && !isWithin(upstream, ingress)) {
    problems.push('the upstream lies outside the ingress');
  }
  if (gate && upstream && end(gate) > begin(upstream)) {
    problems.push('the gate ends after the upstream began');
  }
  return problems;
}

function durations({ ingress, upstream }: Own, atLeastMs: bigint | undefined): string[] {
  if (atLeastMs === undefined) return [];
  return Object.entries({ ingress, upstream })
    .filter(([, span]) => span && end(span) - begin(span) < atLeastMs * NANOS_PER_MS)
    .map(([name]) => `the ${name} span lasts less than ${atLeastMs} ms`);
}

function isWithin(inner: SpanLine, outer: SpanLine): boolean {
  return begin(inner) >= begin(outer) && end(inner) <= end(outer);
}

function begin(span: SpanLine): bigint {
  return BigInt(span.startTimeUnixNano);
}

function end(span: SpanLine): bigint {
  return BigInt(span.endTimeUnixNano);
}
