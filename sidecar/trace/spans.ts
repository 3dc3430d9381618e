// Spans from rows: one ingress span, and where they happened the gate's and the upstream's.
// Pure: the same row makes the same spans, however often it is sent.
import type { RequestRow, RowIdentity } from '../audit/row.ts';
import { actorDepth, actorWords } from '../identity/identity.ts';
import { spanIdsOf, type SpanIds } from './ids.ts';
import { GATE_SPAN, KNOWN_METHODS, NAMES } from './names.ts';
import type { AttributeValue, Span } from './span.ts';

type Attributes = Record<string, AttributeValue>;

/** Longest `url.path` and `url.query` on a span, in characters; the row has the whole. */
export const MAX_URL_PART_CHARS = 2048;

/** A request with its place in the chain, once it has one. */
export type SpanRow = RequestRow & { readonly sequence?: number; readonly hash?: string };

/** Returns the row's spans, the ingress first; children lie within their parents. */
export function spansOf(row: SpanRow): Span[] {
  const ids = spanIdsOf(row.requestId);
  const ingress = ingressSpan(row, ids);
  const gate = gateSpan(row, ids, ingress);
  const upstream = upstreamSpan(row, ids, ingress, gate?.endUs ?? ingress.startUs);
  return [ingress, gate, upstream].filter((span) => span !== undefined);
}

/** Returns the row's ingress span alone. */
export function ingressSpanOf(row: SpanRow): Span {
  return ingressSpan(row, spanIdsOf(row.requestId));
}

function ingressSpan(row: SpanRow, ids: SpanIds): Span {
  const name = spanMethod(row);
  const isError = row.status >= 500;
  return {
    traceId: row.traceId,
    spanId: ids.ingress,
    ...(row.parentSpanId !== undefined && { parentSpanId: row.parentSpanId }),
    ...(row.link !== undefined && { link: row.link }),
    name: row.route === undefined ? name : `${name} ${row.route}`,
    kind: 'SERVER',
    startUs: row.startedAtUs,
    endUs: row.startedAtUs + row.durationUs,
    attributes: {
      ...requestAttributes(row),
      ...identityAttributes(row),
      ...decisionAttributes(row),
      ...placeAttributes(row),
      ...(isError && { [NAMES.errorType]: String(row.status) }),
    },
    isError,
  };
}

function gateSpan(row: RequestRow, ids: SpanIds, ingress: Span): Span | undefined {
  if (row.gate === undefined) return undefined;
  const { startedAtUs, durationUs } = row.gate;
  return {
    traceId: row.traceId,
    spanId: ids.gate,
    parentSpanId: ids.ingress,
    name: GATE_SPAN,
    kind: 'INTERNAL',
    // By Caddy's clock, like all of the trace.
    ...within(ingress.startUs, ingress.endUs, startedAtUs - row.skewUs, durationUs),
    attributes: { ...identityAttributes(row), ...decisionAttributes(row) },
    isError: false,
  };
}

// One span covers all tries: they share one `traceparent`.
function upstreamSpan(
  row: RequestRow,
  ids: SpanIds,
  ingress: Span,
  notBeforeUs: number,
): Span | undefined {
  if (row.upstream === undefined) return undefined;
  const { address, startedAtUs, durationUs, latencyUs, retries } = row.upstream;
  // Without a latency the client left: what status it had got by then is the app's, unless Caddy's own.
  const isAnswered = latencyUs !== undefined || (row.status > 0 && row.status < 500);
  const isError = !isAnswered || row.status >= 400;
  return {
    traceId: row.traceId,
    spanId: ids.upstream,
    parentSpanId: ids.ingress,
    name: spanMethod(row),
    kind: 'CLIENT',
    ...within(notBeforeUs, ingress.endUs, startedAtUs, durationUs),
    attributes: {
      [NAMES.requestMethod]: requestMethod(row).method,
      ...(address !== undefined && serverAttributes(address)),
      ...(isAnswered && { [NAMES.responseStatus]: row.status }),
      ...(retries > 0 && { [NAMES.resendCount]: retries }),
      ...(isError && { [NAMES.errorType]: isAnswered ? String(row.status) : 'no_response' }),
      ...identityAttributes(row),
    },
    isError,
  };
}

// Clocks differ, and Caddy gives whole milliseconds here and there: a child never leaves its parent.
function within(fromUs: number, toUs: number, startedAtUs: number, durationUs: number) {
  const startUs = Math.min(Math.max(startedAtUs, fromUs), toUs);
  return { startUs, endUs: Math.min(startUs + durationUs, toUs) };
}

/**
 * Returns where in the chain a row stands. What is sent away can't be changed here any more: each span is
 * a witness of the chain up to its row.
 */
export function placeAttributes({
  sequence,
  hash,
}: Pick<SpanRow, 'sequence' | 'hash'>): Attributes {
  if (sequence === undefined || hash === undefined) return {};
  return { [NAMES.auditSequence]: sequence, [NAMES.auditHash]: hash };
}

function requestAttributes(row: RequestRow): Attributes {
  const { method, original } = requestMethod(row);
  return {
    [NAMES.requestId]: row.requestId,
    [NAMES.requestMethod]: method,
    ...(original !== undefined && { [NAMES.requestMethodOriginal]: original }),
    [NAMES.urlScheme]: row.scheme,
    // Empty where the person was forgotten: what is sent again says no more than the store.
    ...(row.path !== '' && { [NAMES.urlPath]: row.path.slice(0, MAX_URL_PART_CHARS) }),
    ...(row.query !== undefined && { [NAMES.urlQuery]: row.query.slice(0, MAX_URL_PART_CHARS) }),
    ...serverAttributes(row.host),
    ...(row.clientAddress !== '' && { [NAMES.clientAddress]: row.clientAddress }),
    ...(row.peerAddress !== '' && { [NAMES.peerAddress]: row.peerAddress }),
    [NAMES.protocolVersion]: row.protocol.replace(/^HTTP\//, '').replace(/\.0$/, ''),
    ...(row.userAgent !== undefined && { [NAMES.userAgent]: row.userAgent }),
    ...(row.status !== 0 && { [NAMES.responseStatus]: row.status }),
    [NAMES.responseBodySize]: row.responseBytes,
    ...(row.requestBytes > 0 && { [NAMES.requestBodySize]: row.requestBytes }),
    ...(row.route !== undefined && { [NAMES.route]: row.route }),
  };
}

/** Returns who is calling; nothing where that isn't known. */
export function identityAttributes({ identity }: Pick<RequestRow, 'identity'>): Attributes {
  if (identity === undefined) return {};
  return {
    [NAMES.user]: identity.user,
    [NAMES.userType]: identity.type,
    [NAMES.issuer]: identity.issuer,
    [NAMES.authMethod]: identity.method,
    ...(identity.team !== undefined && { [NAMES.team]: identity.team }),
    ...(identity.roles.length > 0 && { [NAMES.roles]: identity.roles }),
    ...actorAttributes(identity),
  };
}

// The latest actor by its parts, to search for; the chain as one text, to read.
function actorAttributes(identity: RowIdentity): Attributes {
  const { actor } = identity;
  if (actor === undefined) return {};
  return {
    [NAMES.actorSubject]: actor.subject,
    ...(actor.issuer !== undefined && { [NAMES.actorIssuer]: actor.issuer }),
    [NAMES.actorDepth]: actorDepth(identity),
    [NAMES.actorChain]: actorWords(identity),
  };
}

function decisionAttributes(row: RequestRow): Attributes {
  return {
    [NAMES.decision]: row.decision,
    [NAMES.reason]: row.reason,
    ...(row.requirement !== undefined && { [NAMES.requirement]: row.requirement }),
  };
}

function requestMethod({ method }: RequestRow): { method: string; original?: string } {
  return KNOWN_METHODS.has(method) ? { method } : { method: '_OTHER', original: method };
}

// The conventions: an unknown method is `HTTP` in a name, and `_OTHER` as an attribute.
function spanMethod({ method }: RequestRow): string {
  return KNOWN_METHODS.has(method) ? method : 'HTTP';
}

// `host`, `host:port`, `[v6]:port`, or a unix socket's path.
function serverAttributes(address: string): Attributes {
  const match = /^(\[[^\]]*\]|[^:/]*):(\d{1,5})$/.exec(address);
  if (match === null) return { [NAMES.serverAddress]: address };
  return {
    [NAMES.serverAddress]: (match[1] ?? '').replace(/^\[|\]$/g, ''),
    [NAMES.serverPort]: Number(match[2]),
  };
}
