// What the OpenTelemetry SDK ended, as a span that is sent: nothing that isn't declared.
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { expect, test } from '@jest/globals';
import { spanOfEnded, type EndedSpan } from '../../sidecar/trace/live-span.ts';

const TIMES = { startUs: 1_700_000_000_000_001, endUs: 1_700_000_000_000_250 };
const TRACE_ID = '4d0320747bbc4e5d964fa0f15a34b6f6';

function ended(changes: Partial<EndedSpan> = {}): EndedSpan {
  return {
    spanContext: () => ({ traceId: TRACE_ID, spanId: '00f067aa0ba902b7', traceFlags: 1 }),
    parentSpanContext: { traceId: TRACE_ID, spanId: '4d0320747bbc4e5d', traceFlags: 1 },
    name: 'POST /token',
    kind: SpanKind.CLIENT,
    attributes: { 'http.request.method': 'POST' },
    status: { code: SpanStatusCode.UNSET },
    ...changes,
  };
}

test('a span keeps its ids, name and kind, and has the times that it is given', () => {
  expect(spanOfEnded(ended(), TIMES)).toEqual({
    traceId: TRACE_ID,
    spanId: '00f067aa0ba902b7',
    parentSpanId: '4d0320747bbc4e5d',
    name: 'POST /token',
    kind: 'CLIENT',
    ...TIMES,
    attributes: { 'http.request.method': 'POST' },
    isError: false,
  });
});

test('an attribute that is not declared does not leave', () => {
  const attributes = { 'http.request.method': 'POST', 'http.request.body.text': 'code=secret' };
  expect(spanOfEnded(ended({ attributes }), TIMES).attributes).toEqual({
    'http.request.method': 'POST',
  });
});

test('neither does the message of an error, only that it is one', () => {
  const status = { code: SpanStatusCode.ERROR, message: 'the request to https://x/?code=1 failed' };
  const span = spanOfEnded(ended({ status }), TIMES);
  expect(span.isError).toBe(true);
  expect(JSON.stringify(span)).not.toContain('failed');
});
