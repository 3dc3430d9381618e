// What is traced as it happens, by the OpenTelemetry SDK: the calls to the provider that a sign-in waits
// for. They are children of its ingress span, which the recorder makes later, of Caddy's line.
import { context, ROOT_CONTEXT, SamplingDecision, trace, TraceFlags } from '@opentelemetry/api';
import type { NodeSDK } from '@opentelemetry/sdk-node';
import { spanIdsOf, traceIdOf } from './trace/ids.ts';
import { spanOfEnded, type EndedSpan } from './trace/live-span.ts';
import type { Sample, Sampleable } from './trace/sampling.ts';
import type { Span } from './trace/span.ts';

export type LiveTraceOptions = {
  /** The rule that the gate decides by: these spans are sent if, and only if, their request's are. */
  readonly sample: Sample;
  /** Microseconds since the epoch. The gate's, since the SDK's starts are of whole milliseconds. */
  readonly clock: () => number;
  /** Is handed the spans of one request at a time. */
  readonly addSpans: (spans: readonly Span[]) => void;
};

export type LiveTrace = {
  /** Begins to trace: resolves when the SDK is loaded (0.2 s, 40 MB), rejects when it can't be. */
  start(): Promise<void>;
  /** Runs `act`, the answer to one request under `/.signet/`; its result says what came of it. */
  readonly within: <T extends Sampleable | undefined>(
    requestId: string,
    act: () => Promise<T>,
  ) => Promise<T>;
  stop(): Promise<void>;
};

/** Of these pages' rows, see `stampOwn` in gate.ts. */
const ROUTE = 'signet';

/** Returns what traces, not yet started. There is one in a process: OpenTelemetry's API is global. */
export function createLiveTrace({ sample, clock, addSpans }: LiveTraceOptions): LiveTrace {
  /** By trace id: a request's spans wait for its decision, on which it depends whether they are sampled. */
  const underWay = new Map<string, Span[]>();
  const startedUs = new WeakMap<object, number>();
  let sdk: NodeSDK | undefined;
  let starting: Promise<void> | undefined;

  async function load(): Promise<void> {
    sdk = await createSdk({
      onStart: (span) => void startedUs.set(span, clock()),
      onEnd: (ended) => keep(ended),
    });
    sdk.start();
  }

  /** Never fails: whoever signs in does not care. */
  const started = () => starting?.catch(() => undefined);

  function keep(ended: EndedSpan): void {
    const endUs = clock();
    const startUs = startedUs.get(ended) ?? endUs;
    underWay.get(ended.spanContext().traceId)?.push(spanOfEnded(ended, { startUs, endUs }));
  }

  async function within<T extends Sampleable | undefined>(
    requestId: string,
    act: () => Promise<T>,
  ): Promise<T> {
    await started();
    const traceId = traceIdOf(requestId);
    const spans: Span[] = [];
    underWay.set(traceId, spans);
    try {
      const outcome = await context.with(contextOf(requestId, traceId), act);
      if (spans.length > 0 && isSampled(traceId, outcome)) addSpans(spans);
      return outcome;
    } finally {
      underWay.delete(traceId);
    }
  }

  function isSampled(traceId: string, outcome: Sampleable | undefined): boolean {
    return outcome !== undefined && sample({ ...outcome, route: ROUTE })(traceId);
  }

  async function stop(): Promise<void> {
    await started();
    await sdk?.shutdown();
    trace.disable();
    context.disable();
  }

  return { start: () => (starting = load()), within, stop };
}

// The place that the recorder will give to the request's ingress span.
function contextOf(requestId: string, traceId: string) {
  const spanId = spanIdsOf(requestId).ingress;
  const spanContext = { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
  return trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

type Listener = {
  readonly onStart: (span: object) => void;
  readonly onEnd: (ended: EndedSpan) => void;
};

// Loaded only now: that takes 0.2 s, in which requests wait, as they do at no other time; were it loaded
// before the gate opens, they would be refused so long. All that it would take from OTEL_* variables or
// find out by itself is said: no exporter, no propagator, no detectors.
async function createSdk(listener: Listener): Promise<NodeSDK> {
  const { NodeSDK: Sdk } = await import('@opentelemetry/sdk-node');
  return new Sdk({
    autoDetectResources: false,
    textMapPropagator: null,
    metricReaders: [],
    logRecordProcessors: [],
    spanLimits: { attributeCountLimit: 128, attributeValueLengthLimit: 1024 },
    sampler: { shouldSample: (parent) => ({ decision: decisionFor(trace.getSpan(parent)) }) },
    // A processor, not an exporter: what is queued, tried again and dropped is delivery/live.ts's to say.
    spanProcessors: [
      {
        ...listener,
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      },
    ],
  });
}

// Only for a request that somebody waits for: what goes on in the background is of nobody's trace.
function decisionFor(parent: object | undefined): SamplingDecision {
  return parent === undefined ? SamplingDecision.NOT_RECORD : SamplingDecision.RECORD_AND_SAMPLED;
}
