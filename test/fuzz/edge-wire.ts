// Sends a request as its bytes are, or a stream of HTTP/2, and tells what was answered. It doesn't judge, and it doesn't
// hang up while an answer may be on its way: who leaves has a row of another kind.
import { once } from 'node:events';
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect } from 'node:net';

export type Answered = {
  readonly status: number;
  /** Empty where Go's server answered by itself. */
  readonly requestId: string;
  /** Names of the head, in lower case. */
  readonly names: readonly string[];
};

export type Sent = {
  readonly answers: readonly Answered[];
  /** The client left, or the stream was ended: there may be a row for which there was no answer. */
  readonly isCut: boolean;
};

/** How long it waits for a first answer: as long as a busy machine takes, or for ever, where the request isn't whole. */
const FIRST_MS = 3000;
/** And then for another on the same connection. */
const NEXT_MS = 300;

const HEAD = /HTTP\/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/g;

function answersIn(text: string): Answered[] {
  const heads = [...text.matchAll(HEAD)].map(([, status, lines = '']) => ({
    status: Number(status),
    requestId: /^x-request-id: *(.*)$/im.exec(lines)?.[1]?.trim() ?? '',
    names: [...lines.matchAll(/^([^:\r\n]+):/gm)].map(([, name = '']) => name.toLowerCase()),
  }));
  return heads.filter(({ status }) => status === 101 || status >= 200);
}

/** Sends bytes over HTTP/1; resolves when the server closes, or nothing comes any more. */
export async function sendRaw(port: number, bytes: string): Promise<Sent> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let isCut = false;
  const leave = () => {
    isCut = true;
    socket.destroy();
  };
  socket.setTimeout(FIRST_MS, leave).setEncoding('latin1');
  socket.on('error', () => undefined); // a reset is an end, too
  socket.on('data', (chunk: string) => {
    text += chunk;
    if (answersIn(text).length > 0) socket.setTimeout(NEXT_MS);
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(Buffer.from(bytes, 'latin1'));
  await closed;
  return { answers: answersIn(text), isCut };
}

export type Http2 = {
  /** Sends a stream with these fields, pseudo ones first, and a body in Latin-1. */
  send(fields: readonly (readonly [string, string])[], body: string): Promise<Sent>;
  close(): void;
};

const NOT_SENT: Sent = { answers: [], isCut: false };

/** Returns a client of HTTP/2 without TLS, that connects anew whenever it has to. */
export function createHttp2(port: number): Http2 {
  let session: ClientHttp2Session | undefined;

  function open(): ClientHttp2Session {
    if (session === undefined || session.closed || session.destroyed) {
      session = connectHttp2(`http://127.0.0.1:${port}`).on('error', () => undefined);
    }
    return session;
  }

  async function send(fields: readonly (readonly [string, string])[], body: string): Promise<Sent> {
    const headers: Record<string, string[]> = {};
    for (const [name, value] of fields) (headers[name] ??= []).push(value);
    const single = Object.entries(headers).map(([name, values]) => [name, one(values)] as const);
    try {
      const stream = open().request(Object.fromEntries(single), { endStream: body === '' });
      const ended = new Promise((resolve) => stream.once('close', resolve));
      stream.on('error', () => undefined).resume();
      if (body !== '') stream.end(Buffer.from(body, 'latin1'));
      stream.setTimeout(FIRST_MS, () => stream.close());
      const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
      await ended;
      return { answers: [answerOf(head)], isCut: false };
    } catch (error) {
      // What Node itself doesn't send is no request.
      const { code = '' } = error as NodeJS.ErrnoException;
      return /INVALID|PSEUDO|SINGLE_VALUE|UNESCAPED/.test(code)
        ? NOT_SENT
        : { answers: [], isCut: true };
    }
  }

  return { send, close: () => session?.destroy() };
}

const one = (values: string[]) => (values.length === 1 ? values[0] : values);

const answerOf = (head: IncomingHttpHeaders): Answered => ({
  status: Number(head[':status']),
  requestId: String(head['x-request-id'] ?? ''),
  names: Object.keys(head),
});
