// What answers, through changes of its configuration: what was begun by an earlier one is still ended in order.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import request from 'supertest';
import { createClock } from '../../sidecar/clock.ts';
import { deriveKeys, type KeyRing } from '../../sidecar/config/keys.ts';
import { createFronts, type Front, type Fronts } from '../../sidecar/front.ts';
import { createLog } from '../../sidecar/log.ts';
import { createNumbers } from '../../sidecar/numbers.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import { configOf, yaml } from '../fixtures/config-sources.ts';
import { fromCaddy } from '../fixtures/gate.ts';
import { identity } from '../fixtures/identities.ts';
import { freshKey, sessionsOver } from '../fixtures/sessions.ts';

const ring: KeyRing = { keys: [freshKey()] };
const ISSUER = { SIGNET_ISSUER: 'http://localhost:1' };

let folder: string;
let store: SessionStore;
let fronts: Fronts;
let front: Front;
let server: Server;
let touched: PromiseWithResolvers<void>;
let mayTouch: PromiseWithResolvers<void>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-front-'));
  [touched, mayTouch] = [Promise.withResolvers(), Promise.withResolvers()];
  const inner = createSqliteSessions({ path: join(folder, 'sessions.db'), now: Date.now });
  const touch: SessionStore['touch'] = async (seen) => {
    touched.resolve();
    await mayTouch.promise;
    await inner.touch(seen);
  };
  store = { ...inner, touch };
  fronts = createFronts({
    ...{ store, log: createLog('silent', '0'), clock: createClock(), bootId: 'boot-1' },
    numbered: createNumbers(),
    journal: { note: () => undefined },
    used: {
      states: new Map(),
      handOvers: new Map(),
      logoutTokens: new Map(),
      endedNames: new Map(),
      unremoved: new Map(),
    },
    within: (_requestId, act) => act(),
    onEnded: () => undefined,
  });
  take('1h');
  server = createServer((req, res) => front.surface(req, res));
});
afterEach(async () => {
  mayTouch.resolve();
  await fronts.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function take(idle: string): void {
  front = fronts.prepare(configOf(ISSUER, yaml(`session: { idle: ${idle} }`)), ring);
  fronts.settle('keep');
}

test('closing waits for the sessions of each configuration, not of the last one alone', async () => {
  const own = sessionsOver({ store, now: Date.now, keys: () => deriveKeys(ring, 'session') });
  const id = await own.begin({ identity: identity({ issuer: ISSUER.SIGNET_ISSUER }) });
  const me = request(server).get('/.signet/me').set(fromCaddy());
  expect((await me.set('Cookie', `__Host-signet=${id}`)).body).toMatchObject({ user: 'alice' });
  take('2h');
  take('3h');
  await touched.promise;
  let isClosed = false;
  const closed = fronts.close().then(() => (isClosed = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isClosed).toBe(false);
  mayTouch.resolve();
  await closed;
  await own.close();
});
