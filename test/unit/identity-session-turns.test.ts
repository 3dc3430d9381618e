// Whose turn it is to ask a provider: a few sessions at once, and hardly any while it can't be had.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Fault } from '../../sidecar/fault.ts';
import type { Refresh } from '../../sidecar/identity/begun.ts';
import type { Identity } from '../../sidecar/identity/identity.ts';
import {
  createTurns,
  FAILED_IN_A_ROW,
  MAX_AT_ONCE,
  type Turns,
} from '../../sidecar/sessions/turns.ts';
import { identity } from '../fixtures/identities.ts';

const session = (number: number, changes = {}) =>
  identity({ provider: 'main', sessionHash: `session-${number}`, ...changes });
const ANYONE = session(0);

let nowMs: number;
let turns: Turns;
let refresh: Refresh;
let asked: Refresh;

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  turns = createTurns(() => nowMs);
  asked = turns.asking((one) => refresh(one));
});

const ask = (of: Identity) => asked({ identity: of, tokens: {} });
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

async function fail(of: Identity, error: unknown = new Fault('ERR_PROVIDER', 'away')) {
  refresh = () => Promise.reject(error);
  await expect(ask(of)).rejects.toBe(error);
}

async function succeed(of = ANYONE) {
  refresh = async () => ({ identity: of });
  await ask(of);
}

async function goDown() {
  for (const number of numbers(FAILED_IN_A_ROW)) await fail(session(number));
}

/** Takes all turns there are; returns what ends each. */
async function takeAll(of = ANYONE) {
  return Promise.all(numbers(MAX_AT_ONCE).map(() => turns.take(of)));
}

/** Tells whether it is there at once. */
async function isHere(turn: Promise<unknown>): Promise<boolean> {
  const later = Symbol('later');
  return (await Promise.race([turn, Promise.resolve(later)])) !== later;
}

describe('at once', () => {
  test('there are so many turns, and the next comes when one ends', async () => {
    const [first] = await takeAll();
    const next = turns.take(ANYONE);
    expect(await isHere(next)).toBe(false);
    first?.();
    expect(await next).toBeInstanceOf(Function);
  });

  test('they come in the order of asking', async () => {
    const [first] = await takeAll();
    const came: string[] = [];
    const waiting = ['one', 'two'].map((name) => turns.take(ANYONE).then(() => came.push(name)));
    first?.();
    await waiting[0];
    expect(came).toEqual(['one']);
  });

  test('another provider has its own', async () => {
    await takeAll();
    const elsewhere = session(0, { provider: 'partners' });
    expect(await turns.take(elsewhere)).toBeInstanceOf(Function);
  });
});

describe('a pause', () => {
  test('begins when several sessions in a row had no answer, and sends away who waits', async () => {
    await takeAll();
    const waiting = turns.take(ANYONE);
    await goDown();
    expect(await waiting).toBeUndefined();
    expect(turns.isOpen(ANYONE)).toBe(false);
    expect(await turns.take(ANYONE)).toBeUndefined();
  });

  test('is not begun by one session, however often it fails', async () => {
    for (const _ of numbers(10)) await fail(ANYONE);
    expect(turns.isOpen(session(1))).toBe(true);
  });

  test('is not begun when others are answered in between', async () => {
    for (const number of numbers(10)) {
      await fail(session(number));
      await succeed();
    }
    expect(turns.isOpen(ANYONE)).toBe(true);
  });

  test('is not begun by a store that fails', async () => {
    const down = new Fault('ERR_SESSION_STORE', 'down');
    for (const number of numbers(10)) await fail(session(number), down);
    expect(turns.isOpen(ANYONE)).toBe(true);
  });

  test('is of this provider only', async () => {
    await goDown();
    expect(turns.isOpen(session(0, { provider: 'partners' }))).toBe(true);
  });

  test('lasts five seconds; then one alone asks, until it is answered', async () => {
    await goDown();
    nowMs += 4_999;
    expect(turns.isOpen(ANYONE)).toBe(false);
    nowMs += 1;
    expect(turns.isOpen(ANYONE)).toBe(true);
    const leave = await turns.take(ANYONE);
    expect(await turns.take(session(1))).toBeUndefined();
    await succeed();
    leave?.();
    expect((await takeAll()).every(Boolean)).toBe(true);
  });

  test('doubles each time that there is no answer, up to a minute', async () => {
    await goDown();
    const pauses: number[] = [];
    for (const _ of numbers(6)) {
      const fromMs = nowMs;
      while (!turns.isOpen(ANYONE)) nowMs += 1_000;
      pauses.push((nowMs - fromMs) / 1_000);
      await fail(ANYONE);
    }
    expect(pauses).toEqual([5, 10, 20, 40, 60, 60]);
  });

  test('is not made longer by what was under way when it began', async () => {
    await goDown();
    for (const number of numbers(10)) await fail(session(number));
    nowMs += 5_000;
    expect(turns.isOpen(ANYONE)).toBe(true);
  });

  test('ends at once when a clock is set back', async () => {
    await goDown();
    nowMs -= 3_600_000;
    expect(turns.isOpen(ANYONE)).toBe(true);
  });
});

test('after closing no turn comes, nor to those who wait', async () => {
  await takeAll();
  const waiting = turns.take(ANYONE);
  turns.close();
  expect([await waiting, await turns.take(ANYONE)]).toEqual([undefined, undefined]);
});
