// Several providers, each a real one: people choose, and what one of them says is never taken for another's.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DEFAULT_CLAIM_NAMES } from '../../sidecar/identity/claims.ts';
import { createProvider, type Provider } from '../../sidecar/identity/provider.ts';
import { secret } from '../../sidecar/secret.ts';
import { startProvider, type TestProvider } from '../fixtures/provider.ts';
import { HOST, newBrowser, startSignInSite, type SignInSite } from '../fixtures/sign-in-site.ts';
import { until } from '../fixtures/until.ts';

const NAMES = ['staff', 'partners'] as const;

let ops: Record<(typeof NAMES)[number], TestProvider>;
let providers: Provider[];
let site: SignInSite;

beforeAll(async () => {
  const [staff, partners] = await Promise.all([
    startFor(['/.signet/callback']),
    startFor(['/.signet/callback/partners']),
  ]);
  ops = { staff, partners };
  providers = NAMES.map((name) => {
    const { issuer, clientId, clientSecret } = ops[name];
    const client = { issuer, clientId, clientSecret: secret(clientSecret) };
    return createProvider({ name, label: name, names: DEFAULT_CLAIM_NAMES, scopes: [], ...client });
  });
  await until('discovery', () => providers.every((one) => one.state().ready));
  site = await startSignInSite(providers);
});
afterAll(async () => {
  await site.close();
  providers.forEach((one) => one.close());
  await Promise.all(NAMES.map((name) => ops[name].stop()));
});
beforeEach(() => void (site.outcomes.length = 0));

function startFor(paths: string[]): Promise<TestProvider> {
  const redirectUris = paths.map((path) => `https://${HOST}${path}`);
  return startProvider({ redirectUris, audience: 'https://orders.example.com' });
}

const signInAt = (name: (typeof NAMES)[number]) => {
  const browser = newBrowser(site, ops[name]);
  return { browser, path: `/.signet/login?idp=${name}&return=/orders` };
};

describe('several providers', () => {
  test('none named: a page to choose from, which keeps where to come back to', async () => {
    const answer = await newBrowser(site).get('/.signet/login?return=/orders%3Fq%3D1');
    expect(answer.status).toBe(200);
    for (const name of NAMES) {
      expect(answer.text).toContain(
        `href="/.signet/login?idp=${name}&amp;return=%2Forders%3Fq%3D1"`,
      );
    }
  });

  test('the choice keeps a prompt that was asked for', async () => {
    const answer = await newBrowser(site).get('/.signet/login?prompt=login&return=/x');
    expect(answer.text).toContain('/.signet/login?prompt=login&amp;idp=staff&amp;return=%2Fx');
  });

  test.each(NAMES)('%s signs people in, and the row says by whom', async (name) => {
    const { browser, path } = signInAt(name);
    const back = await browser.signIn('alice', path);
    expect(back.headers['location']).toBe('/orders');
    expect(await browser.me()).toMatchObject({ user: 'alice', provider: name });
    const events = site.outcomes.flatMap((outcome) => outcome.events ?? []);
    expect(events).toEqual([{ event: 'sign-in', details: { provider: name } }]);
  });

  describe('who is signed in at one', () => {
    const signedIn = async () => {
      const { browser, path } = signInAt('staff');
      await browser.signIn('alice', path);
      return browser;
    };

    test.each(['/.signet/login?return=/x', '/.signet/login?idp=staff&return=/x'])(
      'goes straight back from %s',
      async (path) => {
        expect((await (await signedIn()).get(path)).headers['location']).toBe('/x');
      },
    );

    test('signs in at the other where that one is asked for', async () => {
      const answer = await (await signedIn()).get('/.signet/login?idp=partners&return=/x');
      expect(answer.headers['location']).toMatch(new RegExp(`^${ops.partners.issuer}/`));
    });

    test('gets the page of the signed-out where one is asked for that there is not', async () => {
      expect((await (await signedIn()).get('/.signet/login?idp=nobody')).status).toBe(400);
      expect(site.outcomes.at(-1)?.reason).toBe('provider-unknown');
    });
  });

  test('a sign-in again at the other one ends the session that was there', async () => {
    const { browser, path } = signInAt('staff');
    await browser.signIn('alice', path);
    const old = browser.valueOf('__Host-signet') ?? '';
    const other = newBrowser(site, ops.partners);
    browser.all().forEach(({ name, value }) => other.keep(`${name}=${value}; Secure`, HOST));
    await other.signIn('bob', '/.signet/login?idp=partners&prompt=login');
    expect(await site.sessions.find(old)).toEqual({ refused: 'session-unknown' });
    expect(site.outcomes.at(-1)?.events).toEqual([
      { event: 'session-revoked', details: { why: 'sign-in' } },
      { event: 'sign-in', details: { provider: 'partners' } },
    ]);
  });

  test('tabs at two providers at once both succeed', async () => {
    const staff = newBrowser(site, ops.staff);
    const path = await staff.toCallback('alice', '/.signet/login?idp=staff&return=/1');
    const partners = newBrowser(site, ops.partners);
    staff.all().forEach(({ name, value }) => partners.keep(`${name}=${value}; Secure`, HOST));
    const second = await partners.toCallback('bob', '/.signet/login?idp=partners&return=/2');
    const locations = [await partners.get(path), await partners.get(second)].map(
      ({ headers }) => headers['location'] as string,
    );
    expect(locations).toEqual(['/1', '/2']);
  });

  test('an answer of one that is brought to the other’s callback signs nobody in', async () => {
    const { browser, path } = signInAt('partners');
    const callback = await browser.toCallback('alice', path);
    const mixedUp = callback.replace('/callback/partners', '/callback');
    expect((await browser.get(mixedUp)).status).toBe(400);
    expect(browser.valueOf('__Host-signet')).toBeUndefined();
  });

  test.each(['/.signet/login?idp=nobody', '/.signet/callback/nobody?code=x&state=y'])(
    '%s names a provider that there is not: 400, provider-unknown',
    async (path) => {
      expect((await newBrowser(site).get(path)).status).toBe(400);
      expect(site.outcomes.at(-1)?.reason).toBe('provider-unknown');
    },
  );

  test.each(['/a/b', '/%2e%2e', '/%', `/${'x'.repeat(65)}`, '/', '/<script>'])(
    'callback%s is no path of ours',
    async (path) => {
      expect((await newBrowser(site).get(`/.signet/callback${path}`)).status).toBe(404);
    },
  );
});
