// An HTTP client that looks at single answers: it follows no redirect and keeps no cookie. It trusts
// the certificate authority that it is given, and checks certificates always.
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';

export type Ask = {
  readonly url: string;
  /** Default `GET`. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

export type Client = {
  readonly ask: (ask: Ask) => Promise<Answer>;
  /** Leaves as soon as the answer's first bytes are there; its body is empty. */
  readonly abort: (ask: Ask) => Promise<Answer>;
  /** Holds a WebSocket open for `forMs`, then closes it. Returns the answer to its upgrade. */
  readonly hold: (ask: Ask, forMs: number) => Promise<Answer>;
};

const TIMEOUT_MS = 20_000;

/** Returns a client that trusts `ca`, a PEM certificate. */
export function createClient(ca: string): Client {
  function send({ url, method = 'GET', headers = {}, body }: Ask): Promise<IncomingMessage> {
    const request = url.startsWith('https:') ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      request(url, { method, headers: { ...headers }, ca, agent: false, signal }, resolve)
        .on('error', reject)
        .end(body);
    });
  }

  async function ask(what: Ask): Promise<Answer> {
    const response = await send(what);
    return answer(response, await text(response));
  }

  async function abort(what: Ask): Promise<Answer> {
    const response = await send(what);
    return new Promise((resolve) => {
      response.on('error', () => {});
      response.once('data', () => {
        response.destroy();
        resolve(answer(response, ''));
      });
    });
  }

  function hold({ url, headers = {} }: Ask, forMs: number): Promise<Answer> {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), { ca, headers: { ...headers } });
    return new Promise((resolve, reject) => {
      let upgraded: Answer | undefined;
      let timer: NodeJS.Timeout | undefined;
      socket.once('upgrade', (response) => (upgraded = answer(response, '')));
      socket.once('open', () => (timer = setTimeout(() => socket.close(), forMs)));
      socket.once('error', reject);
      socket.once('close', () => {
        clearTimeout(timer);
        if (upgraded) resolve(upgraded);
        else reject(new Error(`${url} was not upgraded`));
      });
    });
  }

  return { ask, abort, hold };
}

function answer({ statusCode, headers }: IncomingMessage, body: string): Answer {
  return { status: statusCode ?? 0, headers, body };
}
