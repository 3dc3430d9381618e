// What an older Signet has left is taken over, whole: its rows, its lines, its stamps. What a newer one has
// left is not touched, and requests are decided all the same.
import { randomBytes, randomUUID } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deriveKeys, loadKeyRing } from '../../sidecar/config/keys.ts';
import { runSignet } from '../fixtures/cli.ts';
import { freePort } from '../fixtures/caddy.ts';
import { makeFirstStore } from '../fixtures/first-store.ts';
import { aCaddyLine } from '../fixtures/lines.ts';
import {
  askAsCaddy,
  makeFolder,
  readiness,
  startSidecar,
  type Readiness,
  type RunningSidecar,
} from '../fixtures/sidecar.ts';
import { sealVersion1, stamp } from '../fixtures/stamps.ts';
import { requestRows } from '../fixtures/stored.ts';

const FIRST_ROWS = 20;
const LINES = 5;

const { folder, remove } = makeFolder();
const store = join(folder, 'audit.db');
const accessLog = join(folder, 'access.log');
const socket = join(folder, 'sidecar.sock');
let port: number;
let sidecar: RunningSidecar;

const verify = () => askAsCaddy(socket, '/verify?route=orders&require=any');

async function start(): Promise<void> {
  sidecar = startSidecar(folder, {
    SIGNET_ISSUER: 'http://localhost:9/',
    SIGNET_CLIENT_ID: 'signet',
    SIGNET_CLIENT_SECRET: 'secret',
    SIGNET_DESTINATION: 'none',
    SIGNET_ACCESS_LOG: accessLog,
    SIGNET_SOCKET: socket,
    SIGNET_HEALTH: `127.0.0.1:${port}`,
  });
  await readiness(port, sidecar);
}

/** A line of an allowed request with the stamp that the version before sealed. */
function olderLine(number: number): string {
  const [key] = deriveKeys(loadKeyRing({ stateFolder: folder }), 'stamp');
  const requestId = randomUUID();
  const nowUs = Date.now() * 1000;
  const gate = { bootId: 'older', number, startedAtUs: nowUs, durationUs: 60 };
  const sealed = sealVersion1(stamp({ requestId, gate }), key);
  const line = aCaddyLine({ uuid: requestId, stamp: sealed, ts: nowUs / 1_000_000 + 0.002 });
  return `${JSON.stringify(line)}\n`;
}

beforeAll(async () => {
  port = await freePort();
  writeFileSync(join(folder, 'keys'), randomBytes(32).toString('base64'), { mode: 0o600 });
  makeFirstStore(store).close();
  for (let number = 1; number <= LINES; number++) appendFileSync(accessLog, olderLine(number));
  await start();
});

afterAll(async () => {
  await sidecar.stop();
  remove();
});

test('its rows are there, and its lines become rows of the users that it stamped', async () => {
  const all = FIRST_ROWS + LINES;
  await readiness(port, sidecar, () => requestRows(store).length === all);
  const users = requestRows(store).map(({ identity }) => identity?.user);
  expect(users.slice(0, 3)).toEqual(['u1', 'u0', undefined]);
  expect(users.slice(FIRST_ROWS)).toEqual(Array.from({ length: LINES }, () => 'alice'));
});

test('its stamps are believed, and none of its decisions is called lost', async () => {
  const isRecording = ({ checks }: Readiness) => checks['recorder']?.ok === true;
  const { checks } = await readiness(port, sidecar, isRecording);
  expect(checks['recorder']).toMatchObject({ ok: true, invalidStamps: 0, lost: 0, unexplained: 0 });
});

test('the chain that its rows got is sound', async () => {
  const { code, out } = await runSignet(['audit', 'verify', '--state', folder]);
  expect({ code, out }).toMatchObject({ code: 0 });
});

test('a store of a newer Signet is left alone and told, and requests are decided', async () => {
  await sidecar.stop();
  setVersion(99);
  await start();
  const told = 'was written by a newer Signet';
  const isTold = ({ checks }: Readiness) => checks['recorder']?.problem?.includes(told) === true;
  expect((await readiness(port, sidecar, isTold)).status).toBe('degraded');
  expect((await verify()).status).toBe(401);
});

test('what it could not record meanwhile is recorded once the store is its own again', async () => {
  appendFileSync(accessLog, olderLine(LINES + 1));
  setVersion(2);
  await readiness(port, sidecar, () => requestRows(store).length === FIRST_ROWS + LINES + 1);
});

function setVersion(version: number): void {
  const database = new DatabaseSync(store, { timeout: 5000 });
  database.exec(`PRAGMA user_version = ${version}`);
  database.close();
}
