// Several providers: whoever controls one of them must not get a sign-in at another (mix-up, RFC 9700 section
// 4.4). Two defences stand side by side: a callback of its own for each, and `iss` in it (RFC 9207).
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  startMisbehavingProvider,
  type MisbehavingProvider,
} from '../fixtures/misbehaving-provider.ts';
import { PLACE, startRelyingParty, type RelyingParty } from '../fixtures/relying-party.ts';

let main: MisbehavingProvider;
let partners: MisbehavingProvider;
let party: RelyingParty;

beforeAll(async () => {
  [main, partners] = await Promise.all([startMisbehavingProvider(), startMisbehavingProvider()]);
});
beforeEach(async () => {
  [main, partners].forEach((wire) => wire.misbehave({}));
  const named = [{ name: 'main' }, { name: 'partners', label: 'Partners' }];
  party = await startRelyingParty([main, partners], named);
});
afterEach(() => party.stop());
afterAll(() => Promise.all([main.stop(), partners.stop()]));

const pathOf = (redirectTo: string) =>
  new URL(new URL(redirectTo).searchParams.get('redirect_uri') ?? '').pathname;

describe('with several providers', () => {
  test('people choose when none is named', async () => {
    const begun = await party.login.beginLogin({ ...PLACE, cookies: undefined, returnTo: '/' });
    expect(begun).toEqual({
      choose: [
        { name: 'main', label: 'main' },
        { name: 'partners', label: 'Partners' },
      ],
    });
  });

  test('each is asked at its own endpoint, and has a callback of its own', async () => {
    const [first, second] = [await party.begin('main'), await party.begin('partners')];
    expect(first.redirectTo.startsWith(`${main.issuer}/`)).toBe(true);
    expect(second.redirectTo.startsWith(`${partners.issuer}/`)).toBe(true);
    expect(pathOf(first.redirectTo)).toBe('/.signet/callback');
    expect(pathOf(second.redirectTo)).toBe('/.signet/callback/partners');
  });

  test.each(['main', 'partners'])('a sign-in at %s says whose it is', async (name) => {
    const issuer = name === 'main' ? main.issuer : partners.issuer;
    expect(await party.signIn(name)).toMatchObject({
      provider: name,
      begun: { identity: { issuer, provider: name } },
    });
  });

  test('a name that is not configured is refused, at the beginning and at the end', async () => {
    const asked = { ...PLACE, cookies: undefined, returnTo: '/', idp: 'x'.repeat(1_000) };
    const begun = await party.login.beginLogin(asked);
    expect(begun).toMatchObject({ refused: 'provider-unknown' });
    expect('detail' in begun && begun.detail.length).toBeLessThan(120);
    const { cookies, redirectTo } = await party.begin('main');
    const finished = await party.finish(cookies, main.callbackFor(redirectTo), 'gone');
    expect(finished).toMatchObject({ refused: 'provider-unknown' });
  });
});

describe('mix-up: a code of one provider', () => {
  const TO_ANOTHER = { refused: 'state-mismatch', detail: 'the state is of another provider' };

  test('is refused at the callback of another, and that one’s token endpoint never sees it', async () => {
    const { cookies, redirectTo } = await party.begin('main');
    const before = partners.tokenRequests.length;
    const finished = await party.finish(cookies, main.callbackFor(redirectTo), 'partners');
    expect(finished).toMatchObject(TO_ANOTHER);
    expect(partners.tokenRequests.length).toBe(before);
  });

  test('is refused at the main one’s callback, too', async () => {
    const { cookies, redirectTo } = await party.begin('partners');
    const finished = await party.finish(cookies, partners.callbackFor(redirectTo), 'main');
    expect(finished).toMatchObject(TO_ANOTHER);
  });

  test('is refused at the callback of another client at the same provider', async () => {
    party.stop();
    party = await startRelyingParty([main, main], [{ name: 'main' }, { name: 'second' }]);
    const { cookies, redirectTo } = await party.begin('main');
    const finished = await party.finish(cookies, main.callbackFor(redirectTo), 'second');
    expect(finished).toMatchObject(TO_ANOTHER);
  });

  test('is taken at its own callback after somebody brought it to another', async () => {
    const { cookies, redirectTo } = await party.begin('main');
    const answer = main.callbackFor(redirectTo);
    await party.finish(cookies, answer, 'partners');
    expect(await party.finish(cookies, answer)).toMatchObject({ provider: 'main' });
  });

  test('with the `iss` of another is refused, and nobody’s token endpoint sees it (RFC 9207 2.4)', async () => {
    main.misbehave({ callback: (query) => query.set('iss', partners.issuer) });
    const { cookies, redirectTo } = await party.begin('main');
    const before = main.tokenRequests.length;
    const finished = await party.finish(cookies, main.callbackFor(redirectTo));
    expect(finished).toMatchObject({ refused: 'issuer-mismatch' });
    expect(main.tokenRequests.length).toBe(before);
  });

  test('without the `iss` that its provider announces is refused (RFC 9207 2.4)', async () => {
    main.misbehave({ callback: (query) => query.delete('iss') });
    const { cookies, redirectTo } = await party.begin('main');
    const finished = await party.finish(cookies, main.callbackFor(redirectTo));
    expect(finished).toMatchObject({ refused: 'issuer-mismatch' });
  });

  test('with two `iss` is refused', async () => {
    main.misbehave({ callback: (query) => query.append('iss', partners.issuer) });
    const { cookies, redirectTo } = await party.begin('main');
    const finished = await party.finish(cookies, main.callbackFor(redirectTo));
    expect(finished).toHaveProperty('refused');
  });
});

describe('parameters of an authorization request', () => {
  const asked = async (parameters: Record<string, string>, prompt?: string) => {
    party.stop();
    party = await startRelyingParty([main], [{ parameters }]);
    const place = { ...PLACE, cookies: undefined, returnTo: '/', prompt };
    const begun = await party.login.beginLogin(place);
    return new URL('redirectTo' in begun ? begun.redirectTo : '').searchParams;
  };

  test('are the configured ones, too', async () => {
    const query = await asked({ access_type: 'offline', prompt: 'consent', hd: 'example.com' });
    expect(Object.fromEntries(query)).toMatchObject({
      access_type: 'offline',
      prompt: 'consent',
      hd: 'example.com',
    });
  });

  test('never take the place of Signet’s own', async () => {
    const own = { redirect_uri: 'https://evil.example', state: 'x', nonce: 'x', scope: 'x' };
    const query = await asked({ ...own, response_mode: 'form_post', code_challenge: 'x' });
    expect(query.get('redirect_uri')).toBe('https://app.example.com/.signet/callback');
    expect(query.get('response_mode')).toBeNull();
    expect([...query].filter(([, value]) => value === 'x')).toEqual([]);
  });

  test('give way to a prompt that somebody asked for', async () => {
    expect((await asked({ prompt: 'consent' }, 'login')).getAll('prompt')).toEqual(['login']);
  });
});
