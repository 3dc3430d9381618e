// What the gate says about a request's trace: to the app, to the recorder, to the browser.
import { afterEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createSample, type Sampling } from '../../sidecar/trace/sampling.ts';
import type { Stamp } from '../../sidecar/stamp.ts';
import { createTestGate, fromCaddy, type TestGate } from '../fixtures/gate.ts';
import { identity } from '../fixtures/identities.ts';

const NOTHING: Sampling = { ratio: 0, rules: [] };
const THEIRS = `00-${'a'.repeat(32)}-${'b'.repeat(16)}`;

let it: TestGate;
afterEach(() => it.close());

type Asked = {
  readonly headers: Record<string, string>;
  readonly stamp: Stamp | undefined;
  readonly digits: string;
};

function open(sampling: Sampling, trust: 'always' | 'bearer' = 'bearer'): void {
  it = createTestGate({ trust, sample: createSample(sampling) });
}

async function ask(path: string, changes: Record<string, string> = {}): Promise<Asked> {
  const sent = fromCaddy(changes);
  const { headers } = await request(it.app).get(path).set(sent);
  const stamp = it.open(headers['signet-stamp'], sent['x-request-id']);
  return { headers, stamp, digits: sent['x-request-id'].replaceAll('-', '') };
}

const verify = (require: string, changes?: Record<string, string>) =>
  ask(`/verify?route=orders&require=${require}`, changes);
const cookieOf = async (team: string) => ({ cookie: await it.signIn(identity({ team })) });

describe('sampling', () => {
  test('what is not sampled says so in the stamp and in the flags for the app', async () => {
    open(NOTHING);
    const { headers, stamp } = await verify('public');
    expect(stamp?.sampled).toBe(false);
    expect(headers['traceparent']).toMatch(/-02$/);
  });

  test('who is calling counts: one team’s traces are kept', async () => {
    open({ ratio: 0, rules: [{ team: ['payments'], ratio: 1 }] });
    expect((await verify('any', await cookieOf('payments'))).stamp?.sampled).toBe(true);
    expect((await verify('any', await cookieOf('search'))).stamp?.sampled).toBe(false);
  });

  test('a refusal is sampled whatever the rules say', async () => {
    open(NOTHING);
    const { stamp } = await verify('any');
    expect([stamp?.decision, stamp?.sampled]).toEqual(['deny', true]);
  });

  test('so is one of a browser that is sent to sign in because its cookie does not hold', async () => {
    open(NOTHING, 'always');
    const forged = { cookie: `__Host-signet=${'A'.repeat(43)}`, accept: 'text/html' };
    const { stamp } = await verify('any', { ...forged, traceparent: `${THEIRS}-00` });
    expect([stamp?.decision, stamp?.reason, stamp?.sampled]).toEqual([
      'login',
      'session-unknown',
      true,
    ]);
    const { stamp: nothingShown } = await verify('any', { accept: 'text/html' });
    expect([nothingShown?.decision, nothingShown?.sampled]).toEqual(['login', false]);
  });

  test('a trusted caller’s flag is followed, as it came', async () => {
    open(NOTHING, 'always');
    const { headers, stamp } = await verify('public', { traceparent: `${THEIRS}-01` });
    expect([stamp?.sampled, headers['traceparent']?.slice(-3)]).toEqual([true, '-01']);
    await it.close();
    open({ ratio: 1, rules: [] }, 'always');
    const other = await verify('public', { traceparent: `${THEIRS}-00` });
    expect([other.stamp?.sampled, other.headers['traceparent']?.slice(-3)]).toEqual([false, '-00']);
  });

  test('the flag of anyone else changes nothing', async () => {
    open(NOTHING);
    expect((await verify('public', { traceparent: `${THEIRS}-01` })).stamp?.sampled).toBe(false);
    await it.close();
    open({ ratio: 1, rules: [] });
    expect((await verify('public', { traceparent: `${THEIRS}-00` })).stamp?.sampled).toBe(true);
  });

  test('Signet’s own answers are decided about by the same rules, as route signet', async () => {
    open({ ratio: 1, rules: [{ route: ['signet'], ratio: 0 }] });
    expect((await ask('/.signet/nothing-here')).stamp?.sampled).toBe(false);
    expect((await verify('public')).stamp?.sampled).toBe(true);
  });
});

describe('Server-Timing', () => {
  const NAVIGATION = { 'sec-fetch-mode': 'navigate', accept: 'text/html' };

  test.each([
    ['allowed', '/verify?route=orders&require=public', {}],
    ['sent to sign in', '/verify?route=orders&require=any', NAVIGATION],
    ['refused', '/verify?route=orders&require=any', {}],
    ['closed', '/verify?route=orders&require=nonsense', NAVIGATION],
    ['on a path of Signet’s own', '/.signet/nothing-here', {}],
  ])('%s: it names the trace and the ingress span', async (_, path, changes) => {
    open({ ratio: 1, rules: [] });
    const { headers, digits } = await ask(path, changes);
    expect(headers['server-timing']).toBe(`trace;desc="00-${digits}-${digits.slice(0, 16)}-03"`);
  });

  test('of a trace that goes on it names that, and the ingress span in it', async () => {
    open({ ratio: 1, rules: [] }, 'always');
    const { headers, digits } = await verify('public', { traceparent: `${THEIRS}-01` });
    expect(headers['server-timing']).toBe(
      `trace;desc="00-${'a'.repeat(32)}-${digits.slice(0, 16)}-01"`,
    );
  });
});
