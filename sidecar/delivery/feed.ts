// Rows as what a destination takes: one OTLP request. This one makes spans; log-feed.ts makes log records.
import { isRequest, type StoredRow } from '../audit/row.ts';
import type { Span } from '../trace/span.ts';
import type { SpanRow } from '../trace/spans.ts';
import type { Signal } from '../otlp/destination.ts';
import { createSpanEncoder } from '../otlp/encode-spans.ts';

/** A request; its bytes are valid until the same feed encodes the next. */
export type Encoded = {
  readonly bytes: Buffer;
  /** Spans or log records in it; 0 where there is nothing to send. */
  readonly items: number;
};

export type Feed = {
  readonly signal: Signal;
  /** Encodes rows, in their order, however many bytes that takes. */
  encode(rows: readonly StoredRow[]): Encoded;
};

/** Makes the spans of a request. */
export type SpansOf = (row: SpanRow) => readonly Span[];

/** Returns a feed of spans, with memory of its own. */
export function createSpanFeed(
  resource: Readonly<Record<string, string>>,
  version: string,
  spansOf: SpansOf,
): Feed {
  const encode = createSpanEncoder(resource, version);
  return {
    signal: 'traces',
    encode: (rows) => {
      const spans = rows.filter(isRequest).flatMap(spansOf);
      return { bytes: encode(spans), items: spans.length };
    },
  };
}
