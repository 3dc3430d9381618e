// Under which trace a request goes on: its own, or a trusted caller's.
import { joinBaggage } from './baggage.ts';
import { traceIdOf, upstreamSpanIdOf } from './ids.ts';
import type { IsSampled } from './sampling.ts';
import { formatTraceparent, parseTraceparent, type TraceParent } from './traceparent.ts';
import { carryTracestate } from './tracestate.ts';

/** Whose `traceparent` is continued; anyone else's is linked to. */
export type TraceTrust = 'bearer' | 'authenticated' | 'always' | 'never';

/** What a caller sent, as it came. */
export type CallerContext = {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  readonly baggage?: string | undefined;
};

export type TraceContext = {
  readonly traceId: string;
  /** The caller's span, when its trace goes on. */
  readonly parentSpanId: string | undefined;
  /** The caller's context, when a new trace was begun in spite of it. */
  readonly link: { readonly traceId: string; readonly spanId: string } | undefined;
  readonly sampled: boolean;
  /** The headers for the app; undefined ones must not exist there. */
  readonly headers: {
    readonly traceparent: string;
    readonly tracestate: string | undefined;
    readonly baggage: string | undefined;
  };
  /** `Server-Timing` for the browser (W3C level 2, section 3.4): its page joins spans to the ingress span. */
  readonly serverTiming: string;
};

/** Returns whether this caller's trace may go on under `trust`. */
export function isTrusted(trust: TraceTrust, method: 'session' | 'bearer' | undefined): boolean {
  if (trust === 'always') return true;
  if (trust === 'never' || method === undefined) return false;
  return trust === 'authenticated' || method === 'bearer';
}

/**
 * Returns the context for the app. A signed-in browser that chose its own trace ids could write into
 * somebody else's trace, so an untrusted caller's is only linked to, and its baggage is dropped.
 */
export function traceContext(
  requestId: string,
  caller: CallerContext,
  trusted: boolean,
  ourBaggage: string,
  isSampled: IsSampled,
): TraceContext {
  const theirs = parseTraceparent(caller.traceparent);
  const continued = trusted ? theirs : undefined;
  const own = traceIdOf(requestId);
  const traceId = continued?.traceId ?? own;
  const sampled = isSampled(traceId, continued?.sampled);
  const tracestate = continued === undefined ? undefined : carryTracestate(caller.tracestate);
  const baggage = joinBaggage(ourBaggage, trusted ? caller.baggage : undefined);
  // A UUIDv4's last seven bytes are random; a continued trace keeps what it came with.
  const random = continued?.random ?? true;
  const placeOf = (spanId: string) => formatTraceparent({ traceId, spanId, sampled, random });
  return {
    traceId,
    sampled,
    parentSpanId: continued?.spanId,
    link: continued === undefined ? linkTo(theirs) : undefined,
    headers: {
      traceparent: placeOf(upstreamSpanIdOf(requestId)),
      tracestate,
      baggage: baggage === '' ? undefined : baggage,
    },
    serverTiming: `trace;desc="${placeOf(own.slice(0, 16))}"`,
  };
}

function linkTo(theirs: TraceParent | undefined): TraceContext['link'] {
  return theirs && { traceId: theirs.traceId, spanId: theirs.spanId };
}
