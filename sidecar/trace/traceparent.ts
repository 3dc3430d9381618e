// `traceparent` as W3C Trace Context level 2 defines it: read from callers, written for the app.
// Our own writer, because the SDK's propagator loses the random flag and miswrites flags above 0x0f.

/** A caller's place in its trace. */
export type TraceParent = {
  readonly traceId: string;
  readonly spanId: string;
  /** Of a trace that goes on here it is followed, except by refusals: see sampling.ts. */
  readonly sampled: boolean;
  /** Whether the trace id's last seven bytes are random (level 2, section 3.2.2.5.2). */
  readonly random: boolean;
};

const SHAPE = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const LENGTH_OF_VERSION_00 = 55;

/**
 * Returns the caller's context, or undefined when anything is malformed: then the whole is ignored
 * (section 3.2.2). A higher version is read for its known part; `ff` is invalid; two headers arrive
 * joined by a comma and are malformed.
 */
export function parseTraceparent(text: string | undefined): TraceParent | undefined {
  if (text === undefined) return undefined;
  const match = SHAPE.exec(text);
  if (match === null) return undefined;
  const [, version, traceId = '', spanId = '', flagDigits = '00'] = match;
  if (version === 'ff' || (version === '00' && text.length !== LENGTH_OF_VERSION_00)) {
    return undefined;
  }
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const flags = Number.parseInt(flagDigits, 16);
  return { traceId, spanId, sampled: (flags & 1) !== 0, random: (flags & 2) !== 0 };
}

/** Returns version 00 with the known flags only; unknown ones go out as zero (section 3.2.2.5). */
export function formatTraceparent(parent: TraceParent): string {
  const flags = (parent.sampled ? 1 : 0) | (parent.random ? 2 : 0);
  return `00-${parent.traceId}-${parent.spanId}-0${flags}`;
}
