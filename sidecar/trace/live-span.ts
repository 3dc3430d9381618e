// A span as the OpenTelemetry SDK ends it → a span as Signet sends it: nothing that isn't declared.
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { EXPORTED_ATTRIBUTES } from './exported.ts';
import type { AttributeValue, Span, SpanKind as Kind } from './span.ts';

/** What is read of it. */
export type EndedSpan = Pick<
  ReadableSpan,
  'spanContext' | 'parentSpanContext' | 'name' | 'kind' | 'attributes' | 'status'
>;

const DECLARED = new Set(EXPORTED_ATTRIBUTES);
const KINDS = new Map<SpanKind, Kind>([
  [SpanKind.CLIENT, 'CLIENT'],
  [SpanKind.SERVER, 'SERVER'],
]);

/** Returns the span with its ids, these times, and of its attributes those that may leave. */
export function spanOfEnded(ended: EndedSpan, times: Pick<Span, 'startUs' | 'endUs'>): Span {
  const { traceId, spanId } = ended.spanContext();
  const parentSpanId = ended.parentSpanContext?.spanId;
  const attributes = Object.entries(ended.attributes).filter(([name]) => DECLARED.has(name));
  return {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name: ended.name,
    kind: KINDS.get(ended.kind) ?? 'INTERNAL',
    ...times,
    attributes: Object.fromEntries(attributes) as Record<string, AttributeValue>,
    isError: ended.status.code === SpanStatusCode.ERROR,
  };
}
