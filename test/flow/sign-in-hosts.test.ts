// Several hosts at a real OpenID provider: a host where people sign in for all, and a cookie for a whole domain.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Provider } from '../../sidecar/identity/provider.ts';
import type { TestProvider } from '../fixtures/provider.ts';
import { CENTRAL, OTHER, startHosts, startMain } from '../fixtures/sign-in-hosts.ts';
import { HOST, newBrowser } from '../fixtures/sign-in-site.ts';

let op: TestProvider;
let provider: Provider;
let site: Awaited<ReturnType<typeof startHosts>>;

beforeAll(async () => void ({ op, provider } = await startMain()));
afterAll(async () => {
  provider.close();
  await op.stop();
});
afterEach(() => site.close());

const browserAt = (host = HOST) => newBrowser(site, op, host);
type Browser = ReturnType<typeof browserAt>;
const SESSION = '__Host-signet';
const reason = () => site.outcomes.at(-1)?.reason;
const locationOf = ({ headers }: { headers: object }) =>
  new URL((headers as { location?: string }).location ?? '', `https://${HOST}`);

describe('one host signs in for all', () => {
  beforeEach(async () => {
    site = await startHosts(provider, { kind: 'central', host: CENTRAL });
  });

  /** Goes as far as to the URL by which the host is to take the session. */
  async function atAccept(browser: Browser, path = '/.signet/login?return=/orders') {
    await signInAtCentral(browser);
    const asked = locationOf(await browser.get(path));
    const login = await browser.get(asked.pathname + asked.search, { at: CENTRAL });
    const handOver = locationOf(login);
    const given = await browser.get(handOver.pathname + handOver.search, { at: CENTRAL });
    return locationOf(given);
  }

  async function signInAtCentral(browser: Browser) {
    await browser.walk('/.signet/login', 'alice', CENTRAL);
  }

  const accept = (browser: Browser, { host, pathname, search }: URL) =>
    browser.get(pathname + search, { at: host });

  test('a sign-in at a host goes by the central one, and back to the page with its query', async () => {
    const browser = browserAt();
    const end = await browser.walk('/.signet/login?return=/orders%3Fq%3D1', 'alice');
    expect(end.href).toBe(`https://${HOST}/orders?q=1`);
    expect(await browser.me()).toMatchObject({ user: 'alice' });
  });

  test('only the central host is sent to the provider', async () => {
    const asked = locationOf(await browserAt().get('/.signet/login'));
    expect(asked.host).toBe(CENTRAL);
    const atCentral = await newBrowser(site, op, CENTRAL).get(asked.pathname + asked.search);
    const { searchParams } = locationOf(atCentral);
    expect(searchParams.get('redirect_uri')).toBe(`https://${CENTRAL}/.signet/callback`);
  });

  test('the second host asks nobody, and has the same session', async () => {
    const browser = browserAt();
    await browser.walk('/.signet/login', 'alice');
    await browser.walk('/.signet/login?return=/x', 'nobody', OTHER);
    expect(await browser.me(OTHER)).toMatchObject({ user: 'alice' });
    expect(browser.valueOf(SESSION, OTHER)).toBe(browser.valueOf(SESSION, HOST));
  });

  test('one sign-in is one event in the record', async () => {
    const browser = browserAt();
    await browser.walk('/.signet/login', 'alice');
    await browser.walk('/.signet/login', 'nobody', OTHER);
    const events = site.outcomes.flatMap((outcome) => outcome.events ?? []);
    expect(events).toEqual([{ event: 'sign-in', details: { provider: 'main' } }]);
  });

  test('signing out at one host signs out at all', async () => {
    const browser = browserAt();
    await browser.walk('/.signet/login', 'alice');
    await browser.walk('/.signet/login', 'nobody', OTHER);
    await browser.get('/.signet/logout', { at: OTHER });
    expect(await browser.me(HOST)).not.toHaveProperty('user');
    expect(await browser.me(CENTRAL)).not.toHaveProperty('user');
  });

  test('several tabs of several hosts at once all end where they wanted to', async () => {
    const browser = browserAt();
    await signInAtCentral(browser);
    const wanted = [HOST, OTHER, HOST, OTHER, HOST].map(
      (host, index) => `https://${host}/${index}`,
    );
    const ends = await Promise.all(
      wanted.map((page) => {
        const { host, pathname } = new URL(page);
        return browser.walk(`/.signet/login?return=${pathname}`, 'nobody', host);
      }),
    );
    expect(ends.map(({ href }) => href)).toEqual(wanted);
  });

  test('signing in as somebody else asks at the central host, and ends the old session everywhere', async () => {
    const browser = browserAt();
    await browser.walk('/.signet/login', 'alice');
    const old = browser.valueOf(SESSION) ?? '';
    await browser.walk('/.signet/login?prompt=login', 'bob');
    expect(await browser.me()).toMatchObject({ user: 'bob' });
    expect(await site.sessions.find(old)).toEqual({ refused: 'session-unknown' });
  });

  test('another session that the host had is ended, and told as revoked', async () => {
    const browser = browserAt();
    const identity = { ...ALICE, issuer: op.issuer };
    const earlier = await site.sessions.begin({ identity });
    const url = await atAccept(browser);
    browser.keep(`${SESSION}=${earlier}; Path=/; Secure`, HOST);
    await accept(browser, url);
    expect(await site.sessions.find(earlier)).toEqual({ refused: 'session-unknown' });
    expect(site.outcomes.at(-1)?.events).toEqual([
      { event: 'session-revoked', details: { why: 'sign-in' } },
    ]);
  });

  test('the host keeps a hand-over that waits as __Host-, Secure, HttpOnly, Lax, and for 20 minutes', async () => {
    const { headers } = await browserAt().get('/.signet/login');
    expect([headers['set-cookie']].flat()).toEqual([
      expect.stringMatching(
        /^__Host-signet-login-at-[\w-]+=[\w-]+; Path=\/; Max-Age=1200; Secure; HttpOnly; SameSite=Lax$/,
      ),
    ]);
  });

  test('at most five wait in a browser', async () => {
    const browser = browserAt();
    for (let index = 0; index < 8; index++) {
      site.clock.nowMs += 1;
      await browser.get('/.signet/login');
    }
    expect(browser.all()).toHaveLength(5);
  });

  test('neither the code nor the question can be read', async () => {
    const browser = browserAt();
    const url = await atAccept(browser);
    const code = url.searchParams.get('code') ?? '';
    const session = browser.valueOf(SESSION, CENTRAL) ?? '-';
    const plain = Buffer.from(code, 'base64url').toString('latin1');
    expect(code + plain).not.toContain(session);
    expect([...url.searchParams.keys()]).toEqual(['code']);
  });

  describe('a code is refused', () => {
    test('a second time: the browser does not wait for it any more', async () => {
      const browser = browserAt();
      const url = await atAccept(browser);
      expect((await accept(browser, url)).status).toBe(302);
      expect((await accept(browser, url)).status).toBe(400);
      expect(reason()).toBe('state-missing');
    });

    test('a second time with the cookie put back: state-used', async () => {
      const browser = browserAt();
      const url = await atAccept(browser);
      const kept = browser.all();
      await accept(browser, url);
      for (const { name, value } of kept) browser.keep(`${name}=${value}; Path=/; Secure`, HOST);
      await accept(browser, url);
      expect(reason()).toBe('state-used');
    });

    test('twice at once: one takes it', async () => {
      const browser = browserAt();
      const url = await atAccept(browser);
      const answers = await Promise.all([accept(browser, url), accept(browser, url)]);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([302, 400]));
    });

    test('in a browser that did not ask (an attacker’s code): state-missing, and no session', async () => {
      const url = await atAccept(browserAt());
      const victim = browserAt();
      expect((await accept(victim, url)).status).toBe(400);
      expect([reason(), victim.all()]).toEqual(['state-missing', []]);
    });

    test('in a browser that waits for its own (an attacker’s code): state-mismatch', async () => {
      const url = await atAccept(browserAt());
      const victim = browserAt();
      await victim.get('/.signet/login');
      await accept(victim, url);
      expect(reason()).toBe('state-mismatch');
      expect(victim.valueOf(SESSION)).toBeUndefined();
    });

    test('of a victim who was brought to the central host by an attacker’s question: state-missing', async () => {
      const asked = locationOf(await browserAt().get('/.signet/login'));
      const victim = browserAt();
      await signInAtCentral(victim);
      const end = await victim.walk(asked.pathname + asked.search, 'nobody', CENTRAL);
      expect([end.pathname, reason()]).toEqual(['/.signet/accept', 'state-missing']);
      expect(victim.valueOf(SESSION)).toBeUndefined();
    });

    test('of a victim, in the browser that had asked: it was used up where it came first', async () => {
      const attacker = browserAt();
      const asked = locationOf(await attacker.get('/.signet/login'));
      const back = new URL(asked.searchParams.get('return') ?? '', asked);
      const victim = browserAt();
      await signInAtCentral(victim);
      const given = await victim.get(back.pathname + back.search, { at: CENTRAL });
      await accept(victim, locationOf(given));
      const answer = await accept(attacker, locationOf(given));
      expect([answer.status, reason()]).toEqual([400, 'state-used']);
      expect(attacker.valueOf(SESSION)).toBeUndefined();
    });

    test('in its own browser, after another one that waits for something had it', async () => {
      const browser = browserAt();
      const url = await atAccept(browser);
      const other = browserAt();
      await other.get('/.signet/login');
      await accept(other, url);
      await accept(browser, url);
      expect(reason()).toBe('state-used');
    });

    test('at another host: state-mismatch, even with the cookie carried there', async () => {
      const browser = browserAt();
      const url = await atAccept(browser);
      for (const { name, value } of browser.all())
        browser.keep(`${name}=${value}; Path=/; Secure`, OTHER);
      browser.keep(`${SESSION}=; Path=/; Secure; Max-Age=0`, OTHER);
      await accept(browser, new URL(url.href.replace(HOST, OTHER)));
      const detail = 'the code is for another host';
      expect(site.outcomes.at(-1)).toMatchObject({ reason: 'state-mismatch', detail });
      expect(browser.valueOf(SESSION, OTHER)).toBeUndefined();
    });

    test('after a minute: state-expired, and not before', async () => {
      const browser = browserAt();
      const [early, late] = [await atAccept(browser), await atAccept(browser)];
      site.clock.nowMs += 60_000;
      expect((await accept(browser, early)).status).toBe(302);
      site.clock.nowMs += 1;
      await accept(browser, late);
      expect(reason()).toBe('state-expired');
    });

    test('altered in any of its characters: state-mismatch', async () => {
      const browser = browserAt();
      const url = await atAccept(browser);
      const code = url.searchParams.get('code') ?? '';
      for (let at = 0; at < code.length; at += 7) {
        const other = code[at] === 'A' ? 'B' : 'A';
        url.searchParams.set('code', code.slice(0, at) + other + code.slice(at + 1));
        await accept(browser, url);
        expect([at, reason()]).toEqual([at, 'state-mismatch']);
      }
    });

    test.each([
      ['nothing', ''],
      ['a letter', 'x'],
      ['very much', 'A'.repeat(5_000)],
      ['a control character', '\0'],
    ])('that is none, but %s: state-mismatch', async (_name, code) => {
      const browser = browserAt();
      await browser.get('/.signet/login');
      const answer = await browser.get(`/.signet/accept?code=${encodeURIComponent(code)}`);
      expect([answer.status, reason()]).toEqual([400, 'state-mismatch']);
    });

    test('that is a question, which is sealed, too', async () => {
      const browser = browserAt();
      const asked = locationOf(await browser.get('/.signet/login'));
      const back = new URL(asked.searchParams.get('return') ?? '', `https://${CENTRAL}`);
      await browser.get(`/.signet/accept?code=${back.searchParams.get('state')}`);
      expect(reason()).toBe('state-mismatch');
    });

    test('whose session was ended meanwhile: state-expired, and its page leads on', async () => {
      const browser = browserAt();
      const url = await atAccept(browser);
      await browser.get('/.signet/logout', { at: CENTRAL });
      const answer = await accept(browser, url);
      expect([answer.status, reason()]).toEqual([400, 'state-expired']);
      expect(answer.text).toContain('href="/.signet/login?return=%2Forders"');
    });
  });

  describe('each answer on the way has no opener and is no referrer:', () => {
    const policies = ({ headers }: { headers: object }) => {
      const { 'cross-origin-opener-policy': opener, 'referrer-policy': referrer } =
        headers as Record<string, string>;
      return { opener, referrer };
    };
    const SEVERED = { opener: 'same-origin', referrer: 'no-referrer' };

    test('the central host’s question whose it is, and its code', async () => {
      const browser = browserAt();
      const asked = locationOf(await browser.get('/.signet/login'));
      const back = asked.searchParams.get('return') ?? '';
      expect(policies(await browser.get(back, { at: CENTRAL }))).toEqual(SEVERED);
      await signInAtCentral(browser);
      expect(policies(await browser.get(back, { at: CENTRAL }))).toEqual(SEVERED);
    });

    test('the host’s, whether it takes the code or not', async () => {
      const browser = browserAt();
      const url = await atAccept(browser);
      for (const status of [302, 400]) {
        const answer = await accept(browser, url);
        expect([answer.status, policies(answer)]).toEqual([status, SEVERED]);
      }
    });

    test('a refused question’s', async () => {
      const answer = await browserAt().get('/.signet/hand-over?state=x', { at: CENTRAL });
      expect([answer.status, policies(answer)]).toEqual([400, SEVERED]);
    });

    test('and that of a store that is down', async () => {
      const browser = browserAt();
      const url = await atAccept(browser);
      await site.breakStore();
      site.clock.nowMs += 1_001; // is not served from memory any more
      const answer = await accept(browser, url);
      expect([answer.status, policies(answer)]).toEqual([503, SEVERED]);
    });
  });

  describe('a question is refused', () => {
    const ask = (question: string, at = CENTRAL) =>
      browserAt().get(`/.signet/hand-over?state=${question}`, { at });
    async function question(): Promise<string> {
      const asked = locationOf(await browserAt().get('/.signet/login'));
      const back = new URL(asked.searchParams.get('return') ?? '', `https://${CENTRAL}`);
      return back.searchParams.get('state') ?? '';
    }

    test.each([
      ['nothing', ''],
      ['a letter', 'x'],
      ['very much', 'A'.repeat(2_000)],
    ])('that is not sealed by us: %s', async (_name, text) => {
      expect((await ask(text)).status).toBe(400);
      expect(reason()).toBe('state-mismatch');
    });

    test('after eleven minutes', async () => {
      const asked = await question();
      site.clock.nowMs += 660_001;
      await ask(asked);
      expect(reason()).toBe('state-expired');
    });

    test('at a host that is not the central one', async () => {
      await ask(await question(), OTHER);
      expect(reason()).toBe('host-not-allowed');
    });

    test('in a frame, where the page around it could read the code', async () => {
      const browser = browserAt();
      await signInAtCentral(browser);
      const path = `/.signet/hand-over?state=${await question()}`;
      const answer = await browser.get(path, { at: CENTRAL, 'Sec-Fetch-Dest': 'iframe' });
      expect([answer.status, reason()]).toEqual([400, 'state-mismatch']);
    });

    test('that is sound leads to sign in first, and to nobody’s session', async () => {
      const answer = await ask(await question());
      expect([answer.status, locationOf(answer).pathname]).toEqual([302, '/.signet/login']);
    });
  });

  test('a host that is not among the hosts can ask for nothing', async () => {
    const answer = await browserAt().get('/.signet/login', { at: 'evil.example.com' });
    expect([answer.status, reason()]).toEqual([400, 'host-not-allowed']);
  });

  test('no return URL makes the central host hand its session to a host that did not ask', async () => {
    const browser = browserAt();
    await signInAtCentral(browser);
    const returnTo = encodeURIComponent('/.signet/hand-over?state=https://evil.example');
    const end = await browser.walk(`/.signet/login?return=${returnTo}`, 'nobody', CENTRAL);
    expect([end.host, end.pathname, reason()]).toEqual([
      CENTRAL,
      '/.signet/hand-over',
      'state-mismatch',
    ]);
  });

  test('a provider that is named travels to the central host', async () => {
    const asked = locationOf(await browserAt().get('/.signet/login?idp=main&prompt=login'));
    expect([asked.searchParams.get('idp'), asked.searchParams.get('prompt')]).toEqual([
      'main',
      'login',
    ]);
  });
});

const ALICE = {
  subject: 'alice',
  user: 'alice',
  roles: [],
  groups: [],
  scopes: [],
  type: 'human',
  method: 'session',
  expiresAtMs: 0,
} as const;

describe('a host that has left the list', () => {
  test('gets no code any more for what it had asked', async () => {
    const hosts = [HOST, OTHER, CENTRAL];
    site = await startHosts(provider, { kind: 'central', host: CENTRAL }, hosts);
    const { createHandOver } = await import('../../sidecar/identity/hand-over.ts');
    const now = () => site.clock.nowMs;
    const central = { keys: site.keys, central: CENTRAL, now };
    const place = { host: HOST, scheme: 'https', cookies: undefined } as const;
    const before = createHandOver({ ...central, hosts });
    const { redirectTo } = before.begin({ ...place, returnTo: '/' });
    const back = new URL(new URL(redirectTo).searchParams.get('return') ?? '', redirectTo);
    const question = back.searchParams.get('state') ?? '';
    const after = createHandOver({ ...central, hosts: [OTHER, CENTRAL] });
    const given = [before, after].map((one) =>
      one.give({ ...place, host: CENTRAL }, question, 'x'),
    );
    expect(given).toEqual([
      { redirectTo: expect.stringContaining(`https://${HOST}/.signet/accept?code=`) },
      expect.objectContaining({ refused: 'host-not-allowed' }),
    ]);
  });
});

describe('one cookie for a domain', () => {
  const COOKIE = '__Secure-signet';

  beforeEach(async () => {
    site = await startHosts(provider, { kind: 'domain', domain: 'example.com' });
  });

  test('is __Secure-, for the domain, Secure, HttpOnly, Lax', async () => {
    const back = await browserAt().signIn('alice');
    const line = [back.headers['set-cookie'] ?? []].flat().find((one) => one.startsWith(COOKIE));
    expect(line).toMatch(
      /^__Secure-signet=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax; Domain=example\.com$/,
    );
  });

  test('signs in at every host of it at once', async () => {
    const browser = browserAt();
    await browser.signIn('alice');
    expect(await browser.me(OTHER)).toMatchObject({ user: 'alice' });
  });

  test('is taken away for all of them', async () => {
    const browser = browserAt();
    await browser.signIn('alice');
    await browser.get('/.signet/logout', { at: OTHER });
    expect(browser.valueOf(COOKIE)).toBeUndefined();
    expect(await browser.me()).not.toHaveProperty('user');
  });

  test('a second one of the same name, tossed by a neighbour, signs nobody in: cookie-repeated', async () => {
    const browser = browserAt();
    await browser.signIn('alice');
    const attacker = newBrowser(site, op);
    await attacker.signIn('bob');
    const tossed = attacker.valueOf(COOKIE);
    browser.keep(`${COOKIE}=${tossed}; Domain=example.com; Path=/.signet; Secure`, OTHER);
    expect((await browser.get('/.signet/me')).status).toBe(401);
    expect(reason()).toBe('cookie-repeated');
  });

  test('the cookie of a single host is not read, whatever it holds', async () => {
    const browser = browserAt();
    await browser.signIn('alice');
    const value = browser.valueOf(COOKIE) ?? '';
    browser.forget(COOKIE);
    browser.keep(`__Host-signet=${value}; Path=/; Secure`, HOST);
    expect((await browser.get('/.signet/me')).status).toBe(401);
  });

  test.each(['evil-example.com', 'example.com.evil.test', 'example.org'])(
    '%s can’t have it, and is told so',
    async (at) => {
      await site.close();
      site = await startHosts(provider, { kind: 'domain', domain: 'example.com' }, []);
      const answer = await browserAt().get('/.signet/login', { at });
      expect([answer.status, reason()]).toEqual([400, 'host-not-allowed']);
    },
  );

  test('the domain itself, and a port, can have it', async () => {
    await site.close();
    site = await startHosts(provider, { kind: 'domain', domain: 'example.com' }, []);
    for (const at of ['example.com', 'a.b.example.com:8443']) {
      expect((await browserAt().get('/.signet/login', { at })).status).toBe(302);
    }
  });
});

describe('a session that holds here and that the gate does not see', () => {
  beforeEach(async () => {
    site = await startHosts(provider, { kind: 'host' });
  });

  test('ends in a page instead of a loop: the sixth time for one page within seconds', async () => {
    const browser = browserAt();
    await browser.signIn('alice');
    for (let index = 0; index < 5; index++) {
      expect((await browser.get('/.signet/login?return=/orders')).status).toBe(302);
    }
    const answer = await browser.get('/.signet/login?return=/orders');
    expect([answer.status, reason()]).toEqual([429, 'sign-in-loop']);
    expect((await browser.get('/.signet/login?return=/orders')).status).toBe(302);
  });

  test('several pages are no loop', async () => {
    const browser = browserAt();
    await browser.signIn('alice');
    for (let index = 0; index < 12; index++) {
      expect((await browser.get(`/.signet/login?return=/${index}`)).status).toBe(302);
    }
  });

  test.each(['x', '99999999999999999999.x', '-5.x', ''])(
    'a mangled count of %j begins anew',
    async (value) => {
      const browser = browserAt();
      await browser.signIn('alice');
      browser.keep(`__Host-signet-back=${value}; Path=/; Secure`, HOST);
      expect((await browser.get('/.signet/login?return=/orders')).status).toBe(302);
    },
  );
});
