// Cases 26 to 30 of the hostile list, through a real Caddy: what comes back to the callback, and what a provider
// answers there. Each wrong thing signs nobody in, is told in words, and is in the row and the span with its reason.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { deriveKeys, loadKeyRing } from '../../sidecar/config/keys.ts';
import { createSignInsUnderWay } from '../../sidecar/identity/login-under-way.ts';
import type { Reply } from '../fixtures/edge.ts';
import type { Misbehaviour } from '../fixtures/misbehaving-provider.ts';
import { startMisledEdge, type BegunSignIn, type MisledEdge } from '../fixtures/misled-edge.ts';
import { until } from '../fixtures/until.ts';

let edge: MisledEdge;
beforeAll(async () => {
  edge = await startMisledEdge();
});
afterAll(async () => edge.stop());
beforeEach(() => {
  edge.wire.misbehave({});
  edge.wire.tokenRequests.length = 0;
  edge.partners.tokenRequests.length = 0;
});

const HTML = 'Accept: text/html';

/** Request id → reason. Rows and spans come some times a second: they are looked at when all are on their way. */
const refused = new Map<string, string>();

/** Nobody is signed in, and the page says so; row and span follow. */
function expectRefused({ status, headers, requestId, body }: Reply, reason: string): void {
  expect([status, headers.get('location')]).toEqual([400, undefined]);
  expect(headers.get('content-type')).toMatch(/^text\/html/);
  expect(headers.get('set-cookie') ?? '').not.toMatch(/__Host-signet=[^;]/);
  expect(body).toContain(requestId);
  refused.set(requestId, reason);
}

const stateIn = (url: string) => new URL(url).searchParams.get('state') ?? '';

function withState(callback: string, state: string | undefined): string {
  const url = new URL(callback);
  url.searchParams.delete('state');
  if (state !== undefined) url.searchParams.set('state', state);
  return url.href;
}

/** A sign-in that the edge itself might have begun, at another time or at another of its hosts. */
function sealedAt(changes: { host?: string; atMs?: number }): BegunSignIn & { state: string } {
  const keys = deriveKeys(loadKeyRing({ stateFolder: edge.folder }), 'login');
  const { host = `localhost:${edge.port}`, atMs = Date.now() } = changes;
  const underWay = createSignInsUnderWay({ keys, now: () => atMs, used: new Map() });
  const state = underWay.newState(atMs);
  const [sealed = ''] = underWay.keep(
    state,
    {
      ...{ provider: 'main', issuer: edge.wire.issuer, host, returnTo: '/', signIns: 0, atMs },
      ...{ verifier: 'v'.repeat(43), nonce: 'n' },
    },
    undefined,
  );
  return { cookie: `Cookie: ${sealed.split(';')[0]}`, authorization: '', state };
}

describe('case 26: a callback is refused', () => {
  let begun: BegunSignIn;
  let callback: string;
  beforeEach(async () => {
    begun = await edge.begin();
    callback = edge.wire.callbackFor(begun.authorization);
  });

  test('without a state', async () => {
    expectRefused(await edge.finish(begun, withState(callback, undefined)), 'state-mismatch');
  });

  test('with a state of nobody', async () => {
    for (const state of ['', 'x', '../x', 'a'.repeat(8_000), '%00', '<b>', '\r\nx: y']) {
      const told = await edge.finish(begun, withState(callback, state));
      expectRefused(told, 'state-mismatch');
    }
  });

  test('with the state twice', async () => {
    const twice = `${callback}&state=${stateIn(callback)}`;
    expectRefused(await edge.finish(begun, twice), 'state-mismatch');
  });

  test('with a state of another browser', async () => {
    const other = await edge.begin();
    expectRefused(await edge.finish(other, callback), 'state-mismatch');
    expect((await edge.finish(begun, callback)).status).toBe(302);
  });

  test('in a browser that began nothing', async () => {
    const { pathname, search } = new URL(callback);
    expectRefused(await edge.send(pathname + search), 'state-missing');
  });

  test('a second time', async () => {
    expect((await edge.finish(begun, callback)).status).toBe(302);
    expectRefused(await edge.finish(begun, callback), 'state-used');
    expect(edge.wire.tokenRequests).toHaveLength(1);
  });

  test('after its ten minutes', async () => {
    const late = sealedAt({ atMs: Date.now() - 601_000 });
    expectRefused(await edge.finish(late, withState(callback, late.state)), 'state-expired');
    const timely = sealedAt({ atMs: Date.now() - 590_000 });
    const told = await edge.finish(timely, withState(callback, timely.state));
    expectRefused(told, 'code-refused');
  });

  test('that was begun at another host', async () => {
    const elsewhere = sealedAt({ host: 'other.example.com' });
    const told = await edge.finish(elsewhere, withState(callback, elsewhere.state));
    expectRefused(told, 'state-mismatch');
  });

  test('whose sealed cookie was altered in any tenth of its bits', async () => {
    const at = begun.cookie.indexOf('=') + 1;
    for (let place = at; place < begun.cookie.length - 1; place += 10) {
      const char = String.fromCharCode(begun.cookie.charCodeAt(place) ^ 1);
      const cookie = begun.cookie.slice(0, place) + char + begun.cookie.slice(place + 1);
      const { status, headers } = await edge.finish({ ...begun, cookie }, callback);
      expect([place, status, headers.get('location')]).toEqual([place, 400, undefined]);
    }
    expect(edge.wire.tokenRequests).toEqual([]);
  });

  test('and said so in words, of which none is the client’s', async () => {
    const reply = await edge.finish(begun, withState(callback, '<img src=x>'), HTML);
    expect(reply.body).toMatch(/<h1[^>]*>[^<]{10,}<\/h1>/);
    expect(reply.body).not.toContain('<img');
  });
});

describe('case 27, CVE-2024-23647: PKCE', () => {
  test('is S256, with another challenge for each sign-in', async () => {
    const asked = await Promise.all([edge.begin(), edge.begin()]);
    const challenges = asked.map(({ authorization }) => {
      const { searchParams } = new URL(authorization);
      expect(searchParams.get('code_challenge_method')).toBe('S256');
      return searchParams.get('code_challenge') ?? '';
    });
    for (const challenge of challenges) expect(challenge).toMatch(/^[\w-]{43}$/);
    expect(new Set(challenges).size).toBe(2);
  });

  test.each(['invalid_request', 'invalid_grant', 'unsupported_parameter'])(
    'is not left out by a second try when the token endpoint says %s',
    async (error) => {
      edge.wire.misbehave({
        token: (response) =>
          void response
            .writeHead(400, { 'content-type': 'application/json' })
            .end(JSON.stringify({ error, error_description: 'code_verifier is not supported' })),
      });
      expectRefused(await edge.come(), 'code-refused');
      expect(edge.wire.tokenRequests).toHaveLength(1);
      expect(edge.wire.tokenRequests[0]?.form.get('code_verifier')).toMatch(/^[\w-]{43,}$/);
    },
  );

  test('of another sign-in opens no code: the provider is shown the verifier of this one', async () => {
    const [mine, other] = [await edge.begin(), await edge.begin()];
    const code = new URL(edge.wire.callbackFor(other.authorization)).searchParams.get('code') ?? '';
    const callback = new URL(edge.wire.callbackFor(mine.authorization));
    callback.searchParams.set('code', code);
    expectRefused(await edge.finish(mine, callback.href), 'code-refused');
  });
});

describe('case 28: whoever answers as another provider is refused, and its token endpoint sees no code', () => {
  const other = 'https://evil.example';
  const mismatch = 'issuer-mismatch';
  test.each<[string, string, (query: URLSearchParams) => void]>([
    ['no iss, though it is announced', mismatch, (query) => query.delete('iss')],
    ['another iss', mismatch, (query) => query.set('iss', other)],
    ['two of them', 'id-token-claims', (query) => query.append('iss', other)],
    ['an empty one', mismatch, (query) => query.set('iss', '')],
    ['one with a slash', mismatch, (query) => query.set('iss', `${query.get('iss')}/`)],
    ['one in capitals', mismatch, (query) => query.set('iss', edge.wire.issuer.toUpperCase())],
  ])('%s', async (_, reason, callback) => {
    edge.wire.misbehave({ callback });
    expectRefused(await edge.come(), reason);
    expect(edge.wire.tokenRequests).toEqual([]);
  });

  test('a mix-up: the code of one at the callback of the other', async () => {
    const begun = await edge.begin();
    const callback = edge.wire.callbackFor(begun.authorization);
    const mixed = callback.replace('/.signet/callback', '/.signet/callback/partners');
    expectRefused(await edge.finish(begun, mixed), 'state-mismatch');
    expect([edge.wire.tokenRequests, edge.partners.tokenRequests]).toEqual([[], []]);
  });
});

const without = (name: string): Misbehaviour => ({
  claims: (claims) => ({ ...claims, [name]: undefined }),
});
const saying = (changes: object): Misbehaviour => ({
  claims: (claims) => ({ ...claims, ...changes }),
});
const later = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;

describe('case 29: an ID token is refused with', () => {
  test.each<[string, string, () => Misbehaviour]>([
    ['another issuer', 'id-token-issuer', () => saying({ iss: 'https://evil.example' })],
    ['our issuer and more', 'id-token-issuer', () => saying({ iss: `${edge.wire.issuer}/` })],
    ['no issuer', 'id-token-claims', () => without('iss')],
    [
      'the second provider’s issuer',
      'id-token-issuer',
      () => saying({ iss: edge.partners.issuer }),
    ],
    ['another audience', 'id-token-audience', () => saying({ aud: 'other' })],
    ['no audience', 'id-token-audience', () => without('aud')],
    ['an empty list of audiences', 'id-token-audience', () => saying({ aud: [] })],
    ['ours among others', 'id-token-audience', () => saying({ aud: ['signet', 'other'] })],
    ['another azp', 'id-token-audience', () => saying({ aud: ['signet', 'other'], azp: 'other' })],
    ['another nonce', 'id-token-nonce', () => saying({ nonce: 'another' })],
    ['no nonce', 'id-token-nonce', () => without('nonce')],
    ['a signature of nobody', 'id-token-signature', () => ({ foreignKey: true })],
    [
      'a key that is not published',
      'id-token-signature',
      () => ({ foreignKey: true, header: { kid: 'unknown' } }),
    ],
    ['alg none', 'id-token-algorithm', () => ({ algorithm: 'none' })],
    ['our client’s secret as its key', 'id-token-algorithm', () => ({ algorithm: 'HS256' })],
    ['its end in the past', 'id-token-expired', () => saying({ exp: later(-60) })],
    ['no end', 'id-token-claims', () => without('exp')],
    ['its beginning in the future', 'id-token-not-yet-valid', () => saying({ nbf: later(600) })],
    [
      'the future as when it was issued',
      'clock-off',
      () => saying({ iat: later(600), exp: later(900) }),
    ],
    ['no time when it was issued', 'id-token-claims', () => without('iat')],
    ['nobody as its subject', 'id-token-claims', () => without('sub')],
    ['a subject that is no text', 'id-token-claims', () => saying({ sub: { sub: 'sub-1' } })],
  ])('%s', async (_, reason, wrong) => {
    edge.wire.misbehave(wrong());
    expectRefused(await edge.come(), reason);
  });

  test('nothing wrong about it: this one signs in', async () => {
    expect((await edge.come()).status).toBe(302);
  });
});

const MARKUP = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "'-alert(1)-'",
  '</h1><a href="https://evil.example">sign in again</a>',
  '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  '&lt;script&gt;&#60;b&#62;',
  '\u202e<svg/onload=alert(1)>',
  '{{7*7}}${7*7}<%= 7*7 %>',
];
/** The page without what differs from one request to the next. */
const pageOf = ({ body }: Reply) =>
  Buffer.from(body, 'latin1')
    .toString()
    .replaceAll(/[\da-f]{8}-[\da-f-]{27}/g, 'ID');
/** What a browser makes of character references; the page has no others. */
const shown = (html: string) =>
  html.replaceAll(/&(lt|gt|quot|amp|#39);/g, (_, name: string) => CHARACTERS[name] ?? '');
const CHARACTERS: Record<string, string> = { lt: '<', gt: '>', quot: '"', amp: '&', '#39': "'" };

const refusing = (words: string): Misbehaviour => ({
  callback: (query) => {
    query.delete('code');
    query.set('error', 'access_denied');
    query.set('error_description', words);
  },
});
const refusingCode = (words: string): Misbehaviour => ({
  token: (response) =>
    void response
      .writeHead(400, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: 'invalid_grant', error_description: words })),
});

describe.each([
  ['in the callback', refusing],
  ['of the token endpoint', refusingCode],
])('case 30, CVE-2026-33525: a provider’s words %s are text', (_, wrong) => {
  test.each(MARKUP)('%j', async (words) => {
    const comeWith = (said: string) => {
      edge.wire.misbehave(wrong(said));
      return edge.come();
    };
    const reply = await comeWith(words);
    expect(reply.headers.get('content-type')).toMatch(/^text\/html; ?charset=utf-8/i);
    expect(reply.headers.get('content-security-policy')).toContain("default-src 'none'");
    const page = pageOf(reply);
    const elements = (html: string) => html.match(/<[^>]*>/g);
    expect(elements(page)).toEqual(elements(pageOf(await comeWith('plain words'))));
    // What the token endpoint says is for who runs the site: its page has none of it.
    expect(shown(page).includes(words)).toBe(wrong === refusing);
  });
});

test('each of these refusals is in its row and on its span with its reason, and names nobody', async () => {
  await edge.row([...refused.keys()].at(-1) ?? '');
  const rows = new Map(edge.rows().map((row) => [row.requestId, row]));
  const spanOf = (requestId: string) =>
    edge.receiver.spans.find(
      ({ traceId, kind }) => traceId === requestId.replaceAll('-', '') && kind === 'SERVER',
    );
  await until('the spans', () => [...refused.keys()].every(spanOf));
  for (const [requestId, reason] of refused) {
    const row = rows.get(requestId);
    expect(row).toMatchObject({ decision: 'deny', reason, route: 'signet', status: 400 });
    expect(row).not.toHaveProperty('identity');
    expect(spanOf(requestId)?.attributes).toMatchObject({ 'signet.reason': reason });
    expect(spanOf(requestId)?.attributes).not.toHaveProperty(['user.id']);
  }
  expect(refused.size).toBeGreaterThan(40);
  expect(edge.app.seen).toEqual([]);
});
