// Case 23 of the hostile list: the key ring changes while people work. During the overlap nobody is logged out;
// what only a key that was taken out had sealed is dead: sessions, sign-ins under way, stamps.
import { randomBytes, randomUUID } from 'node:crypto';
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deriveKeys, loadKeyRing, type Keys } from '../../sidecar/config/keys.ts';
import { openPayload } from '../../sidecar/sessions/text.ts';
import { openStamp, sealStamp } from '../../sidecar/stamp.ts';
import { runSignet } from '../fixtures/cli.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { BLOCKS, fatesOf, namedOf, rowsOf } from '../fixtures/hostile.ts';
import { readiness } from '../fixtures/sidecar.ts';
import { stamp } from '../fixtures/stamps.ts';
import { startSteadyLoad, type SteadyLoad } from '../fixtures/steady-load.ts';
import { until } from '../fixtures/until.ts';

const REQUESTS_PER_SECOND = 100;

let edge: Edge;
let load: SteadyLoad;
let cookies: Record<'alice' | 'bob' | 'carol', string>;
let oldKeys: Keys;
let oldId: string;
/** A sign-in that was begun before. */
let begun: { back: string; cookie: string };

type KeysCheck = { readonly seals: string; readonly count: number };
const ringInUse = async () =>
  (await readiness(edge.healthPort, edge.sidecar())).checks['keys'] as unknown as KeysCheck;

async function keys(...args: string[]): Promise<void> {
  const { issuer, clientId, clientSecret } = edge.provider;
  const { code, out, err } = await runSignet(['keys', ...args], {
    ...{ SIGNET_STATE: edge.folder, SIGNET_ISSUER: issuer, SIGNET_DESTINATION: 'none' },
    ...{ SIGNET_CLIENT_ID: clientId, SIGNET_CLIENT_SECRET: clientSecret },
  });
  expect({ code, out, err: code === 0 ? '' : err }).toEqual({ code: 0, out, err: '' });
}

/** Begins a sign-in, and stops before its browser comes back. */
async function beginSignIn(): Promise<typeof begun> {
  const { headers } = await edge.send('/.signet/login', ['Sec-Fetch-Mode: navigate']);
  const there = headers.get('location') ?? '';
  const back = new URL(await edge.provider.signIn(new Map(), there, 'carol'));
  const cookie = `Cookie: ${(headers.get('set-cookie') ?? '').split(';')[0]}`;
  return { back: `${back.pathname}${back.search}`, cookie };
}

/** How many sessions the ring's first key opens. */
function sealedByFirst(): number {
  const [first] = deriveKeys(loadKeyRing({ stateFolder: edge.folder }), 'session');
  const database = new DatabaseSync(join(edge.folder, 'sessions.db'), { readOnly: true });
  const rows = database.prepare('SELECT key, payload FROM session_texts').all();
  database.close();
  return rows.filter(({ key, payload }) => openPayload(String(key), String(payload), [first]))
    .length;
}

const statusOf = async (cookie: string) => (await edge.send('/orders', [cookie])).status;

beforeAll(async () => {
  edge = await startEdge(BLOCKS);
  cookies = {
    alice: await edge.signIn('alice'),
    bob: await edge.signIn('bob'),
    carol: await edge.signIn('carol'),
  };
  oldKeys = deriveKeys(loadKeyRing({ stateFolder: edge.folder }), 'stamp');
  oldId = (await ringInUse()).seals;
  begun = await beginSignIn();
  const headers = { Cookie: cookies.alice.slice('Cookie: '.length) };
  load = startSteadyLoad(edge.port, { path: '/orders', headers }, REQUESTS_PER_SECOND);
  await until('the load', () => load.timed.length > REQUESTS_PER_SECOND / 2);
});
afterAll(async () => {
  await load?.stop();
  await edge?.stop();
});

const refused = () => load.timed.filter(({ status }) => status !== 200);

test('case 23: while both keys are in the ring nobody is logged out, and a sign-in under way ends well', async () => {
  await keys('rotate');
  await until('another key to seal', async () => (await ringInUse()).seals !== oldId);
  expect((await ringInUse()).count).toBe(2);
  const answered = load.timed.length;
  await until('more answers', () => load.timed.length > answered + REQUESTS_PER_SECOND / 2);
  expect(await statusOf(cookies.bob)).toBe(200);
  const { status } = await edge.send(begun.back, [begun.cookie]);
  expect(status).toBe(302);
  expect(refused()).toEqual([]);
});

test('case 23: a key that is taken out is dead at once: the session that only it sealed, a sign-in under way, a stamp', async () => {
  const before = (await ringInUse()).seals;
  begun = await beginSignIn();
  await keys('rotate');
  await until('a third key to seal', async () => (await ringInUse()).seals !== before);
  // Used since, alice's and bob's are sealed anew; carol was not there since the first key.
  expect(await statusOf(cookies.bob)).toBe(200);
  await until('two sessions sealed anew', () => sealedByFirst() === 2);
  const ids = [oldId, before];
  for (const id of ids) await keys('remove', id, '--end-sessions');
  await until('one key alone', async () => (await ringInUse()).count === 1);

  const [hers] = await fatesOf(edge, [{ target: '/orders', lines: [cookies.carol] }]);
  expect([hers?.reply.status, hers?.seen.length, namedOf(hers!)]).toEqual([401, 0, [undefined]]);
  expect((await edge.send(begun.back, [begun.cookie])).status).toBe(400);
  expect(await statusOf(cookies.bob)).toBe(200);

  const like = JSON.parse(edge.logLines().findLast((line) => line.includes('"stamp"')) ?? '') as {};
  const id = randomUUID();
  const sealed = sealStamp(stamp({ requestId: id }), oldKeys[0]);
  appendFileSync(edge.accessLog, `${JSON.stringify({ ...like, uuid: id, stamp: sealed })}\n`);
  const row = (await rowsOf(edge, [id])).get(id);
  expect(row).toMatchObject({ decision: 'none', reason: 'stamp-invalid' });
  expect(row).not.toHaveProperty('identity');
});

test('case 23: through all of it the load was served, by one name, and every other stamp was believed', async () => {
  await load.stop();
  expect(load.timed.length).toBeGreaterThan(REQUESTS_PER_SECOND);
  expect(refused()).toEqual([]);
  const ofLoad = () => edge.rows().filter(({ identity }) => identity?.user === 'alice');
  await until('all rows', () => ofLoad().length >= load.timed.length);
  const invalid = edge.rows().filter(({ reason }) => reason === 'stamp-invalid');
  expect(invalid).toHaveLength(1);
});

/** Asks with a session, again and again, until it is refused: the requests, each with what it was answered. */
async function askUntilRefused(cookie: string): Promise<{ id: string; status: number }[]> {
  const asked: { id: string; status: number }[] = [];
  for (let status = 200; status === 200;) {
    const reply = await edge.send('/orders', [cookie]);
    status = reply.status;
    asked.push({ id: reply.requestId, status });
  }
  return asked;
}

/** Keeps every session sealed as it is: what would be sealed anew can't be written. */
function holdSeals(): void {
  const database = new DatabaseSync(join(edge.folder, 'sessions.db'));
  database.exec(`CREATE TRIGGER held BEFORE UPDATE OF payload ON session_texts
    BEGIN SELECT RAISE(ABORT, 'held'); END`);
  database.close();
}

/** Puts another key in front of the ring's first, and takes all the others out, at once. */
function replaceAllButFirst(): void {
  const path = join(edge.folder, 'keys');
  const [first] = readFileSync(path, 'utf8').match(/^[\w+/-]+=*/m) ?? [];
  writeFileSync(`${path}.new`, `${randomBytes(32).toString('base64')}\n${first}\n`, {
    mode: 0o600,
  });
  renameSync(`${path}.new`, path);
}

// A session is read once a second, and what was read answers meanwhile. The stamp says by which ring a request was
// answered, so that no moment has to be caught. Whoever signs in after another is read at another time of the second.
test('case 23: once a key is out, no answer is by a session that only it had sealed, though it was read a moment before', async () => {
  const cookies: string[] = [];
  for (const person of ['alice', 'bob', 'carol', 'dave']) cookies.push(await edge.signIn(person));
  const before = (await ringInUse()).seals;
  holdSeals();
  await keys('rotate');
  await until('another key to seal', async () => (await ringInUse()).seals !== before);
  const asking = cookies.map(askUntilRefused);
  replaceAllButFirst();
  const asked = (await Promise.all(asking)).flat();

  const [key] = deriveKeys(loadKeyRing({ stateFolder: edge.folder }), 'stamp');
  const sealed = new Map<string, string>();
  const areLogged = () => {
    for (const line of edge.logLines()) {
      const { uuid, stamp: text } = JSON.parse(line) as { uuid: string; stamp?: string };
      sealed.set(uuid, text ?? '');
    }
    return asked.every(({ id }) => sealed.has(id));
  };
  await until('all lines', areLogged);
  const after = asked.filter(({ id }) => openStamp(sealed.get(id) ?? '', [key], id) !== undefined);
  expect(after.map(({ status }) => status)).toEqual(cookies.map(() => 401));
  expect(asked.length).toBeGreaterThan(10 * cookies.length);
});
