// How the benchmark's clients come by what they show: a session at Signet, and what Signet's gate
// answers to one, to be said again by a Caddy that stands in for it.
import { randomUUID } from 'node:crypto';
import { keepCookies, type Jar, type TestProvider } from '../fixtures/provider.ts';
import { ask, type Answer } from './edge-ask.ts';

export type Get = (path: string, headers: readonly string[]) => Promise<Answer>;

/** Not what the gate said, but how HTTP carried it. */
const OF_THE_CONNECTION = ['connection', 'keep-alive', 'date', 'transfer-encoding'];

/** Signs in at Signet through an edge; returns the Cookie header line of the session. */
export async function signInAtSignet(
  get: Get,
  provider: TestProvider,
  login: string,
): Promise<string> {
  const jar: Jar = new Map();
  const begun = await get('/.signet/login?return=/', ['Sec-Fetch-Mode: navigate']);
  keepCookies(jar, begun.headers['set-cookie'] ?? []);
  const back = new URL(await provider.signIn(new Map(), begun.headers.location ?? '', login));
  const cookies = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const done = await get(`${back.pathname}${back.search}`, [`Cookie: ${cookies}`]);
  if (done.status !== 302) throw new Error(`Signet's sign-in: ${done.status} ${done.body}`);
  keepCookies(jar, done.headers['set-cookie'] ?? []);
  return `Cookie: __Host-signet=${jar.get('__Host-signet')}`;
}

/** Asks a gate as Caddy does for a signed-in request; returns every header of its 204, stamp and all. */
export async function gateHeaders(
  socketPath: string,
  cookieLine: string,
): Promise<Readonly<Record<string, string>>> {
  const answer = await ask({ socketPath }, '/verify?route=bench&require=any', [
    cookieLine,
    `X-Request-Id: ${randomUUID()}`,
    'X-Forwarded-Method: GET',
    'X-Forwarded-Proto: http',
    'X-Forwarded-Host: localhost',
    'X-Forwarded-Uri: /',
    'X-Forwarded-For: 127.0.0.1',
    'User-Agent: h2load nghttp2/1.52.0',
  ]);
  const kept = Object.entries(answer.headers).filter(([name]) => !OF_THE_CONNECTION.includes(name));
  if (answer.status !== 204) throw new Error(`the gate answered ${answer.status} ${answer.body}`);
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}
