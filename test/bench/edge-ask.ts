// One request at a time, for signing in and for looking whether a variant does what it must: over
// plain HTTP, over TLS with the edge's own certificate, or to a unix socket.
import { request as requestHttp, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';

export type Target =
  { readonly port: number; readonly tls: boolean } | { readonly socketPath: string };

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

const TIMEOUT_MS = 15_000;

/** Sends a GET with these `Name: value` lines, on a connection of its own; follows no redirect. */
export function ask(target: Target, path: string, headers: readonly string[]): Promise<Answer> {
  const isTls = 'port' in target && target.tls;
  const options: RequestOptions & { rejectUnauthorized: boolean } = {
    ...('port' in target ? { host: 'localhost', port: target.port } : target),
    path,
    headers: Object.fromEntries(headers.map(split)),
    agent: false,
    timeout: TIMEOUT_MS,
    // Its authority was made by this very run; what is asked here is not whether TLS is right.
    rejectUnauthorized: false,
  };
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asked = (isTls ? requestHttps : requestHttp)(options);
  asked.once('error', reject);
  asked.once('timeout', () => asked.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
  asked.once('response', (response) => {
    const { statusCode: status = 0, headers: received } = response;
    text(response).then((body) => resolve({ status, headers: received, body }), reject);
  });
  asked.end();
  return promise;
}

function split(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}
