// No secret is told: not in the log, on its most talkative level, nor by /readyz, /metrics or a page, whatever
// fails, and however much the provider and the destinations quote of what they were sent.
import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SETTINGS, startTelling, toldIn, type Telling } from '../fixtures/told-secrets.ts';

const TOKENS = {
  ...{
    access: 'ACCESSTOKEN-0f1e2d3c',
    refresh: 'REFRESHTOKEN-4b5a6978',
    bearer: 'BEARERTOKEN-aa11',
  },
  ...{ session: 'SESSIONCOOKIE-0123456789abcdef0123456789abcdef', parameter: 'QUERYTOKEN-9988' },
};

let it: Telling;
beforeAll(async () => {
  it = await startTelling();
  for (const token of Object.values(TOKENS)) it.given.add(token);
  await it.isReady(({ provider }) => provider?.ok === true);
});
afterAll(() => it.stop());

// Of what was said since the last time: one that is told is told once.
let heard = 0;
async function told(): Promise<string[]> {
  const [readyz, metrics] = await Promise.all([it.asFound('/readyz'), it.asFound('/metrics')]);
  const log = it.printed();
  const found = toldIn([log.slice(heard), it.answers(), readyz, metrics].join('\n'), it.given);
  heard = log.length;
  return found;
}

const json = (response: ServerResponse, status: number, body: object) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const grant = { access_token: TOKENS.access, refresh_token: TOKENS.refresh, token_type: 'Bearer' };

const quotes = (code: string) =>
  `client_secret ${SETTINGS.client} does not go with code ${code}, ${Buffer.from(`signet:${SETTINGS.client}`).toString('base64')}`;

test.each<[string, (code: string, response: ServerResponse) => void]>([
  [
    'that quotes secret and code in its error',
    (code, response) =>
      json(response, 400, { error: 'invalid_client', error_description: quotes(code) }),
  ],
  [
    'that quotes them with 401 and a challenge',
    (code, response) => {
      response.setHeader('www-authenticate', `Basic realm="${quotes(code)}"`);
      json(response, 401, { error: 'invalid_client', error_description: quotes(code) });
    },
  ],
  [
    'that quotes them and fails',
    (code, response) => void response.writeHead(500).end(quotes(code)),
  ],
  [
    'that quotes them in plain text',
    (code, response) => void response.writeHead(200).end(quotes(code)),
  ],
  [
    'that quotes them in JSON that is none',
    (code, response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end(quotes(code)),
  ],
  [
    'that answers a token and no JSON',
    (_code, response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end(TOKENS.access),
  ],
  [
    'whose tokens have no type',
    (_code, response) => json(response, 200, { ...grant, token_type: undefined }),
  ],
  ['whose tokens come without an ID token', (_code, response) => json(response, 200, grant)],
  [
    'whose ID token is none',
    (_code, response) => json(response, 200, { ...grant, id_token: TOKENS.access }),
  ],
  [
    'whose ID token is a number',
    (_code, response) => json(response, 200, { ...grant, id_token: 7 }),
  ],
  [
    'whose tokens end at no time',
    (_code, response) => json(response, 200, { ...grant, expires_in: TOKENS.access }),
  ],
])('a sign-in at a provider %s is refused, and tells no secret', async (_name, answer) => {
  const refused = await it.signIn((code) =>
    it.provider.misbehave({ token: (response) => answer(code, response) }),
  );
  it.provider.misbehave({});
  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect(await told()).toEqual([]);
});

async function idTokenOf(changes: object): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const { issuer: iss, subject: sub, clientId: aud } = it.provider;
  const claims = { iss, sub, aud, iat: now, exp: now + 300, ...changes };
  const idToken = await it.provider.sign(claims as Parameters<typeof it.provider.sign>[0]);
  it.given.add(idToken);
  return idToken;
}

test.each([
  ['another nonce', { nonce: 'another' }],
  ['no subject', { sub: undefined }],
  ['another audience', { aud: 'another' }],
  ['its end in the past', { exp: 1 }],
])('an ID token with %s tells no token either', async (_name, changes) => {
  const refused = await it.signIn(async (_code, nonce) => {
    const idToken = await idTokenOf({ nonce, ...changes });
    it.provider.misbehave({
      token: (response) => json(response, 200, { ...grant, id_token: idToken }),
    });
  });
  it.provider.misbehave({});
  expect(refused.status).toBe(400);
  expect(await told()).toEqual([]);
});

test.each([
  ['refuses the access token', { userinfoStatus: 401, userinfo: { error: TOKENS.access } }],
  ['speaks of somebody else', { userinfo: { sub: TOKENS.access } }],
  [
    'answers a token and no JSON',
    {
      answerUser: (response: ServerResponse) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).end(TOKENS.access),
    },
  ],
])('a user endpoint that %s tells no token either', async (_name, misbehaviour) => {
  const refused = await it.signIn(() => it.provider.misbehave(misbehaviour));
  it.provider.misbehave({});
  expect(refused.status).toBe(400);
  expect(await told()).toEqual([]);
});

test('an access token that no header can carry is not told by whoever refuses it', async () => {
  const refused = await it.signIn(async (_code, nonce) => {
    const idToken = await idTokenOf({ nonce });
    const tokens = { ...grant, access_token: `${TOKENS.access}\nmore\n`, id_token: idToken };
    it.provider.misbehave({ token: (response) => json(response, 200, tokens) });
  });
  it.provider.misbehave({});
  expect(refused.status).toBe(400);
  expect(await told()).toEqual([]);
});

test('a sign-in that succeeds tells none', async () => {
  const signedIn = await it.signIn(() => undefined);
  expect(signedIn.status).toBe(302);
  expect(await told()).toEqual([]);
});

test('requests with cookies, bearer tokens and secrets in the query tell none', async () => {
  const Authorization = `Bearer ${TOKENS.bearer}`;
  const jwt = await it.provider.sign({ sub: 'a', exp: 1 });
  it.given.add(jwt);
  const statuses = [
    await it.ask('/verify?route=a&require=any', { Authorization }),
    await it.ask('/verify?route=a&require=any', { Authorization: `Bearer ${jwt}` }),
    await it.ask('/verify?route=a&require=any', { cookie: `__Host-signet=${TOKENS.session}` }),
    await it.ask('/verify?route=a&require=nonsense', {
      'x-forwarded-uri': `/?access_token=${TOKENS.parameter}`,
    }),
    await it.ask('/verify?route=a&require=any', { 'signet-key': TOKENS.bearer }),
    await it.ask(`/.signet/callback?code=${TOKENS.parameter}&state=${TOKENS.session}`),
    await it.ask('/.signet/me', { Authorization }),
  ].map(({ status }) => status);
  expect(statuses.every((status) => status >= 300)).toBe(true);
  expect(await told()).toEqual([]);
});

test('a destination that quotes its token, and a proxy that is not there, tell none', async () => {
  await it.isReady(
    (checks) =>
      checks['destination quoting/logs']?.ok === false &&
      checks['destination proxied/logs']?.ok === false,
  );
  expect(await told()).toEqual([]);
});

test('a changed configuration that is refused tells none of what was typed in the wrong place', async () => {
  const typed = 'TYPED-IN-THE-WRONG-PLACE-6a7b';
  it.given.add(typed);
  writeFileSync(it.settings, `${it.yaml}client_secret: ${typed}\nsession: ${typed}\n`);
  await it.isReady(({ configuration }) => configuration?.ok === false);
  expect(await told()).toEqual([]);
  writeFileSync(it.settings, it.yaml);
  await it.isReady(({ configuration }) => configuration?.ok === true);
});

test('a database that can not be reached tells no password', async () => {
  await it.restartWithDatabase();
  await it.isReady(({ recorder }) => recorder?.ok === false && recorder.problem !== undefined);
  expect(await told()).toEqual([]);
});

test('what was looked through is there: the log, and secrets that would be found in it', () => {
  expect(it.printed()).toContain('a sign-in was refused');
  expect(it.given.size).toBeGreaterThan(20);
  expect(toldIn(`${it.printed()} ${SETTINGS.client}`, it.given)).toEqual([SETTINGS.client]);
});
