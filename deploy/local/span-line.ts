// What the local receiver writes: one JSON object per span, made from a decoded OTLP message. Pure.

export type Value = string | number | boolean | Value[] | { [key: string]: Value } | undefined;

/** A line of spans.jsonl. Ids are hex, times decimal nanoseconds since the epoch. */
export type SpanLine = {
  readonly traceId: string;
  readonly spanId: string;
  /** Absent on the first span of a trace. */
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  /** OTLP's word: `INTERNAL`, `SERVER`, `CLIENT` … */
  readonly kind: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Record<string, Value>;
  readonly resource: Record<string, Value>;
  /** `code` 0 unset, 1 ok, 2 error. */
  readonly status: { readonly code: number; readonly message: string };
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes: Record<string, Value>;
  }[];
  /** The instrumentation scope's name. */
  readonly scope: string;
};

/** The messages of trace.proto as @grpc/proto-loader decodes them. */
export type ExportRequest = {
  readonly resourceSpans: readonly {
    readonly resource?: { readonly attributes: readonly KeyValue[] } | null;
    readonly scopeSpans: readonly {
      readonly scope?: { readonly name: string } | null;
      readonly spans: readonly Span[];
    }[];
  }[];
};

type Span = {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId: Uint8Array;
  readonly traceState: string;
  readonly name: string;
  readonly kind: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly links: readonly {
    readonly traceId: Uint8Array;
    readonly spanId: Uint8Array;
    readonly attributes: readonly KeyValue[];
  }[];
  readonly status?: { readonly code: number; readonly message: string } | null;
};

type KeyValue = { readonly key: string; readonly value?: AnyValue | null };

/** `value` names the member that is set. */
type AnyValue = {
  readonly value?: Exclude<keyof AnyValue, 'value'>;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values: readonly KeyValue[] };
  readonly bytesValue?: Uint8Array;
};

/** Returns every span of an export request, each with its resource and scope. */
export function spanLines(request: ExportRequest): SpanLine[] {
  return request.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => spanLine(span, plain(resource?.attributes ?? []), scope?.name ?? '')),
    ),
  );
}

function spanLine(span: Span, resource: Record<string, Value>, scope: string): SpanLine {
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    ...(span.parentSpanId.length > 0 && { parentSpanId: hex(span.parentSpanId) }),
    ...(span.traceState !== '' && { traceState: span.traceState }),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: span.startTimeUnixNano,
    endTimeUnixNano: span.endTimeUnixNano,
    attributes: plain(span.attributes),
    resource,
    status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
    links: span.links.map((link) => ({
      traceId: hex(link.traceId),
      spanId: hex(link.spanId),
      attributes: plain(link.attributes),
    })),
    scope,
  };
}

function plain(attributes: readonly KeyValue[]): Record<string, Value> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(any: AnyValue | null | undefined): Value {
  if (any?.value === undefined) return undefined;
  switch (any.value) {
    case 'stringValue':
      return any.stringValue;
    case 'boolValue':
      return any.boolValue;
    case 'intValue':
      return Number(any.intValue);
    case 'doubleValue':
      return any.doubleValue;
    case 'arrayValue':
      return any.arrayValue?.values.map(plainValue);
    case 'kvlistValue':
      return plain(any.kvlistValue?.values ?? []);
    case 'bytesValue':
      return hex(any.bytesValue ?? new Uint8Array());
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
