// A trace as lines of text, from what the local receiver wrote: Signet's spans and the app's. Pure.
import type { SpanLine } from './span-line.ts';

const NAME_WIDTH = 52;

/** Returns the spans of one trace, children below their parents, with who, when and how long. */
export function traceTree(spans: readonly SpanLine[], traceId: string): string {
  const trace = spans
    .filter((span) => span.traceId === traceId)
    .toSorted((a, b) => Number(begin(a) - begin(b)));
  const ids = new Set(trace.map((span) => span.spanId));
  const roots = trace.filter(({ parentSpanId }) => !parentSpanId || !ids.has(parentSpanId));
  const zero = roots[0] === undefined ? 0n : begin(roots[0]);

  const branch = (span: SpanLine, depth: number): string[] => [
    line(span, depth, zero),
    ...trace
      .filter(({ parentSpanId }) => parentSpanId === span.spanId)
      .flatMap((child) => branch(child, depth + 1)),
  ];
  return roots.flatMap((root) => branch(root, 0)).join('\n');
}

function line(span: SpanLine, depth: number, zero: bigint): string {
  const { resource, name, kind, attributes } = span;
  const what = `${'  '.repeat(depth)}${text(resource['service.name'])}: ${name}`;
  const start = ms(begin(span) - zero).padStart(7);
  const lasts = ms(BigInt(span.endTimeUnixNano) - begin(span)).padStart(7);
  const user = text(attributes['user.id']);
  return `  ${what.padEnd(NAME_WIDTH)} ${kind.padEnd(8)} +${start} ${lasts} ms  ${user}`.trimEnd();
}

function begin(span: SpanLine): bigint {
  return BigInt(span.startTimeUnixNano);
}

function ms(nanos: bigint): string {
  return (Number(nanos) / 1e6).toFixed(1);
}

function text(value: SpanLine['attributes'][string]): string {
  return typeof value === 'string' ? value : '';
}
