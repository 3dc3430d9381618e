// What leaves on the wire to a destination, as declared lists: a test holds spans to them, and SECURITY.md
// names what they name. The resource attributes and headers that the operator adds come on top.
import { NAMES } from './names.ts';
import type { Span } from './span.ts';

/** Attributes that a span may have. */
export const EXPORTED_ATTRIBUTES: readonly string[] = Object.values(NAMES);

/** Those of them that are about a person: on spans what PERSONAL_COLUMNS are in the store. */
export const PERSONAL_ATTRIBUTES: readonly string[] = [
  NAMES.urlPath,
  NAMES.urlQuery,
  NAMES.clientAddress,
  NAMES.peerAddress,
  NAMES.userAgent,
  NAMES.requirement,
  NAMES.issuer,
  NAMES.user,
  NAMES.team,
  NAMES.roles,
  NAMES.actorSubject,
  NAMES.actorIssuer,
  NAMES.actorChain,
];

/** All else that a span has, and what OTLP calls it (opentelemetry-proto 1.x, trace.proto). */
export const EXPORTED_FIELDS: Readonly<Record<Exclude<keyof Span, 'attributes'>, string>> = {
  traceId: 'trace_id',
  spanId: 'span_id',
  parentSpanId: 'parent_span_id',
  link: 'links',
  name: 'name',
  kind: 'kind',
  startUs: 'start_time_unix_nano',
  endUs: 'end_time_unix_nano',
  isError: 'status',
  isSampled: 'flags',
};

/** The resource that all spans are of. */
export const EXPORTED_RESOURCE = [
  'service.name',
  'service.version',
  'deployment.environment.name',
  'deployment.id',
] as const;
