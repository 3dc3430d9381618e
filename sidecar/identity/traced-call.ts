// A call to a provider as a span, by OpenTelemetry's API alone: who set up the SDK decides what becomes
// of it, and without one it is nothing. Sends no `traceparent`: our trace ids are not a provider's affair.
import { SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import { Fault } from '../fault.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/**
 * Runs a call as a CLIENT span under the active one, until its answer is there in full. The name is
 * `{method} {url.template}`: an endpoint of a provider has no variable in its path, so the path is its
 * template, and tells the calls of a sign-in apart. Of a query nothing is kept.
 */
export async function traceCall(
  url: URL,
  method: string,
  call: () => Promise<Response>,
): Promise<Response> {
  const span = trace.getTracer('signet').startSpan(`${method} ${url.pathname}`, {
    kind: SpanKind.CLIENT,
    attributes: {
      'http.request.method': method,
      'url.template': url.pathname,
      'server.address': url.hostname.replace(/^\[|\]$/g, ''),
      'server.port': Number(url.port) || DEFAULT_PORTS[url.protocol],
    },
  });
  try {
    const response = await call();
    noteStatus(span, response.status);
    return response;
  } catch (error) {
    fail(span, errorTypeOf(error));
    throw error;
  } finally {
    span.end();
  }
}

// A redirect is an answer, if one that nobody follows; from 400 on it is an error of a CLIENT span.
function noteStatus(span: Span, status: number): void {
  span.setAttribute('http.response.status_code', status);
  if (status >= 400) fail(span, String(status));
}

function fail(span: Span, errorType: string): void {
  span.setAttribute('error.type', errorType);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

// What lies deepest says it best (ECONNREFUSED, CERT_HAS_EXPIRED): `fetch` itself only says that it failed.
// Codes and names alone, which are few: a message may say anything.
function errorTypeOf(error: unknown): string {
  const deepest = deepestOf(error);
  if (deepest.name === 'TimeoutError') return 'timeout';
  if (deepest instanceof Fault) return 'response_too_large';
  return typeof deepest.code === 'string' ? deepest.code : (deepest.name ?? '_OTHER');
}

type Failure = { readonly name?: string; readonly code?: unknown; readonly cause?: unknown };

// By its shape: errors of Node's own can come from another realm.
function deepestOf(error: unknown): Failure {
  let deepest = (error ?? {}) as Failure;
  while (typeof deepest.cause === 'object' && deepest.cause !== null) deepest = deepest.cause;
  return deepest;
}
