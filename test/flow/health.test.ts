import { expect, test } from '@jest/globals';
import request from 'supertest';
import { type Check, createHealth } from '../../sidecar/http/health.ts';

const OK = { ok: true };
const appOf = (checks: Record<string, Check>) =>
  createHealth({ checks: () => checks, essential: ['gate', 'sessions'] });

test('/healthz is 200 while the process lives, whatever else is wrong', async () => {
  const response = await request(appOf({})).get('/healthz');
  expect(response.status).toBe(200);
  expect(response.body).toEqual({ status: 'alive' });
});

test('/readyz is ready when every check holds, and shows what each of them knows', async () => {
  const checks = { gate: OK, sessions: OK, destinations: { ok: true, behind: 3 } };
  const response = await request(appOf(checks)).get('/readyz');
  expect(response.status).toBe(200);
  expect(response.body).toEqual({ status: 'ready', checks });
  expect(response.headers['cache-control']).toBe('no-store');
});

test('a provider that is unreachable degrades, and /readyz says so with 200', async () => {
  const provider = { ok: false, problem: 'the provider cannot be reached' };
  const response = await request(appOf({ gate: OK, sessions: OK, provider })).get('/readyz');
  expect(response.status).toBe(200);
  expect(response.body).toMatchObject({ status: 'degraded', checks: { provider } });
});

test('an essential check that fails makes it 503', async () => {
  const sessions = { ok: false, problem: 'the disk is full' };
  const response = await request(appOf({ gate: OK, sessions })).get('/readyz');
  expect(response.status).toBe(503);
  expect(response.body).toMatchObject({ status: 'unready', checks: { sessions } });
});

test('an essential check that failed, and lets people in all the same, degrades: 200', async () => {
  const sessions = { ok: false, readable: true, problem: 'it can’t be written' } as const;
  const response = await request(appOf({ gate: OK, sessions })).get('/readyz');
  expect(response.status).toBe(200);
  expect(response.body).toMatchObject({ status: 'degraded', checks: { sessions } });
});

test('an essential check that is not reported has failed', async () => {
  expect((await request(appOf({ gate: OK })).get('/readyz')).status).toBe(503);
});

test('checks that throw make it 503, with the reason', async () => {
  const checks = () => {
    throw new Error('boom');
  };
  const response = await request(createHealth({ checks, essential: ['gate'] })).get('/readyz');
  expect(response.status).toBe(503);
  expect(response.text).toContain('boom');
});

test('any other path is 404', async () => {
  expect((await request(appOf({})).get('/')).status).toBe(404);
});
