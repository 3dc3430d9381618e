// Asks the health listener of a running sidecar how it stands. Bounded in time and size: something else may
// listen there, and answer whatever it likes. What the answer says is read elsewhere.
import { request } from 'node:http';
import { isNativeError } from 'node:util/types';

/** A TCP host (IPv6 without brackets) and port. */
export type HealthAddress = { readonly host: string; readonly port: number };

export type Answered = { readonly status: number; readonly body: string };

export type AskLimits = {
  /** For all of it, connecting too. */
  readonly withinMs: number;
  readonly maxBytes: number;
};

/** Asks for a path; rejects with what is wrong in a few words when no whole answer comes. */
export function askHealth(
  { host, port }: HealthAddress,
  path: string,
  { withinMs, maxBytes }: AskLimits,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(withinMs);
    const asked = request({ host: nearest(host), port, path, agent: false, signal });
    const fail = (error: unknown) => reject(new Error(inWords(error, withinMs)));
    asked.once('error', fail);
    asked.once('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('error', fail);
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > maxBytes)
          asked.destroy(new Error(`its answer is longer than ${maxBytes} bytes`));
      });
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    });
    asked.end();
  });
}

/** Returns the address as one types it: `127.0.0.1:9465`, `[::1]:9465`. */
export function addressText({ host, port }: HealthAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

// A sidecar that listens everywhere is asked over loopback.
function nearest(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it hung up',
  ENOTFOUND: 'there is no such host',
  EHOSTUNREACH: 'there is no way to this host',
  ENETUNREACH: 'there is no way to this host',
};

function inWords(error: unknown, withinMs: number): string {
  if (!isNativeError(error)) return 'it did not answer';
  if (error.name === 'TimeoutError' || error.name === 'AbortError')
    return `no answer within ${withinMs / 1000} s`;
  const code = 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_')) return 'it does not speak HTTP';
  return WORDS[code] ?? error.message;
}
