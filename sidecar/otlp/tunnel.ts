// A way through an HTTP proxy, for whatever is spoken beyond it (RFC 9110, 9.3.6: CONNECT).
import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { Fault } from '../fault.ts';

/**
 * Resolves to a socket on which the far end is heard, made of one on which the proxy is. Rejects with an
 * error that has the proxy's answer as `statusCode`, as Node's own do. It has no deadline of its own.
 */
export function tunnelTo(hostPort: string, proxy: URL, socket: Socket): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const headers = { host: hostPort, ...authorization(proxy) };
  const createConnection = () => socket;
  // Node lets go of it without a listener: an error that nobody hears would end the thread.
  socket.on('error', () => undefined);
  const request = httpRequest({ method: 'CONNECT', path: hostPort, headers, createConnection });
  request.on('error', reject);
  request.once('close', () => reject(new Fault('ERR_DELIVERY', 'the proxy said nothing')));
  request.once('connect', ({ statusCode = 0 }, far: Socket, head: Buffer) => {
    if (statusCode !== 200) {
      far.destroy();
      return reject(refusal(proxy, statusCode));
    }
    if (head.length > 0) far.unshift(head);
    resolve(far);
  });
  request.end();
  return promise;
}

/** Returns where a proxy listens. */
export function addressOf({ hostname, port }: URL): string {
  return `${hostname}:${port || '80'}`;
}

function refusal(proxy: URL, statusCode: number): Error {
  const text = `the proxy at ${addressOf(proxy)} answered ${statusCode}`;
  return Object.assign(new Fault('ERR_DELIVERY', text), { statusCode });
}

function authorization({ username, password }: URL): { 'proxy-authorization'?: string } {
  if (username === '') return {};
  const pair = `${decoded(username)}:${decoded(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

// A percent sign that begins nothing is one that somebody forgot to encode.
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
