// Hostile cases 24 and 25, through the whole of each route: no return URL leads a browser to another host, whatever
// route it is given to, and at the end of a sign-in neither.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEFAULT_CLAIM_NAMES } from '../../sidecar/identity/claims.ts';
import { createProvider, type Provider } from '../../sidecar/identity/provider.ts';
import { secret } from '../../sidecar/secret.ts';
import { HOSTILE_URLS } from '../fixtures/hostile-urls.ts';
import {
  startMisbehavingProvider,
  type MisbehavingProvider,
} from '../fixtures/misbehaving-provider.ts';
import { HOST, newBrowser, startSignInSite, type SignInSite } from '../fixtures/sign-in-site.ts';
import { until } from '../fixtures/until.ts';

const CENTRAL = 'login.example.com';
const techniques = [...HOSTILE_URLS];

let op: MisbehavingProvider;
let provider: Provider;
let site: SignInSite;
let central: SignInSite;

beforeAll(async () => {
  // One that signs in without a form: six hundred callbacks are six hundred exchanges.
  op = await startMisbehavingProvider();
  const { issuer, clientId, clientSecret } = op;
  const names = DEFAULT_CLAIM_NAMES;
  const client = { issuer, clientId, clientSecret: secret(clientSecret) };
  provider = createProvider({ name: 'main', names, scopes: [], ...client });
  await until('discovery', () => provider.state().ready);
  site = await startSignInSite([provider]);
  const cookie = { kind: 'central', host: CENTRAL } as const;
  central = await startSignInSite([provider], { cookie, hosts: [HOST, CENTRAL] });
});
afterAll(async () => {
  await Promise.all([site.close(), central.close()]);
  provider.close();
  await op.stop();
});

const ask = (path: string, returnTo: string) => `${path}?return=${encodeURIComponent(returnTo)}`;

/** Signs in from `path`, and returns where the callback leads. */
async function throughCallback(path: string): Promise<string | undefined> {
  const browser = newBrowser(site);
  const { location = '' } = (await browser.get(path)).headers as { location?: string };
  const { pathname, search } = new URL(op.callbackFor(location));
  const back = await browser.get(pathname + search);
  expect(back.status).toBe(302);
  return back.headers['location'] as string;
}

test('there are more than six hundred, by sixteen techniques', () => {
  expect(techniques.flatMap(([, urls]) => urls).length).toBeGreaterThan(600);
  expect(techniques.length).toBeGreaterThanOrEqual(16);
});

describe.each(techniques)('%s', (_technique, urls) => {
  test('lead to / from a sign-in, at the end of its callback', async () => {
    const led = new Map<string, string | undefined>();
    for (const url of urls) led.set(url, await throughCallback(ask('/.signet/login', url)));
    expect([...led].filter(([, to]) => to !== '/')).toEqual([]);
  });

  test('lead to / from a sign-in of somebody who is signed in', async () => {
    const browser = newBrowser(site);
    const { location = '' } = (await browser.get('/.signet/login')).headers as {
      location?: string;
    };
    const { pathname, search } = new URL(op.callbackFor(location));
    await browser.get(pathname + search);
    for (const url of urls) {
      browser.forget('__Host-signet-back');
      const { headers } = await browser.get(ask('/.signet/login', url));
      expect([url, headers['location']]).toEqual([url, '/']);
    }
  });

  test('lead to / from a sign-out', async () => {
    const browser = newBrowser(site);
    for (const url of urls) {
      const { headers } = await browser.get(ask('/.signet/logout', url));
      expect([url, headers['location']]).toEqual([url, '/']);
    }
  });

  test('lead to / from a hand-over between hosts', async () => {
    const signedIn = newBrowser(central, undefined, CENTRAL);
    const begun = (await signedIn.get('/.signet/login')).headers as { location?: string };
    const { pathname, search } = new URL(op.callbackFor(begun.location ?? ''));
    await signedIn.get(pathname + search);
    for (const url of urls) {
      signedIn.forget('__Host-signet-back');
      // Without a session at the host, so that it is handed over each time.
      const asked = await signedIn.get(ask('/.signet/login', url), { at: HOST, cookie: '' });
      const given = await signedIn.walk(asked.headers['location'] as string, '');
      expect([url, given.href]).toEqual([url, `https://${HOST}/`]);
    }
  });
});
