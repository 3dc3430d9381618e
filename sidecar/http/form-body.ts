// Bodies of forms, within bounds of bytes, time and number: whoever sends slowly must not keep others out. What
// they say is read elsewhere.
import type { IncomingMessage } from 'node:http';
import { clientOf } from './client-of.ts';

export type BodyBounds = {
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** Read at the same time, in all. */
  readonly maxAtOnce: number;
  /** Of these, from one client. */
  readonly maxByAddress: number;
};

/** `busy`: too many are being read, and this one is not. Undefined: it is no form, or not within the bounds. */
export type ReadForm = (
  req: IncomingMessage,
  address: string,
) => Promise<URLSearchParams | 'busy' | undefined>;

/**
 * Returns what reads the body of a form: of another media type, too long, too slow or broken off, it is undefined.
 * The rest of what is not read stays unread; answer with `Connection: close` then.
 */
export function createFormReader(bounds: BodyBounds): ReadForm {
  const byClient = new Map<string, number>();
  let inAll = 0;

  function count(client: string, change: 1 | -1): void {
    const left = (byClient.get(client) ?? 0) + change;
    inAll += change;
    if (left === 0) byClient.delete(client);
    else byClient.set(client, left);
  }

  return async (req, address) => {
    const client = clientOf(address);
    const isFull = (byClient.get(client) ?? 0) >= bounds.maxByAddress;
    if (isFull || inAll >= bounds.maxAtOnce) return 'busy';
    count(client, 1);
    try {
      return await readForm(req, bounds);
    } finally {
      count(client, -1);
    }
  };
}

async function readForm(
  req: IncomingMessage,
  { maxBytes, timeoutMs }: BodyBounds,
): Promise<URLSearchParams | undefined> {
  const type = req.headers['content-type'] ?? '';
  if (!/^application\/x-www-form-urlencoded[ \t]*(?:;|$)/i.test(type)) return undefined;
  const { promise: late, resolve: giveUp } = Promise.withResolvers<undefined>();
  const timer = setTimeout(giveUp, timeoutMs, undefined);
  const body = await Promise.race([collect(req, maxBytes), late]);
  clearTimeout(timer);
  return body === undefined ? undefined : new URLSearchParams(body);
}

async function collect(req: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Or else what is too long would close the connection before it is answered.
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length;
      if (bytes > maxBytes) return undefined;
      chunks.push(chunk as Buffer);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
}
