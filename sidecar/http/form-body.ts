// The body of a form, within bounds of bytes and time. What it says is read elsewhere.
import type { IncomingMessage } from 'node:http';

export type BodyBounds = { readonly maxBytes: number; readonly timeoutMs: number };

/**
 * Returns the body of a form, or undefined: another media type, too long, too slow, or broken off. The rest of
 * what is too long stays unread; answer with `Connection: close` then.
 */
export async function readForm(
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
