// What an HTTP answer means for a request, as OTLP has it (1.x, "OTLP/HTTP Response", "Failures").
import type { IncomingHttpHeaders } from 'node:http';
import { quote, quoteBody } from './quote.ts';
import { responseFromJson } from './read-response.ts';
import { parseRetryAfter } from './retry-after.ts';
import type { Answer, Failure } from './transport.ts';

export type HttpAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As far as it was read. */
  readonly body: Buffer;
};

/** By OTLP's table, and what it leaves to us; all others don't say who is at fault. */
const KINDS: Readonly<Record<number, Failure['kind']>> = {
  400: 'refused',
  413: 'refused',
  422: 'refused',
  401: 'unauthorized',
  403: 'unauthorized',
  407: 'unauthorized',
  404: 'misdirected',
  405: 'misdirected',
  415: 'misdirected',
  429: 'retry',
  502: 'retry',
  503: 'retry',
  504: 'retry',
};

/** Returns what the answer means. */
export function answerOfHttp(answer: HttpAnswer, nowMs: number): Answer {
  const { status, headers, body } = answer;
  const contentType = headers['content-type']?.toLowerCase() ?? '';
  if (status >= 200 && status < 300) return acknowledgement(contentType, body);
  if (status >= 300 && status < 400) return redirection(status, headers.location);
  const kind = KINDS[status] ?? 'unclear';
  const words = quoteBody(contentType, body);
  const problem = words === '' ? `answered ${status}` : `answered ${status}: ${words}`;
  if (kind !== 'retry') return { kind, problem };
  const afterMs = parseRetryAfter(headers['retry-after'], nowMs);
  return { kind, problem, ...(afterMs !== undefined && { afterMs }) };
}

// A page for people is no receiver's answer: to believe the login page of some proxy that it has taken
// spans would be to lose them. All else counts as taken, also what can't be read.
function acknowledgement(contentType: string, body: Buffer): Answer {
  if (contentType.startsWith('text/html')) {
    return { kind: 'misdirected', problem: 'answered with a web page: it is no OTLP receiver' };
  }
  if (contentType.includes('json')) {
    return { kind: 'acknowledged', response: responseFromJson(body) };
  }
  const isMessage = contentType.includes('protobuf');
  return { kind: 'acknowledged', response: isMessage ? body : Buffer.alloc(0) };
}

// Not followed: the credentials are for the host that was named.
function redirection(status: number, location: string | undefined): Answer {
  const to = location === undefined ? '' : ` to ${quote(location)}`;
  return {
    kind: 'misdirected',
    problem: `answered ${status}, a redirection${to}: name that place`,
  };
}
