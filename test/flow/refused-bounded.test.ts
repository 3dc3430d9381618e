// What strangers have refused as often as they like is a few lines of the log, and each of it a stamp for its row.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pino from 'pino';
import request from 'supertest';
import { TOLD_ONE_BY_ONE, WINDOW_MS } from '../../sidecar/bounded-telling.ts';
import { createClock } from '../../sidecar/clock.ts';
import type { KeyRing } from '../../sidecar/config/keys.ts';
import { createFronts, type Front, type Fronts } from '../../sidecar/front.ts';
import { createNumbers } from '../../sidecar/numbers.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import { configOf, yaml } from '../fixtures/config-sources.ts';
import { fromCaddy } from '../fixtures/gate.ts';
import { freshKey } from '../fixtures/sessions.ts';

type Line = { msg: string; level: number; [field: string]: unknown };

const ring: KeyRing = { keys: [freshKey()] };
const MORE = 5;

let folder: string;
let store: SessionStore;
let fronts: Fronts;
let front: Front;
let server: Server;
let lines: Line[];
let endWindow: () => void;
let note: () => void;

beforeEach(() => {
  [folder, lines] = [mkdtempSync(join(tmpdir(), 'signet-refused-')), []];
  note = () => undefined;
  const write = (text: string) => void lines.push(JSON.parse(text) as Line);
  store = createSqliteSessions({ path: join(folder, 'sessions.db'), now: Date.now });
  fronts = createFronts({
    ...{ store, log: pino({}, { write }), clock: createClock(), bootId: 'boot-1' },
    numbered: createNumbers(),
    journal: { note: () => note() },
    used: {
      states: new Map(),
      handOvers: new Map(),
      logoutTokens: new Map(),
      endedNames: new Map(),
      unremoved: new Map(),
    },
    within: (_requestId, act) => act(),
    onEnded: () => undefined,
    later: (ms, act) => {
      expect(ms).toBe(WINDOW_MS);
      endWindow = act;
    },
  });
  take('1h');
  server = createServer((req, res) => front.surface(req, res));
});
afterEach(async () => {
  await fronts.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function take(idle: string): void {
  const issuer = { SIGNET_ISSUER: 'http://localhost:1' };
  front = fronts.prepare(configOf(issuer, yaml(`session: { idle: ${idle} }`)), ring);
  fronts.settle('keep');
}

async function ask(path: string, times: number, method: 'get' | 'post' = 'get') {
  const answers = [];
  for (let time = 0; time < times; time++) {
    const sent = fromCaddy();
    const { headers, status } = await request(server)[method](path).set(sent);
    answers.push({ requestId: sent['x-request-id'], status, stamp: headers['signet-stamp'] });
  }
  return answers;
}

const CALLBACK = '/.signet/callback?code=x&state=y';

test.each([
  ['get', CALLBACK, 'a sign-in', 'sign-ins', 'state-missing'],
  [
    'post',
    '/.signet/back-channel-logout',
    'a back-channel logout',
    'back-channel logouts',
    'request-invalid',
  ],
] as const)(
  '%s %s: %s is told a few times, and the others in one line',
  async (method, path, one, all, reason) => {
    const answers = await ask(path, TOLD_ONE_BY_ONE + MORE, method);
    const told = (few: typeof answers) =>
      few.map(({ requestId }) => ({ msg: `${one} was refused`, request_id: requestId, reason }));
    expect(lines).toMatchObject(told(answers.slice(0, TOLD_ONE_BY_ONE)));
    expect(lines).toHaveLength(TOLD_ONE_BY_ONE);
    endWindow();
    expect(lines).toHaveLength(TOLD_ONE_BY_ONE + 1);
    expect(lines.at(-1)).toMatchObject({
      msg: `${MORE} more ${all} were refused: ${reason}; this is the latest`,
      ...{ level: 40, count: MORE, reason, request_id: answers.at(-1)?.requestId },
      ...{ detail: lines[0]?.['detail'], since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) },
    });
  },
);

test('each is stamped for a row of its own, whether its line was told or counted', async () => {
  const answers = await ask(CALLBACK, TOLD_ONE_BY_ONE + MORE);
  const stamps = new Set(answers.map(({ stamp }) => stamp as string | undefined));
  expect(stamps.has(undefined)).toBe(false);
  expect(stamps.size).toBe(answers.length);
});

test('a flood for one reason hides none that is refused for another', async () => {
  await ask(CALLBACK, TOLD_ONE_BY_ONE + MORE);
  await ask('/.signet/callback/nobody?code=x&state=y', 1);
  expect(lines.at(-1)).toMatchObject({ msg: 'a sign-in was refused', reason: 'provider-unknown' });
});

test('another configuration begins no window of its own', async () => {
  await ask(CALLBACK, TOLD_ONE_BY_ONE);
  take('2h');
  await ask(CALLBACK, 1);
  expect(lines).toHaveLength(TOLD_ONE_BY_ONE);
});

test('closing tells what was counted until then', async () => {
  await ask(CALLBACK, TOLD_ONE_BY_ONE + 1);
  await fronts.close();
  expect(lines.at(-1)?.msg).toMatch(/^1 more sign-in was refused: state-missing/);
});

test('requests that fail for a fault of our own are bounded, too', async () => {
  note = () => {
    throw new Error('the journal is broken');
  };
  const [answer] = await ask('/verify?require=any&route=orders', TOLD_ONE_BY_ONE + MORE);
  expect(answer?.status).toBe(503);
  endWindow();
  expect(lines.map(({ msg }) => msg)).toEqual([
    ...Array.from({ length: TOLD_ONE_BY_ONE }, () => 'a request failed and was refused'),
    `${MORE} more requests were refused, having failed; this is the latest`,
  ]);
  expect(lines.at(-1)).toMatchObject({ level: 50, error: 'the journal is broken', count: MORE });
});
