// One POST, to its answer or the deadline. The answer's body is bounded; redirections are not followed.
import { type Agent, type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { Fault } from '../fault.ts';
import { MAX_RESPONSE_BYTES, noAnswer } from './caller.ts';
import type { HttpAnswer } from './http-status.ts';

export type Post = {
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly timeoutMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
};

/** Resolves to the answer, whatever its status; rejects when there is none within the time. */
export function post(url: string, { body, timeoutMs, ...given }: Post): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const open = url.startsWith('https:') ? httpsRequest : httpRequest;
  const headers = { ...given.headers, 'content-length': body.length };
  const request = open(url, { ...given, method: 'POST', headers });
  // Runs until there is an answer: nothing that Node says or doesn't say is waited for beyond it.
  const late = setTimeout(() => {
    reject(new Fault('ERR_DELIVERY', noAnswer(timeoutMs)));
    request.destroy();
  }, timeoutMs);
  request.on('error', reject);
  request.once('upgrade', (response: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => undefined).destroy();
    resolve(answerOf(response, Buffer.alloc(0)));
  });
  request.once('response', (response: IncomingMessage) => {
    readBody(response)
      .then((read) => {
        resolve(answerOf(response, read));
        // Its memory is the caller's again: nothing more of it may go out.
        if (!request.writableFinished) request.destroy();
      })
      .catch(reject);
  });
  request.end(body);
  return promise.finally(() => clearTimeout(late));
}

function answerOf({ statusCode: status = 0, headers }: IncomingMessage, body: Buffer): HttpAnswer {
  return { status, headers, body };
}

// Leaving the loop ends the connection: what comes behind is not waited for.
async function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_RESPONSE_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_RESPONSE_BYTES);
}
