// What follows from a site's answers: TLS, clock, the gate, the way to the provider, headers that came back.
import { describe, expect, test } from '@jest/globals';
import type { Reply, Tls } from '../../sidecar/doctor/ask.ts';
import { judgeServer } from '../../sidecar/doctor/caddy.ts';
import {
  isHttpsPort,
  judgePlain,
  judgeRedirected,
  judgeTls,
  secureTarget,
} from '../../sidecar/doctor/certificate.ts';
import { judgeClock, skewMs } from '../../sidecar/doctor/clock.ts';
import { judgeOddRequests, judgeOddTarget } from '../../sidecar/doctor/odd-target.ts';
import { judgeSignIn } from '../../sidecar/doctor/sign-in.ts';
import { isWithoutGate, judgeSidecar, judgeSignedOut } from '../../sidecar/doctor/signed-out.ts';
import { judgeSpoofed, spoofOf } from '../../sidecar/doctor/spoofed.ts';

const ID = '4d032074-7bbc-4e5d-964f-a0f15a34b6f6';
const TIMING = 'trace;desc="00-4d0320747bbc4e5d964fa0f15a34b6f6-4d0320747bbc4e5d-01"';
const SITE = new URL('https://app.example.com/orders');

function aReply(status: number, headers: Record<string, string> = {}, body = ''): Reply {
  const entries = Object.entries(headers);
  return {
    status,
    headers: Object.fromEntries(entries.map(([name, value]) => [name, [value]])),
    head: entries.map(([name, value]) => `${name}: ${value}\n`).join(''),
    body,
    isCut: false,
    sentAtMs: 0,
    answeredAtMs: 0,
  };
}

const decided = (status: number, headers: Record<string, string> = {}) =>
  aReply(status, { 'x-request-id': ID, 'server-timing': TIMING, ...headers });
const undecided = (status: number, headers: Record<string, string> = {}) =>
  aReply(status, { 'x-request-id': ID, ...headers });

describe('the answer to somebody who has not signed in', () => {
  test.each([
    ['well', 'sent to sign in', decided(302, { location: '/.signet/login?return=%2F' })],
    [
      'well',
      'sent to sign in',
      decided(302, { location: 'https://app.example.com/.signet/login?return=x' }),
    ],
    [
      'wrong',
      'sent to sign in elsewhere',
      decided(302, { location: 'https://evil.example/.signet/login?return=x' }),
    ],
    [
      'wrong',
      '302 to http://app.example.com/.signet/login',
      decided(302, { location: 'http://app.example.com/.signet/login?return=x' }),
    ],
    ['well', 'refused', decided(401)],
    ['warning', '`public`', decided(200)],
    ['warning', '302 to https://app.example.com/welcome', decided(302, { location: '/welcome' })],
    ['warning', 'refused without being asked', decided(403)],
    ['wrong', 'cannot check', decided(503)],
    ['wrong', 'no answer of the gate', undecided(502)],
    ['wrong', 'no answer of the gate', undecided(504)],
    ['wrong', 'open to everybody', undecided(200)],
    ['wrong', 'open to everybody', undecided(500)],
    ['warning', 'by Caddy', undecided(404)],
    [
      'warning',
      '308 to https://www.example.com/',
      undecided(308, { location: 'https://www.example.com/?a=secret' }),
    ],
    ['wrong', 'without one X-Request-Id', aReply(200)],
    ['wrong', 'without one X-Request-Id', aReply(302, { 'x-request-id': 'of-the-app' })],
  ])('is %s: %s', (verdict, seen, reply) => {
    const line = judgeSignedOut(SITE, reply);
    expect(line).toMatchObject({ verdict, seen: expect.stringContaining(seen) });
    expect(line.seen).not.toContain('secret');
  });

  test.each([
    [true, undecided(502)],
    [true, undecided(504)],
    [false, undecided(500)],
    [false, decided(502)],
    [false, aReply(502)],
  ])('says %s that Caddy had no answer of the gate', (isWithout, reply) => {
    expect(isWithoutGate(reply)).toBe(isWithout);
  });

  test('a trace of the app’s own is no mark of the gate', () => {
    const other = TIMING.replaceAll('4d03', 'ffff');
    expect(judgeSignedOut(SITE, undecided(200, { 'server-timing': other })).verdict).toBe('wrong');
  });
});

test('a page of Signet’s own says nothing of the blocks, and another is asked for', () => {
  for (const path of ['me', 'login', '']) {
    const line = judgeSignedOut(new URL(`https://app.example.com/.signet/${path}`), decided(401));
    expect(line).toMatchObject({
      verdict: 'warning',
      seen: expect.stringContaining('a page of Signet’s own'),
      mend: expect.stringContaining('a URL that a protected block answers'),
    });
  }
});

describe('requests that only a newer snippet refuses', () => {
  test.each([
    ['well', 'refused', undecided(405), undecided(400)],
    ['wrong', 'CONNECT is answered 502', undecided(502), undecided(400)],
    ['wrong', 'CONNECT is answered 200', decided(200), undecided(404)],
    ['warning', 'is answered 404', undecided(405), undecided(404)],
    ['warning', 'is answered 200', undecided(405), decided(200)],
    // Something in front of Caddy refuses it.
    ['well', 'refused', aReply(403), aReply(400)],
    ['well', 'refused', { problem: 'it hung up' }, undecided(400)],
    ['wrong', 'CONNECT is answered 200', aReply(200), undecided(400)],
  ])('are %s: %s', (verdict, seen, connect, dots) => {
    expect(judgeOddRequests(connect, dots)).toMatchObject({
      verdict,
      seen: expect.stringContaining(seen),
      ...(verdict !== 'well' && { mend: expect.stringContaining('`signet snippet`') }),
    });
  });

  test('are not looked at when there is no time left', () => {
    const unasked = { problem: 'no time', isUnasked: true } as const;
    expect(judgeOddRequests(unasked, unasked).verdict).toBe('not-looked-at');
    expect(judgeOddRequests(undecided(405), unasked).verdict).toBe('not-looked-at');
  });
});

describe('a site that leads on to https', () => {
  const asked = new URL('http://app.example.com/orders?a=secret');
  const to = (location: string, headers = {}) => aReply(308, { location, ...headers });

  test('is one wrong line, which says where to look', () => {
    const target = secureTarget(asked, to('https://app.example.com/orders?a=secret'));
    expect(judgeRedirected(asked, target!)).toEqual({
      name: 'site',
      verdict: 'wrong',
      seen: 'app.example.com redirects to https://app.example.com/orders: nothing else of the site was looked at',
      mend: 'look at that: signet doctor https://app.example.com/orders',
    });
  });

  test.each([
    ['to plain http', asked, to('http://app.example.com/x')],
    ['by Signet’s own site', asked, to('https://app.example.com/x', { 'x-request-id': ID })],
    ['that is asked by https', SITE, to('https://www.example.com/x')],
    ['that answers', asked, aReply(200)],
  ])('is none %s', (_which, url, reply) => {
    expect(secureTarget(url, reply)).toBeUndefined();
  });
});

describe('the answer of /.signet/me', () => {
  const CHALLENGE = { 'www-authenticate': 'Bearer realm="signet"' };
  test.each([
    ['well', decided(401, CHALLENGE)],
    ['wrong', undecided(401, CHALLENGE)],
    ['wrong', undecided(401, { 'www-authenticate': 'Basic realm="app"' })],
    ['wrong', decided(200)],
    ['wrong', decided(400)],
    ['wrong', undecided(502)],
    ['wrong', aReply(404)],
  ])('is %s', (verdict, reply) => {
    expect(judgeSidecar(reply).verdict).toBe(verdict);
  });
});

describe('the way to the provider', () => {
  const RIGHT = {
    response_type: 'code',
    client_id: 'signet',
    code_challenge_method: 'S256',
    code_challenge: 'x'.repeat(43),
    state: 'state-of-one-browser',
    nonce: 'nonce-of-one-browser',
    redirect_uri: 'https://app.example.com/.signet/callback',
  };
  const EXPECTED = { clientId: 'signet', endpoint: 'https://login.example.com/auth' };
  const judged = (
    changes: Partial<Record<keyof typeof RIGHT, string>> = {},
    at = 'https://login.example.com/auth',
    site = SITE,
  ) => {
    const query = new URLSearchParams({ ...RIGHT, ...changes }).toString();
    return judgeSignIn('sign-in', site, decided(302, { location: `${at}?${query}` }), EXPECTED);
  };

  test('as it should be is well, and its state and nonce are not told', () => {
    expect(judged()).toMatchObject({ verdict: 'well' });
    expect(judged().seen).not.toContain('of-one-browser');
  });

  test.each([
    [{ code_challenge_method: 'plain' }, 'lacks code_challenge_method=S256'],
    [{ code_challenge: 'short' }, 'lacks code_challenge'],
    [{ state: '' }, 'lacks state'],
    [{ nonce: '' }, 'lacks nonce'],
    [{ response_type: 'token' }, 'lacks response_type=code'],
    [{ client_id: 'other' }, 'asked for the client other'],
    [{ redirect_uri: 'http://app.example.com/.signet/callback' }, 'not https'],
    [{ redirect_uri: 'https://evil.example.com/.signet/callback' }, 'not at app.example.com'],
    [{ redirect_uri: 'https://app.example.com/elsewhere' }, 'not at app.example.com'],
    [{ redirect_uri: '\u001b[2J' }, '\\x1b[2J'],
  ])('%j is wrong', (changes, seen) => {
    expect(judged(changes)).toMatchObject({
      verdict: 'wrong',
      seen: expect.stringContaining(seen),
    });
  });

  test('another endpoint than the provider names is wrong', () => {
    expect(judged({}, 'https://evil.example.com/auth').seen).toContain(
      'the provider names https://login.example.com/auth',
    );
  });

  test('an endpoint without TLS is wrong', () => {
    expect(judged({}, 'http://login.example.com/auth').verdict).toBe('wrong');
  });

  test('a sidecar that does not answer, or can ask no provider, is wrong', () => {
    expect(judgeSignIn('sign-in', SITE, undecided(502)).seen).toContain('Caddy has no answer');
    expect(judgeSignIn('sign-in', SITE, decided(503)).seen).toContain('can sign nobody in');
  });

  test('one host that signs in for all is named, and not followed', () => {
    const reply = decided(302, { location: 'https://sso.example.com/.signet/hand-over?state=s' });
    expect(judgeSignIn('sign-in', SITE, reply)).toEqual({
      name: 'sign-in',
      verdict: 'not-looked-at',
      seen: expect.stringContaining('signet doctor https://sso.example.com/'),
    });
  });

  test('a sign-in that leads to itself is wrong', () => {
    const reply = decided(302, { location: '/.signet/login?return=%2F' });
    expect(judgeSignIn('sign-in', SITE, reply).verdict).toBe('wrong');
  });

  test('a page in its place is wrong where the provider is known, and a choice where not', () => {
    expect(judgeSignIn('sign-in', SITE, decided(200), EXPECTED).verdict).toBe('wrong');
    expect(judgeSignIn('sign-in', SITE, decided(200)).verdict).toBe('not-looked-at');
  });
});

describe('headers that a client made up', () => {
  const spoof = spoofOf('0123456789abcdef0123456789abcdef');
  const me = decided(401, { 'www-authenticate': 'Bearer realm="signet"' });
  const judged = (page: Reply, whoAmI = me) => judgeSpoofed(spoof, page, whoAmI, false);
  const judgedOpen = (page: Reply) => judgeSpoofed(spoof, page, me, true);

  test('none that comes back is well', () => {
    expect(judged(decided(302, { location: '/.signet/login?return=%2F' })).verdict).toBe('well');
  });

  test.each(Object.entries(spoof.headers))(
    '%s that comes back in a body is wrong, and named',
    (name, value) => {
      expect(judged(undecided(200))).toMatchObject({ verdict: 'well' });
      const line = judged(aReply(200, {}, `{"got":"${value}"}`));
      expect(line.verdict).toBe('wrong');
      expect(line.seen.startsWith(`${name} came back`)).toBe(true);
    },
  );

  test.each([
    ['well', 'Baggage'],
    ['well', 'Traceparent'],
    ['wrong', 'Remote-User'],
    ['wrong', 'X-Forwarded-Uri'],
  ])('is %s where an open block says back %s', (verdict, name) => {
    expect(judgedOpen(undecided(200, { echo: spoof.headers[name] ?? '' })).verdict).toBe(verdict);
  });

  test('an app of an open block may go on with the client’s trace', () => {
    const timing = `trace;desc="00-${spoof.traceId}-4d0320747bbc4e5d-01"`;
    expect(judgedOpen(undecided(200, { 'server-timing': timing })).verdict).toBe('well');
  });

  test('one that comes back in a header is wrong', () => {
    const location = `/.signet/login?return=${encodeURIComponent(spoof.headers['X-Forwarded-Uri'] ?? '')}`;
    expect(judged(decided(302, { location })).seen).toMatch(/^X-Forwarded-Uri came back/);
  });

  test.each([
    ['a page without Signet’s id', aReply(200), me],
    ['a /.signet/me that is not the sidecar’s', decided(401), undecided(302)],
    ['answers of anybody’s', decided(302, { location: '/' }), decided(302, { location: '/' })],
    ['two empty answers', aReply(404), aReply(404)],
  ])('none of which is in %s tells nothing', (_, page, whoAmI) => {
    expect(judged(page, whoAmI).verdict).toBe('not-looked-at');
  });

  test('/.signet/me that knows somebody is wrong', () => {
    expect(judged(decided(401), decided(200)).verdict).toBe('wrong');
  });

  test('a trace that goes on is a warning', () => {
    const timing = `trace;desc="00-${spoof.traceId}-4d0320747bbc4e5d-01"`;
    expect(judged(decided(401, { 'server-timing': timing }))).toMatchObject({
      verdict: 'warning',
      mend: expect.stringContaining('trust: always'),
    });
  });
});

describe('the clock', () => {
  const AT = Date.parse('2026-11-20T10:00:00Z');
  const timed = (date: string | undefined, age?: string) => ({
    ...{ sentAtMs: AT, answeredAtMs: AT + 400, date, age },
  });
  const DATES = { same: 'Fri, 20 Nov 2026 10:00:00 GMT', second: 'Fri, 20 Nov 2026 09:59:59 GMT' };

  test('is right within the second that Date leaves open', () => {
    expect(skewMs(timed(DATES.same))).toBe(0);
    expect(skewMs(timed(DATES.second))).toBe(-1);
  });

  test.each([
    ['Fri, 20 Nov 2026 10:00:05 GMT', 'well'],
    ['Fri, 20 Nov 2026 10:00:06 GMT', 'warning'],
    ['Fri, 20 Nov 2026 10:00:31 GMT', 'wrong'],
    ['Fri, 20 Nov 2026 09:59:55 GMT', 'well'],
    ['Fri, 20 Nov 2026 09:59:54 GMT', 'warning'],
    ['Fri, 20 Nov 2026 09:59:28 GMT', 'wrong'],
    ['2026-11-20', 'not-looked-at'],
    [undefined, 'not-looked-at'],
  ])('of %s is %s', (date, verdict) => {
    expect(judgeClock('clock', 'Its clock', timed(date)).verdict).toBe(verdict);
  });

  test('of an answer out of a cache counts its age', () => {
    expect(skewMs(timed('Fri, 20 Nov 2026 09:50:00 GMT', '600'))).toBe(0);
  });
});

describe('the certificate', () => {
  const NOW = Date.parse('2026-11-20T10:00:00Z');
  const days = (count: number) => NOW + count * 86_400_000;
  const aTls = (changes: Partial<Tls> = {}): Tls => ({
    ...{ protocol: 'TLSv1.3', issuer: 'CN=An Authority' },
    ...{ validFromMs: days(-60), validToMs: days(30) },
    ...changes,
  });

  test.each([
    ['well', {}],
    ['well', { validToMs: days(14) + 1 }],
    ['warning', { validToMs: days(13) }],
    ['well', { validFromMs: days(-3), validToMs: days(3) }],
    ['warning', { validFromMs: days(-5), validToMs: days(1) }],
    ['wrong', { problem: 'CERT_HAS_EXPIRED' }],
    ['wrong', { problem: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
    ['wrong', { problem: 'SELF_SIGNED_CERT_IN_CHAIN' }],
  ])('is %s for %j', (verdict, changes) => {
    expect(judgeTls(SITE, aTls(changes), NOW).verdict).toBe(verdict);
  });

  test('is there for https only where Go’s own words answer plain http', () => {
    const words = 'Client sent an HTTP request to an HTTPS server.\n';
    expect(isHttpsPort(aReply(400, {}, words))).toBe(true);
    expect(isHttpsPort(aReply(200, {}, words))).toBe(false);
    expect(isHttpsPort(aReply(400, {}, 'Bad Request'))).toBe(false);
  });

  test('is missing for plain http, which is wrong but for this machine', () => {
    expect(judgePlain(new URL('http://app.example.com/')).verdict).toBe('wrong');
    expect(judgePlain(new URL('http://localhost:8080/')).verdict).toBe('warning');
  });
});

test('what does not name itself Caddy is a warning, in letters that a terminal only shows', () => {
  expect(judgeServer(aReply(200, { server: 'Caddy' })).verdict).toBe('well');
  expect(judgeServer(aReply(200, { server: 'app', via: '1.1 Caddy' })).verdict).toBe('well');
  const strange = judgeServer(aReply(200, { server: '\u001b[31mx' }));
  expect(strange).toMatchObject({
    verdict: 'warning',
    seen: expect.stringContaining('\\x1b[31mx'),
  });
});

test.each([
  ['well', 400],
  ['wrong', 200],
  ['wrong', 204],
  ['warning', 404],
  ['warning', 502],
])('a target without a path: %s when it is answered %i', (verdict, status) => {
  expect(judgeOddTarget(aReply(status))).toMatchObject({
    verdict,
    seen: expect.stringContaining(String(status)),
  });
});
