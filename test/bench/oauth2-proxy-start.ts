// oauth2-proxy as a process, set up as its documentation has it for Caddy: a session of its own kind in
// a cookie, and the user's name and e-mail in the answer. Also signs in at it.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { freePort } from '../fixtures/caddy.ts';
import { keepCookies, type Jar, type TestProvider } from '../fixtures/provider.ts';
import { until } from '../fixtures/until.ts';
import { ask, type Target } from './edge-ask.ts';

export type OAuth2Proxy = {
  readonly pid: number;
  readonly version: string;
  /** Where Caddy finds it. */
  readonly port: number;
  stop(): Promise<void>;
};

export type ProxyOptions = {
  readonly path: string;
  readonly version: string;
  readonly provider: TestProvider;
  /** `http://localhost:PORT` of the edge in front of it. */
  readonly origin: string;
};

/** Starts it; throws with its last words when it ends instead. */
export async function startOAuth2Proxy(options: ProxyOptions): Promise<OAuth2Proxy> {
  const { path, version, provider, origin } = options;
  const port = await freePort();
  const settings = {
    'http-address': `127.0.0.1:${port}`,
    provider: 'oidc',
    'oidc-issuer-url': provider.issuer,
    'client-id': provider.clientId,
    'client-secret': provider.clientSecret,
    'redirect-url': `${origin}/oauth2/callback`,
    'email-domain': '*',
    'cookie-secret': randomBytes(16).toString('hex'),
    'reverse-proxy': 'true',
    'set-xauthrequest': 'true',
  };
  const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr
    .setEncoding('utf8')
    .on('data', (chunk: string) => (said = (said + chunk).slice(-2000)));
  const gone = once(child, 'exit');
  await until('oauth2-proxy', async () => {
    if (child.exitCode !== null) throw new Error(`oauth2-proxy ended: ${said}`);
    const answer = await ask({ port, tls: false }, '/ping', []).catch(() => undefined);
    return answer?.status === 200;
  });
  return {
    pid: child.pid ?? 0,
    version,
    port,
    stop: async () => {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** Signs in through the edge; returns the Cookie header line. */
export async function signInAtProxy(
  edge: Target,
  provider: TestProvider,
  login: string,
): Promise<string> {
  const jar: Jar = new Map();
  const cookieLine = () =>
    `Cookie: ${[...jar].map(([name, value]) => `${name}=${value}`).join('; ')}`;
  const begun = await ask(edge, '/oauth2/start?rd=/', []);
  keepCookies(jar, begun.headers['set-cookie'] ?? []);
  const back = new URL(await provider.signIn(new Map(), begun.headers.location ?? '', login));
  const done = await ask(edge, `${back.pathname}${back.search}`, [cookieLine()]);
  if (done.status !== 302) throw new Error(`oauth2-proxy's sign-in: ${done.status} ${done.body}`);
  keepCookies(jar, done.headers['set-cookie'] ?? []);
  return cookieLine();
}
