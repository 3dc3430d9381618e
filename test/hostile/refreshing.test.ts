// Cases 20 and 21 of the hostile list, through a real Caddy: sessions whose person is re-checked all the time, by
// refresh tokens that are good once, at a provider that takes its time. Nobody is logged out, nobody is another.
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Reply } from '../fixtures/edge.ts';
import { startMisledEdge, type MisledEdge } from '../fixtures/misled-edge.ts';
import { createRandom, testSeeds } from '../fixtures/random.ts';
import { until } from '../fixtures/until.ts';

const RECHECK_MS = 1_000;
const ENDPOINT_MS = 5_000;
const BROWSERS = 120;
const REFRESHES = 1_000;

const [seed = 0] = testSeeds(1);
const random = createRandom(seed);
let edge: MisledEdge;

/** Whose a code, an access token or a refresh token is. */
const whose = new Map<string, string>();
/** Of each refresh: whose it was; undefined where the token was spent before. */
const refreshed: (string | undefined)[] = [];
let latencyMs = () => 0;

beforeAll(async () => {
  edge = await startMisledEdge({ settings: `session: { recheck: ${RECHECK_MS}ms }\n` });
  edge.wire.misbehave({
    token: (response, form) => void answerToken(response, form),
    answerUser: (response) => answerUser(response),
  });
});
afterAll(async () => edge.stop());

async function answerToken(response: ServerResponse, form: URLSearchParams): Promise<void> {
  const isRefresh = form.get('grant_type') === 'refresh_token';
  const spent = form.get(isRefresh ? 'refresh_token' : 'code') ?? '';
  const [user, nonce] = (whose.get(spent) ?? '').split(' ');
  whose.delete(spent);
  if (isRefresh) refreshed.push(user === '' ? undefined : user);
  await wait(latencyMs());
  if (!user) return json(response, 400, { error: 'invalid_grant' });
  const [access_token, refresh_token] = [`a ${user}`, randomBytes(16).toString('hex')];
  whose.set(refresh_token, user);
  const now = Math.floor(Date.now() / 1_000);
  const who = {
    iss: edge.wire.issuer,
    aud: edge.wire.clientId,
    sub: user,
    iat: now,
    exp: now + 300,
  };
  const claims = { ...who, preferred_username: user, team: `team of ${user}` };
  const id_token = await edge.wire.sign({ ...claims, ...(nonce && { nonce }) });
  json(response, 200, {
    ...{ token_type: 'Bearer', access_token: Buffer.from(access_token).toString('base64url') },
    ...{ refresh_token, id_token },
  });
}

function answerUser(response: ServerResponse): void {
  const shown = response.req.headers.authorization?.slice('Bearer '.length) ?? '';
  const [, user] = Buffer.from(shown, 'base64url').toString().split(' ');
  json(response, 200, { sub: user, preferred_username: user });
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Signs somebody in, in a browser of their own; returns the Cookie header line. */
async function enterAs(user: string): Promise<string> {
  const begun = await edge.begin();
  const callback = edge.wire.callbackFor(begun.authorization);
  const nonce = new URL(begun.authorization).searchParams.get('nonce') ?? '';
  whose.set(new URL(callback).searchParams.get('code') ?? '', `${user} ${nonce}`);
  const done = await edge.finish(begun, callback);
  const cookie = /__Host-signet=[^;]+/.exec(done.headers.get('set-cookie') ?? '')?.[0];
  if (cookie === undefined) throw new Error(`${user} was not signed in: ${done.status}`);
  return `Cookie: ${cookie}`;
}

/** Whom the app, which answers with what it was sent, took a request for. */
function takenFor({ status, body }: Reply): string {
  if (status !== 200) return `status ${status}`;
  const { rawHeaders } = JSON.parse(/\{.*\}/s.exec(body)?.[0] ?? '{}') as { rawHeaders?: string[] };
  const valueOf = (name: string) => rawHeaders?.[rawHeaders.indexOf(name) + 1];
  return `${valueOf('Remote-User')} of ${valueOf('Remote-Team')}`;
}
const right = (user: string) => `${user} of team of ${user}`;

test('case 20, oauth2-proxy #1992: fifty requests at once when a refresh is due, and a token endpoint that takes five seconds: one refresh, and nobody is logged out', async () => {
  const cookie = await enterAs('alice');
  const enteredAtMs = performance.now();
  await until('a refresh is due', () => performance.now() - enteredAtMs > RECHECK_MS);
  latencyMs = () => ENDPOINT_MS;
  const replies = await Promise.all(
    Array.from({ length: 50 }, () => edge.send('/orders', [cookie])),
  );
  expect(replies.map(takenFor)).toEqual(replies.map(() => right('alice')));
  expect(refreshed).toEqual(['alice']);
  await until('the refresh', () => whose.size === 1);
  latencyMs = () => 0;
  expect(takenFor(await edge.send('/orders', [cookie]))).toBe(right('alice'));
  expect(refreshed).not.toContain(undefined);
});

test('case 21, CVE-2026-33544, CVE-2026-71326: two people whose sessions are refreshed at once a thousand times, with delays by chance: never the other’s identity', async () => {
  refreshed.length = 0;
  latencyMs = () => random.below(30);
  const users = Array.from({ length: BROWSERS }, (_, n) => (n % 2 === 0 ? 'alice' : 'bob'));
  // One after the other: of one address only so many may sign in at once (identity/exchanges.ts).
  const browsers: { user: string; cookie: string }[] = [];
  for (const user of users) browsers.push({ user, cookie: await enterAs(user) });
  const sent: { user: string; requestId: string }[] = [];
  const wrong: { browser: number; taken: string; requestId: string }[] = [];
  const walk = async () => {
    while (refreshed.length < REFRESHES) {
      const browser = random.below(BROWSERS);
      const { user, cookie } = browsers[browser] ?? { user: '', cookie: '' };
      const reply = await edge.send('/orders', [cookie]);
      const [taken, { requestId }] = [takenFor(reply), reply];
      if (taken !== right(user)) wrong.push({ browser, taken, requestId });
      sent.push({ user, requestId });
    }
  };
  await Promise.all(Array.from({ length: 16 }, walk));
  await until('all rows', () => edge.rows().length >= sent.length);
  const reasons = new Map(edge.rows().map(({ requestId, reason }) => [requestId, reason]));
  const told = wrong.map((each) => ({ ...each, reason: reasons.get(each.requestId), seed }));
  expect({ of: sent.length, told }).toEqual({ of: sent.length, told: [] });
  expect(refreshed).not.toContain(undefined);
  expect(new Set(refreshed)).toEqual(new Set(['alice', 'bob']));
  await edge.row(sent.at(-1)?.requestId ?? '');
  const rows = new Map(edge.rows().map((row) => [row.requestId, row.identity?.user]));
  expect(sent.filter(({ user, requestId }) => rows.get(requestId) !== user)).toEqual([]);
});
