// A real Chromium at hosts that share a sign-in: script of one host wants the code that the central host gives for
// somebody else's question, and may open windows, frames, and set cookies. A service worker it has not.
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Provider } from '../../sidecar/identity/provider.ts';
import { startBrowser, type Person, type TestBrowser } from '../fixtures/browser.ts';
import { identity } from '../fixtures/identities.ts';
import type { TestProvider } from '../fixtures/provider.ts';
import { startMain } from '../fixtures/sign-in-hosts.ts';
import { startSignInSite, type SignInSite } from '../fixtures/sign-in-site.ts';
import { until } from '../fixtures/until.ts';

let op: TestProvider;
let provider: Provider;
let browser: TestBrowser;
let server: Server;
let site: SignInSite;
let alice: Person;
let host: string;
let accepted: number;
let question: string;

// One site of two hosts: the central host's cookie comes along in a frame, too.
const hostOf = (name: string) => `${name}.x.localhost:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  [{ op, provider }, browser] = await Promise.all([startMain(), startBrowser()]);
  server = createServer((req, res) => {
    if (req.url === '/') return res.setHeader('Content-Type', 'text/html').end('<body>');
    accepted += req.url?.startsWith('/.signet/accept') ? 1 : 0;
    // Without TLS, which Chromium takes for as good on *.localhost.
    const proto = { get: () => 'http', set: () => {}, enumerable: true };
    Object.defineProperty(req.headers, 'x-forwarded-proto', proto);
    return site.behindCaddy(req.headers.host ?? '')(req, res);
  });
  // What a flood of cookies makes of a request, in Caddy as in Node: a 431 before Signet sees it.
  server.on('clientError', (_error, socket) => {
    accepted += 1;
    socket.end('HTTP/1.1 431 Too Large\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = hostOf('app');
  const cookie = { kind: 'central', host: hostOf('login') } as const;
  site = await startSignInSite([provider], { cookie, hosts: [host, hostOf('login')] });
});
afterAll(async () => {
  await browser.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await site.close();
  provider.close();
  await op.stop();
});
beforeEach(async () => {
  accepted = 0;
  question = await asked();
  alice = await browser.person();
  const value = await site.sessions.begin({ identity: identity({ issuer: op.issuer }) });
  const flags = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const;
  const domain = 'login.x.localhost';
  await alice.context.setCookie({ name: '__Host-signet', value, domain, ...flags });
  await alice.page.goto(`http://${host}/`);
});

/** A question that somebody else has asked at the host. */
async function asked(): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const to = { host: '127.0.0.1', port, path: '/.signet/login', headers: { host } };
  const begun = await new Promise<IncomingMessage>((resolve) => get(to, resolve));
  begun.resume();
  const login = new URL(begun.headers.location ?? '');
  return new URL(login.searchParams.get('return') ?? '', login).href;
}

/** Runs in the host's page: opens the question so, and looks at its address as long as a code would come. */
async function codeSeenBy(how: 'window' | 'frame', withCookies: boolean): Promise<string> {
  const looked = alice.page.evaluate(
    `(async () => {
      if (${withCookies}) for (let at = 0; at < 40; at++)
        document.cookie = 'b' + at + '=' + 'x'.repeat(3000) + '; path=/.signet/accept';
      const frame = document.body.appendChild(document.createElement('iframe'));
      if ('${how}' === 'frame') frame.src = '${question}';
      const seen = '${how}' === 'frame' ? frame.contentWindow : window.open('${question}');
      for (let look = 0; look < 80; look++) {
        try { if (seen.location.href.includes('code=')) return seen.location.href } catch {}
        await new Promise((go) => setTimeout(go, 20));
      }
      return 'nothing';
    })()`,
  );
  return (await looked) as string;
}

test('a window that script has opened shows it no code', async () => {
  expect(await codeSeenBy('window', false)).toBe('nothing');
  await until('the code was brought', () => accepted > 0);
});

test('nor does one whose code Caddy refuses', async () => {
  expect(await codeSeenBy('window', true)).toBe('nothing');
  await until('the code was brought', () => accepted > 0);
});

test('a frame is given no code, which Caddy would refuse and script could read', async () => {
  expect(await codeSeenBy('frame', true)).toBe('nothing');
  expect([accepted, site.outcomes.at(-1)?.detail]).toEqual([0, 'asked from a frame']);
});
