// Whether a server answers, tried with acts that end when the test says so, and with a clock of its own.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Fault } from '../../sidecar/fault.ts';
import { postgresFault } from '../../sidecar/postgres/fault.ts';
import type { PostgresUse } from '../../sidecar/postgres/use.ts';
import { createAnswering } from '../../sidecar/sessions/store-answering.ts';

const PLACE = { host: 'db.example.com', port: 5432, database: 'signet' };
const USE: PostgresUse = {
  code: 'ERR_SESSION_STORE',
  store: 'session store',
  locked: 'a session',
  maxConnections: 8,
};
const DOWN = new Fault('ERR_SESSION_STORE', 'it is down');
const never = () => new Promise<never>(() => {});

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** Returns a place whose preparing fails as long as `isUp` is false, and how often it was tried. */
function aPlace(changes: { isUp?: boolean } = {}) {
  const place = { isUp: true, nowMs: 0, prepared: 0, ...changes };
  const prepare = async () => {
    place.prepared++;
    if (!place.isUp) throw DOWN;
  };
  const answering = createAnswering({ place: PLACE, now: () => place.nowMs, prepare });
  return Object.assign(place, { answering });
}

test('what takes longer than 1.8 seconds is a fault that names the place', async () => {
  const { answering } = aPlace();
  const ended = expect(answering.within(never)).rejects.toMatchObject({
    code: 'ERR_SESSION_STORE',
    message: 'PostgreSQL at db.example.com:5432, database signet, did not answer within 1800 ms',
  });
  await jest.advanceTimersByTimeAsync(1_800);
  await ended;
  expect(answering.state().ready).toBe(false);
});

test('preparing counts as well', async () => {
  const answering = createAnswering({ place: PLACE, now: () => 0, prepare: never });
  const ended = expect(answering.within(async () => 1)).rejects.toBeInstanceOf(Fault);
  await jest.advanceTimersByTimeAsync(1_800);
  await ended;
});

test('it is prepared at once, and once for all who come meanwhile', async () => {
  const place = aPlace();
  await Promise.all([1, 2, 3].map((number) => place.answering.within(async () => number)));
  expect(place.prepared).toBe(1);
});

test('it is not ready before the first answer', async () => {
  const { answering } = aPlace();
  expect(answering.state()).toMatchObject({
    ready: false,
    problem: expect.stringContaining('is being asked'),
  });
  await answering.within(async () => {});
  expect(answering.state()).toEqual({ ready: true });
});

describe('it is prepared anew', () => {
  async function preparedAfter(error: unknown): Promise<number> {
    const place = aPlace();
    const fault = postgresFault(PLACE, USE, error);
    await expect(place.answering.within(() => Promise.reject(fault))).rejects.toBe(fault);
    expect(await place.answering.within(async () => 'again')).toBe('again');
    return place.prepared;
  }
  const coded = (code: string) => Object.assign(new Error('as the server says'), { code });

  test.each(['57P01', 'ECONNRESET', '42P01'])('after %s', async (code) => {
    expect(await preparedAfter(coded(code))).toBe(2);
  });

  test.each(['53100', '57014', '23505'])('but not after %s', async (code) => {
    expect(await preparedAfter(coded(code))).toBe(1);
  });

  test('but not when our own connections were in use', async () => {
    expect(await preparedAfter(new Error('timeout exceeded when trying to connect'))).toBe(1);
  });

  test('when preparing failed', async () => {
    const place = aPlace({ isUp: false });
    await expect(place.answering.within(async () => 1)).rejects.toBe(DOWN);
    place.isUp = true;
    expect(await place.answering.within(async () => 1)).toBe(1);
    expect(place.prepared).toBe(2);
  });
});

test('what fails aside tells nothing of the server', async () => {
  const { answering } = aPlace();
  await answering.within(async () => {});
  await expect(answering.aside(() => Promise.reject(DOWN))).rejects.toBe(DOWN);
  expect(answering.state()).toEqual({ ready: true });
});

test('asked for its state while it is down, it tries again once a second at most', async () => {
  const place = aPlace({ isUp: false });
  await jest.advanceTimersByTimeAsync(0);
  place.nowMs = 999;
  expect(place.answering.state()).toEqual({ ready: false, problem: 'it is down' });
  expect(place.prepared).toBe(1);
  place.isUp = true;
  place.nowMs = 1_000;
  place.answering.state();
  place.answering.state();
  await jest.advanceTimersByTimeAsync(0);
  expect(place.prepared).toBe(2);
  expect(place.answering.state()).toEqual({ ready: true });
});

test('closed, it tries no more', async () => {
  const place = aPlace({ isUp: false });
  await jest.advanceTimersByTimeAsync(0);
  await place.answering.close();
  place.nowMs = 5_000;
  place.answering.state();
  await jest.advanceTimersByTimeAsync(0);
  expect(place.prepared).toBe(1);
});
