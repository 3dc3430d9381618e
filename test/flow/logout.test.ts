// Signing out at a real OpenID provider, both ways: ours tells the provider (RP-Initiated Logout 1.0), and the
// provider tells us (Back-Channel Logout 1.0).
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Fault } from '../../sidecar/fault.ts';
import { DEFAULT_CLAIM_NAMES } from '../../sidecar/identity/claims.ts';
import { createProvider, type Provider } from '../../sidecar/identity/provider.ts';
import { secret } from '../../sidecar/secret.ts';
import { startProvider, type TestProvider } from '../fixtures/provider.ts';
import { HOST, newBrowser, startSignInSite, type SignInSite } from '../fixtures/sign-in-site.ts';
import { sessionsOver } from '../fixtures/sessions.ts';
import { unwritable } from '../fixtures/unwritable.ts';
import { until } from '../fixtures/until.ts';

const SIGNED_OUT = `https://${HOST}/.signet/signed-out`;
const CENTRAL = 'login.example.com';
const OWN_LINK = { 'Sec-Fetch-Site': 'same-origin' };

let backChannel: Server;
let op: TestProvider;
let providers: Provider[];
let site: SignInSite;
let local: SignInSite;

beforeAll(async () => {
  backChannel = createServer();
  await new Promise<void>((resolve) => backChannel.listen(0, '127.0.0.1', resolve));
  const { port } = backChannel.address() as AddressInfo;
  op = await startProvider({
    redirectUris: [HOST, CENTRAL].map((host) => `https://${host}/.signet/callback`),
    audience: 'https://orders.example.com',
    postLogoutRedirectUris: [SIGNED_OUT],
    backChannelLogoutUri: `http://127.0.0.1:${port}/.signet/back-channel-logout`,
  });
  providers = (['provider', 'local'] as const).map((signOut) => clientOf(op, signOut));
  await until('discovery', () => providers.every((one) => one.state().ready));
  [site, local] = (await Promise.all(providers.map((one) => startSignInSite([one])))) as [
    SignInSite,
    SignInSite,
  ];
  backChannel.on('request', site.behindCaddy(HOST));
});
afterAll(async () => {
  providers.forEach((one) => one.close());
  await Promise.all([site.close(), local.close(), op.stop()]);
  backChannel.closeAllConnections();
  await new Promise((resolve) => backChannel.close(resolve));
});

function clientOf({ issuer, clientId, clientSecret }: TestProvider, signOut: 'provider' | 'local') {
  const client = { issuer, clientId, clientSecret: secret(clientSecret), signOut };
  return createProvider({
    name: 'main',
    names: DEFAULT_CLAIM_NAMES,
    scopes: ['profile'],
    ...client,
  });
}

async function signedIn(at = site, login = 'alice') {
  const browser = newBrowser(at, op);
  await browser.signIn(login);
  return browser;
}

const locationOf = ({ headers }: { headers: object }) =>
  (headers as { location?: string }).location ?? '';

test('a sign-in whose session can’t be read any more signs nobody in', async () => {
  const find = () => {
    throw new Fault('ERR_SESSION_STORE', 'it is gone');
  };
  const broken = await startSignInSite(providers.slice(0, 1), {
    sessions: { ...site.sessions, find },
  });
  const browser = newBrowser(broken, op);
  expect((await browser.signIn('alice')).status).toBe(503);
  expect(browser.valueOf('__Host-signet')).toBeUndefined();
  await broken.close();
});

test('a logout of a subject, told while a sign-in of theirs is on its way here, ends it', async () => {
  const begin: SignInSite['sessions']['begin'] = async (begun) => {
    const { issuer, subject } = begun.identity;
    await site.sessions.endNamed({ issuer, subject });
    return site.sessions.begin(begun);
  };
  const interrupted = await startSignInSite(providers.slice(0, 1), {
    sessions: { ...site.sessions, begin },
  });
  const browser = newBrowser(interrupted, op);
  await browser.signIn('bob');
  expect(await browser.me()).not.toHaveProperty('user');
  await interrupted.close();
});

describe('signing out while the store of sessions', () => {
  let isReadOnly: boolean;
  let alone: SignInSite;

  async function startFailing(): Promise<void> {
    isReadOnly = false;
    const { store, keys } = site;
    const sessions = sessionsOver({
      store: unwritable(store, () => isReadOnly),
      ...{ now: Date.now, keys: () => keys },
    });
    alone = await startSignInSite(providers.slice(0, 1), { sessions });
    undo.push(async () => {
      isReadOnly = false;
      await sessions.close();
      await alone.close();
    });
  }
  const undo: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const each of undo.splice(0)) await each();
  });

  test('can’t be written signs out in this browser: the cookie goes, and the page says what holds', async () => {
    await startFailing();
    const browser = await signedIn(alone);
    const cookie = `__Host-signet=${browser.valueOf('__Host-signet')}`;
    isReadOnly = true;
    const out = await browser.get('/.signet/logout', OWN_LINK);
    expect([out.status, browser.valueOf('__Host-signet')]).toEqual([503, undefined]);
    expect(out.text).toContain('<title>You are signed out in this browser</title>');
    expect(out.text).toContain(`${op.issuer}/session/end`);
    const me = await newBrowser(alone).get('/.signet/me', { cookie });
    expect(me.status).toBe(401);
  });

  test('can’t be written is recorded as a sign-out of that person, with the reason', async () => {
    await startFailing();
    const browser = await signedIn(alone);
    isReadOnly = true;
    await browser.get('/.signet/logout', OWN_LINK);
    expect(alone.outcomes.at(-1)).toMatchObject({
      identity: { user: 'alice' },
      ...{ decision: 'deny', reason: 'session-store-unavailable' },
      events: [{ event: 'sign-out' }],
    });
  });

  test('can’t be written says so in German', async () => {
    await startFailing();
    const browser = await signedIn(alone);
    isReadOnly = true;
    const out = await browser.get('/.signet/logout', { ...OWN_LINK, 'Accept-Language': 'de' });
    expect(out.text).toContain('<title>Sie sind in diesem Browser abgemeldet</title>');
  });

  test('can’t be written names the session’s end as undone where several cookies came', async () => {
    await startFailing();
    const browsers = [await signedIn(alone), await signedIn(alone, 'bob')];
    const values = browsers.map((one) => one.valueOf('__Host-signet') ?? '');
    const cookie = values.map((value) => `__Host-signet=${value}`).join('; ');
    isReadOnly = true;
    const out = await newBrowser(alone).get('/.signet/logout', { ...OWN_LINK, cookie });
    expect([out.status, out.text.includes('signed out in this browser')]).toEqual([503, true]);
  });

  test('can’t be read signs out in this browser, too', async () => {
    const down = await startSignInSite(providers.slice(0, 1));
    const browser = await signedIn(down);
    await down.breakStore();
    const out = await browser.get('/.signet/logout', OWN_LINK);
    expect([out.status, browser.valueOf('__Host-signet')]).toEqual([503, undefined]);
    expect(out.text).toContain('signed out in this browser');
    await down.close();
  });
});

describe('signing out at the provider, too', () => {
  test('leads to its end_session_endpoint with the ID token, the client and the way back', async () => {
    const out = await (await signedIn()).get('/.signet/logout', OWN_LINK);
    const url = new URL(locationOf(out));
    expect([out.status, url.origin, url.pathname]).toEqual([303, op.issuer, '/session/end']);
    expect(url.searchParams.get('post_logout_redirect_uri')).toBe(SIGNED_OUT);
    expect(url.searchParams.get('client_id')).toBe(op.clientId);
    expect(url.searchParams.get('id_token_hint')).toMatch(/^eyJ/);
  });

  test('comes back to a page that says so, and the provider asks for the password again', async () => {
    const browser = await signedIn();
    const out = await browser.get('/.signet/logout', OWN_LINK);
    const back = new URL(await op.signIn(browser.atProvider, locationOf(out), ''));
    expect(back.origin + back.pathname).toBe(SIGNED_OUT);
    const page = await browser.get(back.pathname + back.search);
    const here = await browser.get('/.signet/signed-out');
    expect([page.status, page.text === here.text]).toEqual([200, false]);
    await browser.signIn('bob');
    expect(await browser.me()).toMatchObject({ user: 'bob' });
  });

  test('ends the session here first: it is dead although nobody goes to the provider', async () => {
    const browser = await signedIn();
    const session = browser.valueOf('__Host-signet') ?? '';
    await browser.get('/.signet/logout', OWN_LINK);
    expect(browser.valueOf('__Host-signet')).toBeUndefined();
    expect(await site.sessions.find(session)).toEqual({ refused: 'session-unknown' });
  });

  test('after a form leads on by a page: form-action would hold up a redirect', async () => {
    const browser = await signedIn();
    const out = await browser.ask('post', '/.signet/logout', { Origin: `https://${HOST}` });
    expect(out.status).toBe(200);
    expect(out.text).toContain(`content="0;url=${op.issuer}/session/end?`);
    expect(await browser.me()).not.toHaveProperty('user');
  });

  test('is not done for a form of another site', async () => {
    const browser = await signedIn();
    const out = await browser.ask('post', '/.signet/logout', { Origin: 'https://evil.example' });
    expect([out.status, locationOf(out)]).toEqual([403, '']);
    expect(await browser.me()).toMatchObject({ user: 'alice' });
  });

  test('without a session leads to nobody’s sign-out', async () => {
    const out = await newBrowser(site).get('/.signet/logout', OWN_LINK);
    expect(locationOf(out)).toBe('/.signet/signed-out');
  });

  test('with several cookies of the name ends each session, and leads to nobody’s sign-out', async () => {
    const [hers, his] = [await signedIn(), await signedIn(site, 'bob')];
    const values = [hers, his].map((one) => one.valueOf('__Host-signet') ?? '');
    const cookie = [...values, 'x'].map((value) => `__Host-signet=${value}`).join('; ');
    const out = await newBrowser(site).get('/.signet/logout', { ...OWN_LINK, cookie });
    expect([out.status, locationOf(out)]).toEqual([303, '/.signet/signed-out']);
    const found = await Promise.all(values.map(async (value) => site.sessions.find(value)));
    expect(found).toEqual(Array(2).fill({ refused: 'session-unknown' }));
  });

  test('twice at once leads one of them to the provider, or both, and no session is left', async () => {
    const browser = await signedIn();
    const session = browser.valueOf('__Host-signet') ?? '';
    const outs = await Promise.all([1, 2].map(() => browser.get('/.signet/logout', OWN_LINK)));
    expect(outs.map(({ status }) => status)).toEqual([303, 303]);
    expect(await site.sessions.find(session)).toEqual({ refused: 'session-unknown' });
  });

  test('waits for no renewal of the session that it ends', async () => {
    const find = () => new Promise<never>(() => {});
    const waiting = await startSignInSite(providers, { sessions: { ...site.sessions, find } });
    const session = (await signedIn()).valueOf('__Host-signet') ?? '';
    const cookie = `__Host-signet=${session}`;
    const out = await newBrowser(waiting).get('/.signet/logout', { ...OWN_LINK, cookie });
    expect(out.status).toBe(303);
    const told = { identity: { user: 'alice' }, events: [{ event: 'sign-out' }] };
    expect(waiting.outcomes.at(-1)).toMatchObject(told);
    expect(await site.sessions.find(session)).toEqual({ refused: 'session-unknown' });
    await waiting.close();
  });

  test('goes on here while the provider has not answered yet', async () => {
    const down = clientOf({ ...op, issuer: 'http://localhost:1' }, 'provider');
    const alone = await startSignInSite([down]);
    const who = { issuer: 'http://localhost:1', subject: 'alice', user: 'alice' };
    const identity = { ...who, type: 'human', method: 'session', expiresAtMs: 0 } as const;
    const begun = { identity: { ...identity, roles: [], groups: [], scopes: [] } };
    const session = await alone.sessions.begin(begun);
    const browser = newBrowser(alone);
    browser.keep(`__Host-signet=${session}; Path=/; Secure`, HOST);
    const out = await browser.get('/.signet/logout', OWN_LINK);
    down.close();
    expect([out.status, locationOf(out)]).toEqual([303, '/.signet/signed-out']);
    expect(await alone.sessions.find(session)).toEqual({ refused: 'session-unknown' });
    await alone.close();
  });

  test('names the central host as the way back, where one host signs in for all', async () => {
    const cookie = { kind: 'central', host: CENTRAL } as const;
    const hosts = [HOST, CENTRAL];
    const central = await startSignInSite([providers[0]!], { cookie, hosts });
    const browser = newBrowser(central, op);
    await browser.walk('/.signet/login', 'alice');
    const url = new URL(locationOf(await browser.get('/.signet/logout', OWN_LINK)));
    const back = url.searchParams.get('post_logout_redirect_uri');
    expect(back).toBe(`https://${CENTRAL}/.signet/signed-out`);
    await central.close();
  });

  test('is not done where signing out is local', async () => {
    const out = await (await signedIn(local)).get('/.signet/logout?return=/bye', OWN_LINK);
    expect(locationOf(out)).toBe('/bye');
  });
});

describe('the provider’s own sign-out', () => {
  /** Signs out at the provider itself, as from another app of its. */
  async function signOutThere(browser: Awaited<ReturnType<typeof signedIn>>) {
    await op.signIn(browser.atProvider, `${op.issuer}/session/end?client_id=${op.clientId}`, '');
  }

  test('ends the session here, by its logout token', async () => {
    const browser = await signedIn();
    await signOutThere(browser);
    await until('the session is gone', async () => !('user' in (await browser.me())));
    expect(site.ended.at(-1)).toBe('alice: provider');
  });

  test('ends that browser’s session only: the token names it by sid', async () => {
    const [phone, laptop] = [await signedIn(), await signedIn()];
    await signOutThere(phone);
    await until('the session is gone', async () => !('user' in (await phone.me())));
    expect(await laptop.me()).toMatchObject({ user: 'alice' });
  });
});
