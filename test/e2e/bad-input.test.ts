// The sentences under "Bad input", each on a real `signet serve`.
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findCaddy } from '../../caddy/find.ts';
import { deriveKeys, loadKeyRing } from '../../sidecar/config/keys.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import { createSessions } from '../../sidecar/sessions/sessions.ts';
import { identity } from '../fixtures/identities.ts';
import { askAsCaddy, makeFolder, readiness } from '../fixtures/sidecar.ts';
import { freePort } from '../fixtures/caddy.ts';
import { type RunningSidecar, startSidecar } from '../fixtures/sidecar.ts';

let folder: string;
let remove: () => void;
let started: RunningSidecar[];
let servers: Server[];

beforeEach(() => {
  ({ folder, remove } = makeFolder());
  started = [];
  servers = [];
});
afterEach(async () => {
  await Promise.all(started.map((sidecar) => sidecar.stop()));
  for (const server of servers) server.close();
  remove();
});

function start(env: Record<string, string>): RunningSidecar {
  const sidecar = startSidecar(folder, env);
  started.push(sidecar);
  return sidecar;
}

/** Settings that hold, with a provider that is not there and a health port of their own. */
async function soundSettings() {
  const [health, provider] = [await freePort(), await freePort()];
  const env = {
    SIGNET_ISSUER: `http://localhost:${provider}`,
    SIGNET_CLIENT_ID: 'signet',
    SIGNET_CLIENT_SECRET: 'a secret of thirty-two characters',
    SIGNET_DESTINATION: 'none',
    SIGNET_SOCKET: join(folder, 'sidecar.sock'),
    SIGNET_ACCESS_LOG: join(folder, 'access.log'),
    SIGNET_HEALTH: `127.0.0.1:${health}`,
  };
  return { env, health, provider, socket: env.SIGNET_SOCKET, log: env.SIGNET_ACCESS_LOG };
}

describe('settings', () => {
  test('missing or contradictory settings, unreadable YAML, an unknown key, a secret file that is not there: all told at once, exit 78, nothing started, no socket made', async () => {
    writeFileSync(
      join(folder, 'signet.yaml'),
      'issuer: http://localhost:1\nsession: { idel: 1h }\n',
    );
    const sidecar = start({
      SIGNET_CLIENT_SECRET_FILE: 'nowhere',
      SIGNET_SOCKET: 'sidecar.sock',
      SIGNET_GATE_KEY: 'k'.repeat(32),
      SIGNET_GATE_KEY_FILE: 'key',
      SIGNET_DESTINATION: 'none',
    });
    expect(await sidecar.exited).toBe(78);
    expect(sidecar.printed()).toContain('SIGNET_CLIENT_ID (or client_id in signet.yaml)');
    expect(sidecar.printed()).toContain('SIGNET_GATE_KEY and SIGNET_GATE_KEY_FILE');
    expect(sidecar.printed()).toContain('signet.yaml: session.idel');
    expect(sidecar.printed()).toContain('SIGNET_CLIENT_SECRET_FILE');
    expect(readdirSync(folder)).toEqual(['signet.yaml']);
  });

  test('unreadable YAML is told with its line beside the other mistakes, exit 78', async () => {
    writeFileSync(join(folder, 'signet.yaml'), 'issuer: a\nsession: { idle: 1h\n');
    const sidecar = start({ SIGNET_TRACE_TRUST: 'some' });
    expect(await sidecar.exited).toBe(78);
    expect(sidecar.printed()).toMatch(/signet\.yaml\n {4}read: +line 3, column 1/);
    expect(sidecar.printed()).toContain('SIGNET_TRACE_TRUST');
    expect(readdirSync(folder)).toEqual(['signet.yaml']);
  });

  test('three mistakes at once give three messages and 78', async () => {
    const { env } = await soundSettings();
    const wrong = { SIGNET_ISSUER: 'idp', SIGNET_CLIENT_ID: '', SIGNET_LOGLEVEL: 'info' };
    const sidecar = start({ ...env, ...wrong });
    expect(await sidecar.exited).toBe(78);
    expect(sidecar.printed()).toContain('3 settings need mending.');
    expect(sidecar.printed().match(/^ {4}allowed: /gm)).toHaveLength(3);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("a provider that can't be reached at start", () => {
  test('the sidecar comes up, says so in /readyz, and new sign-ins get a page that says why', async () => {
    const { env, health, socket } = await soundSettings();
    const ready = await readiness(health, start(env), ({ status }) => status === 'degraded');
    expect(ready).toMatchObject({ httpStatus: 200, checks: { provider: { ok: false } } });
    const page = await askAsCaddy(socket, '/.signet/login?return=/');
    expect(page.status).toBe(503);
    expect(page.body).toMatch(/<html[^]*provider[^]*reached/);
  });

  test('sessions go on', async () => {
    const { env, health, socket } = await soundSettings();
    const store = createSqliteSessions({ path: join(folder, 'sessions.db'), now: Date.now });
    const lifetimes = { idleMs: 3_600_000, absoluteMs: 3_600_000 };
    const keys = deriveKeys(loadKeyRing({ stateFolder: folder }), 'session');
    const sessions = createSessions({ store, now: Date.now, keys: () => keys, ...lifetimes });
    const cookie = `__Host-signet=${await sessions.begin({ identity: identity({ issuer: env['SIGNET_ISSUER'] }) })}`;
    await sessions.close();
    await store.close();
    await readiness(health, start(env));
    const allowed = await askAsCaddy(socket, '/verify?route=orders&require=any', { cookie });
    expect(allowed.status).toBe(204);
  });

  test('it keeps trying, and signs people in once the provider is there', async () => {
    const { env, health, provider, socket } = await soundSettings();
    const sidecar = start(env);
    await readiness(health, sidecar, ({ checks }) => checks['provider']?.ok === false);
    servers.push(await startDiscovery(provider));
    await readiness(health, sidecar, ({ checks }) => checks['provider']?.ok === true);
    expect((await askAsCaddy(socket, '/.signet/login?return=/')).status).toBe(302);
  });
});

describe('the socket', () => {
  test('a socket in use by a live process is refused, with exit 69', async () => {
    const { env, health, socket } = await soundSettings();
    await readiness(health, start(env));
    const other = join(folder, 'other');
    const second = start({ ...env, SIGNET_HEALTH: '127.0.0.1:0', SIGNET_STATE: other });
    expect(await second.exited).toBe(69);
    expect(second.printed()).toContain(`${socket} is in use`);
    expect(second.printed()).toContain('SIGNET_SOCKET');
    expect((await askAsCaddy(socket, '/verify?route=a&require=public')).status).toBe(204);
  });

  test('a second sidecar in the same state folder is refused, with exit 69', async () => {
    const { env, health } = await soundSettings();
    await readiness(health, start(env));
    const socket = join(folder, 'second.sock');
    const second = start({ ...env, SIGNET_HEALTH: '127.0.0.1:0', SIGNET_SOCKET: socket });
    expect(await second.exited).toBe(69);
    expect(second.printed()).toContain('another sidecar keeps its state');
    expect(existsSync(socket)).toBe(false);
  });

  test('a stale socket is replaced', async () => {
    const { env, health, socket } = await soundSettings();
    leaveSocketBehind(socket);
    expect(existsSync(socket)).toBe(true);
    await readiness(health, start(env));
    expect((await askAsCaddy(socket, '/verify?route=a&require=public')).status).toBe(204);
  });
});

describe('evidence', () => {
  test("a log file that isn't there yet is waited for", async () => {
    const { env, health, log } = await soundSettings();
    const sidecar = start(env);
    const waiting = await readiness(
      health,
      sidecar,
      // That the store was opened is a row.
      ({ checks }) => checks['recorder']?.rows === 1,
    );
    expect(waiting).toMatchObject({ httpStatus: 200, status: 'degraded' });
    expect(waiting.checks['recorder']?.problem).toContain(`no access log at ${log} yet`);
    expect(existsSync(log)).toBe(false);
    writeFileSync(log, `${JSON.stringify(ACCESS_LINE)}\n`);
    const { checks } = await readiness(
      health,
      sidecar,
      (now) => now.checks['recorder']?.rows === 2,
    );
    expect(checks['recorder']?.ok).toBe(true);
  });

  test.each(['audit.db', 'sessions.db'])(
    'a damaged store is never overwritten: %s',
    async (name) => {
      const { env, health, socket } = await soundSettings();
      const damaged = Buffer.alloc(8192, 'this is no database ');
      writeFileSync(join(folder, 'keys'), randomBytes(32).toString('base64'));
      writeFileSync(join(folder, name), damaged);
      const sidecar = start(env);
      await readiness(health, sidecar);
      const cookie = `__Host-signet=${'a'.repeat(43)}`;
      const verdict = await askAsCaddy(socket, '/verify?route=a&require=any', { cookie });
      expect(verdict.status).toBe(name === 'sessions.db' ? 503 : 401);
      const check = name === 'sessions.db' ? 'sessions' : 'recorder';
      const { checks } = await readiness(health, sidecar, (now) =>
        (now.checks[check]?.problem ?? '').includes(name),
      );
      expect(checks[check]?.ok).toBe(false);
      await sidecar.stop();
      expect(readFileSync(join(folder, name)).equals(damaged)).toBe(true);
    },
  );
});

test('a Caddy below the floor is named with its advisory', async () => {
  const caddy = join(folder, 'caddy');
  writeFileSync(caddy, '#!/bin/sh\necho v2.11.3 h1:abc=\n');
  chmodSync(caddy, 0o755);
  const found = findCaddy({ env: { CADDY: caddy, PATH: process.env['PATH'] }, say: () => {} });
  await expect(found).rejects.toMatchObject({
    code: 'ERR_CADDY',
    message: expect.stringMatching(/2\.11\.3.*2\.11\.4.*GHSA-f59h-q822-g45g/s),
  });
});

/** A line as Caddy writes it for a block without `protect`. */
const ACCESS_LINE = {
  level: 'info',
  ts: 1_780_000_000.25,
  logger: 'http.log.access',
  msg: 'handled request',
  request: {
    remote_ip: '192.0.2.1',
    client_ip: '192.0.2.1',
    proto: 'HTTP/2.0',
    method: 'GET',
    host: 'app.example.com',
    uri: '/',
    headers: {},
    tls: {},
  },
  bytes_read: 0,
  duration: 0.01,
  size: 3,
  status: 200,
  uuid: '4d032074-7bbc-4e5d-964f-a0f15a34b6f6',
};

/** Discovery is all that a provider has to answer before somebody signs in. */
async function startDiscovery(port: number): Promise<Server> {
  const issuer = `http://localhost:${port}`;
  const metadata = {
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    code_challenge_methods_supported: ['S256'],
  };
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(metadata));
  });
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve));
  return server;
}

/** A process that dies by a signal leaves its socket's file. */
function leaveSocketBehind(path: string): void {
  const program = `
    require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'));`;
  spawnSync(process.execPath, ['--eval', program]);
}
