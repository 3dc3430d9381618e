// A span as Signet builds it: plain data, whatever wire it leaves by.

export type SpanKind = 'SERVER' | 'CLIENT' | 'INTERNAL';

export type AttributeValue = string | number | boolean | readonly string[];

export type Span = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly link?: { readonly traceId: string; readonly spanId: string };
  readonly name: string;
  readonly kind: SpanKind;
  /** Microseconds since the epoch. */
  readonly startUs: number;
  readonly endUs: number;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Unset unless it failed: a 401 or 403 is an answer, not an error. */
  readonly isError: boolean;
  /** False where only this span is sent of a trace that wasn't sampled; otherwise it was. */
  readonly isSampled?: false;
};
