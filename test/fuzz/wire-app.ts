// An app that reads what is on the wire, and not what an HTTP library makes of it: any method, any target, each header as
// it is spelled, and whatever comes behind a body as the next request. So it sees what a lenient app would.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A request as its bytes said, in Latin-1. */
export type WireRequest = {
  readonly method: string;
  readonly target: string;
  /** Names in lower case, and values, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
};

export type WireApp = {
  readonly address: string;
  /** Oldest first; clear it with `seen.length = 0`. */
  readonly seen: WireRequest[];
  stop(): Promise<void>;
};

/** It claims an identity, a stamp and a request id of its own with each answer. */
const CLAIMS = ['Remote-User: app', 'Signet-Stamp: 1.e30.xxx', 'X-Request-Id: app'];
const ANSWER = ['HTTP/1.1 200 OK', ...CLAIMS, 'Content-Length: 2', '', 'ok'].join('\r\n');
const HEAD_ANSWER = ['HTTP/1.1 200 OK', ...CLAIMS, 'Content-Length: 2', '', ''].join('\r\n');

/** Starts it on a free port. */
export async function startWireApp(): Promise<WireApp> {
  const seen: WireRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    let unread = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      unread += chunk;
      for (let end = endOf(unread); end !== undefined; end = endOf(unread)) {
        const request = parse(unread.slice(0, unread.indexOf('\r\n\r\n')));
        unread = unread.slice(end);
        seen.push(request);
        socket.write(request.method === 'HEAD' ? HEAD_ANSWER : ANSWER);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen, stop };
}

function parse(head: string): WireRequest {
  const [first = '', ...lines] = head.split('\r\n');
  const [method = '', target = ''] = first.split(' ');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { method, target: first.slice(method.length + 1, -' HTTP/1.1'.length) || target, headers };
}

/** Where the first request ends, with its body; undefined while it hasn't. Caddy writes its bodies well. */
function endOf(text: string): number | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const body = headEnd + 4;
  if (/^transfer-encoding: *chunked/im.test(head)) return endOfChunks(text, body);
  const end = body + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return text.length >= end ? end : undefined;
}

function endOfChunks(text: string, from: number): number | undefined {
  for (let at = from; ;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = parseInt(text.slice(at, lineEnd), 16);
    if (size > 0) at = lineEnd + 2 + size + 2;
    else return endOfTrailers(text, lineEnd + 2);
  }
}

function endOfTrailers(text: string, from: number): number | undefined {
  if (text.startsWith('\r\n', from)) return from + 2;
  const end = text.indexOf('\r\n\r\n', from);
  return end < 0 ? undefined : end + 4;
}
