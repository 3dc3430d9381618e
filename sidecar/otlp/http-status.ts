// What an HTTP answer means for a request, as OTLP has it (1.x, "OTLP/HTTP Response", "Failures").
import type { IncomingHttpHeaders } from 'node:http';
import { kindOfHttp } from './answer-kinds.ts';
import type { Hide } from './hide-credentials.ts';
import { quote, quoteBody } from './quote.ts';
import { responseFromJson } from './read-response.ts';
import { parseRetryAfter } from './retry-after.ts';
import { rpcErrorIn } from './rpc-status.ts';
import type { Answer } from './transport.ts';
import { ONLY_TLS } from './wrong-port.ts';

export type HttpAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As far as it was read. */
  readonly body: Buffer;
};

/** What Go's servers and nginx say to plain text on a port for TLS: no word about the request. */
const PLAIN_TO_TLS = /sent an HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS/;

const asItIs: Hide = (text) => text;

/** Returns what the answer means; `hide` is for what is quoted of it. */
export function answerOfHttp(answer: HttpAnswer, nowMs: number, hide: Hide = asItIs): Answer {
  const { status, headers, body } = answer;
  const contentType = headers['content-type']?.toLowerCase() ?? '';
  if (status >= 200 && status < 300) return acknowledgement(contentType, body, hide);
  if (status === 400 && PLAIN_TO_TLS.test(body.toString())) {
    return { kind: 'misdirected', problem: ONLY_TLS };
  }
  if (status >= 300 && status < 400) return redirection(status, hide(headers.location ?? ''));
  const kind = kindOfHttp(status);
  const words = quoteBody(contentType, body, hide);
  const problem = words === '' ? `answered ${status}` : `answered ${status}: ${words}`;
  if (kind !== 'retry') return { kind, problem };
  // Too many requests is about none of them, whether it says when to come again or not.
  const afterMs =
    parseRetryAfter(headers['retry-after'], nowMs) ?? (status === 429 ? 0 : undefined);
  return { kind, problem, ...(afterMs !== undefined && { afterMs }) };
}

// What isn't OTLP's is no receiver's answer: to believe some app or the login page of a proxy that it has
// taken spans would be to lose them. An empty body counts as taken, and so does a message that can't be read.
function acknowledgement(contentType: string, body: Buffer, hide: Hide): Answer {
  if (body.length === 0) return { kind: 'acknowledged', response: body };
  if (contentType.includes('json') || contentType.includes('protobuf')) {
    return response(contentType, body, hide);
  }
  const words = quoteBody(contentType, body, hide);
  const what = contentType === '' ? 'no content type' : quote(contentType);
  const said = words === '' ? what : `${what}: ${words}`;
  return { kind: 'misdirected', problem: `answered with ${said}; it is no OTLP receiver` };
}

function response(contentType: string, body: Buffer, hide: Hide): Answer {
  const error = rpcErrorIn(contentType, body);
  if (error !== undefined) {
    const words = quoteBody(contentType, body, hide);
    return { kind: error.kind, problem: `answered 200 with ${error.name}: ${words}` };
  }
  const isJson = contentType.includes('json');
  return { kind: 'acknowledged', response: isJson ? responseFromJson(body) : body };
}

// Not followed: the credentials are for the host that was named.
function redirection(status: number, location: string): Answer {
  const to = location === '' ? '' : ` to ${quote(location)}`;
  return {
    kind: 'misdirected',
    problem: `answered ${status}, a redirection${to}: name that place`,
  };
}
