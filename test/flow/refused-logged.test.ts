// What the log of `signet serve` says was refused under /.signet/: it tells by the path what somebody wanted.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import { makeFolder, startSidecar } from '../fixtures/sidecar.ts';
import { until } from '../fixtures/until.ts';

const { folder, remove } = makeFolder();
const socket = join(folder, 'sidecar.sock');
const FROM_CADDY = {
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'app.example.com',
  'x-forwarded-for': '192.0.2.7',
  'x-request-id': '4d032074-7bbc-4e5d-964f-a0f15a34b6f6',
};

let sidecar: ReturnType<typeof startSidecar>;

beforeAll(async () => {
  sidecar = startSidecar(folder, {
    SIGNET_ISSUER: 'http://127.0.0.1:9',
    SIGNET_CLIENT_ID: 'signet',
    SIGNET_CLIENT_SECRET: 'secret',
    SIGNET_SOCKET: socket,
    SIGNET_ACCESS_LOG: join(folder, 'access.log'),
    SIGNET_HEALTH: '127.0.0.1:0',
    SIGNET_DESTINATION: 'none',
    SIGNET_HOSTS: 'other.example.com',
  });
  await until('the gate is open', () => sidecar.printed().includes('the gate is open'));
});
afterAll(async () => {
  await sidecar.stop();
  remove();
});

test.each([
  ['get', '/.signet/login', 'a sign-in was refused'],
  ['get', '/.signet/logout', 'a sign-out was refused'],
  ['post', '/.signet/back-channel-logout', 'a back-channel logout was refused'],
  ['get', '/.signet/me', 'a request was refused'],
] as const)('%s %s: the log says that %s', async (method, path, said) => {
  const at = `http+unix://${encodeURIComponent(socket)}`;
  expect((await request(at)[method](path).set(FROM_CADDY)).status).toBe(400);
  await until('the line', () => sidecar.printed().includes(said));
  const line =
    sidecar
      .printed()
      .split('\n')
      .find((text) => text.includes(said)) ?? '{}';
  expect(JSON.parse(line)).toMatchObject({ msg: said, reason: 'host-not-allowed' });
});
