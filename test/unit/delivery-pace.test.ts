// When a destination may be sent to, by a clock that stands until it is moved.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  createPace,
  MANY_REFUSED,
  PAUSES,
  type Pace,
  type Turn,
} from '../../sidecar/delivery/pace.ts';
import type { Answer } from '../../sidecar/otlp/transport.ts';

const TAKEN: Answer = { kind: 'acknowledged', response: Buffer.alloc(0) };
const AWAY: Answer = { kind: 'retry', problem: 'away' };
const UNAUTHORIZED: Answer = { kind: 'unauthorized', problem: 'who are you' };
const MISDIRECTED: Answer = { kind: 'misdirected', problem: 'nothing here' };

let haveCredentialsChanged: boolean;
let pace: Pace;

beforeEach(() => {
  jest.useFakeTimers();
  haveCredentialsChanged = false;
  pace = createPace({
    transport: { haveCredentialsChanged: () => haveCredentialsChanged },
    pauses: PAUSES,
    nowMs: () => Date.now(),
    random: () => 1,
  });
});
afterEach(() => {
  pace.close();
  jest.useRealTimers();
});

async function entered(): Promise<Turn> {
  const turn = await pace.enter();
  if (turn === undefined) throw new Error('it is closed');
  return turn;
}

/** How long the next turn is waited for, in milliseconds. */
async function waitedMs(): Promise<number> {
  const startMs = Date.now();
  let atMs: number | undefined;
  void pace.enter().then((turn) => {
    atMs = Date.now();
    turn?.end();
  });
  for (let step = 0; atMs === undefined && step < 700; step++) {
    await jest.advanceTimersByTimeAsync(step < 100 ? 10 : 1000);
  }
  return (atMs ?? Infinity) - startMs;
}

test('while all is well nobody waits', async () => {
  for (let count = 1; count <= 3; count++) expect(await waitedMs()).toBe(0);
  await entered();
  await entered();
  expect(pace.underWay()).toBe(2);
});

test('each failure doubles the pause, up to the longest', async () => {
  const waits = [];
  for (let failures = 1; failures <= 9; failures++) {
    const turn = failures === 1 ? await entered() : await turnAfterPause();
    turn.end(AWAY);
    waits.push(await waitedMs());
  }
  const seconds = waits.map((ms) => Math.round(ms / 100) / 10);
  expect(seconds.slice(0, 2)).toEqual([0.5, 1]);
  expect(waits.at(-1)).toBeGreaterThanOrEqual(PAUSES.longestBackoffMs);
  expect(waits.at(-1)).toBeLessThan(PAUSES.longestBackoffMs + 1001);
});

async function turnAfterPause(): Promise<Turn> {
  const turn = entered();
  await jest.advanceTimersByTimeAsync(60_000);
  return turn;
}

test('several that fail together are one failure', async () => {
  const turns = [await entered(), await entered(), await entered(), await entered()];
  for (const turn of turns) turn.end(AWAY);
  expect(await waitedMs()).toBe(PAUSES.firstBackoffMs);
});

test('a success of what was sent before the failure does not end the pause', async () => {
  const [first, second] = [await entered(), await entered()];
  first.end(AWAY);
  second.end(TAKEN);
  expect(pace.status()).toBe('retrying');
  expect(await waitedMs()).toBe(PAUSES.firstBackoffMs);
});

test('a success after it ends it, and the next pause is the first again', async () => {
  (await entered()).end(AWAY);
  (await turnAfterPause()).end(TAKEN);
  expect([pace.status(), pace.problem(), await waitedMs()]).toEqual(['delivering', undefined, 0]);
  (await entered()).end(AWAY);
  expect(await waitedMs()).toBe(PAUSES.firstBackoffMs);
});

describe('a destination that asks for time', () => {
  test('is left alone for as long', async () => {
    (await entered()).end({ ...AWAY, afterMs: 7000 });
    expect(await waitedMs()).toBe(7000);
  });

  test('is not left alone for shorter than otherwise', async () => {
    (await entered()).end({ ...AWAY, afterMs: 1 });
    expect(await waitedMs()).toBe(PAUSES.firstBackoffMs);
  });

  test('gets ten minutes at most', async () => {
    (await entered()).end({ ...AWAY, afterMs: 86_400_000 });
    expect(await waitedMs()).toBe(600_000);
  });

  test('is left alone though others failed before it', async () => {
    const [first, second] = [await entered(), await entered()];
    first.end(AWAY);
    second.end({ ...AWAY, afterMs: 7000 });
    expect(await waitedMs()).toBe(7000);
  });

  test('is not tried when all ends', async () => {
    (await entered()).end({ ...AWAY, afterMs: 7000 });
    pace.finish();
    expect(await pace.enter()).toBeUndefined();
  });
});

describe('refused credentials', () => {
  test('are tried again after a minute', async () => {
    (await entered()).end(UNAUTHORIZED);
    expect(pace.status()).toBe('unauthorized');
    // Once it may be one row that somebody dislikes.
    expect(await waitedMs()).toBe(500);
    (await entered()).end(UNAUTHORIZED);
    expect(await waitedMs()).toBe(60_000);
  });

  test('that have changed are tried within a second', async () => {
    (await entered()).end(UNAUTHORIZED);
    const waiting = waitedMs();
    await jest.advanceTimersByTimeAsync(4500);
    haveCredentialsChanged = true;
    expect(await waiting).toBeLessThanOrEqual(5500);
  });
});

test('where nothing takes this signal the pause grows up to a minute', async () => {
  (await entered()).end(MISDIRECTED);
  for (let failures = 2; failures <= 10; failures++) (await turnAfterPause()).end(MISDIRECTED);
  expect(pace.status()).toBe('misdirected');
  expect(await waitedMs()).toBeGreaterThanOrEqual(60_000 - 1);
});

describe('at the end', () => {
  test('one more try is made without a pause, and its failure is the last', async () => {
    (await entered()).end(AWAY);
    const waiting = pace.enter();
    pace.finish();
    (await waiting)?.end(AWAY);
    expect(await pace.enter()).toBeUndefined();
  });

  test('what is well goes on until it fails', async () => {
    pace.finish();
    (await entered()).end(TAKEN);
    (await entered()).end(AWAY);
    expect(await pace.enter()).toBeUndefined();
    expect(pace.isClosed()).toBe(true);
  });
});

describe('what goes first when only one may go', () => {
  /** Lets these wait after a failure; returns the order in which they go, each failing. */
  async function orderOf(failedAt: readonly number[]): Promise<number[]> {
    (await entered()).end(AWAY);
    const order: number[] = [];
    for (const at of failedAt) {
      void pace.enter(at).then((turn) => {
        order.push(at);
        turn?.end(AWAY);
      });
    }
    await jest.advanceTimersByTimeAsync(60_000);
    return order;
  }

  test('is what has not failed, then what failed longest ago', async () => {
    expect(await orderOf([7, 3, 0, 5])).toEqual([0, 3, 5, 7]);
  });
});

describe('a request that was taken', () => {
  test('shows that the destination was well when it was sent later', async () => {
    const failedAt = pace.instant();
    (await entered()).end(TAKEN);
    expect([pace.isTakenSince(failedAt), pace.isTakenSince(pace.instant())]).toEqual([true, false]);
  });

  test('shows nothing when it was sent before, and nothing to what never failed', async () => {
    const turn = await entered();
    const failedAt = pace.instant();
    turn.end(TAKEN);
    expect([pace.isTakenSince(failedAt), pace.isTakenSince(0)]).toEqual([false, false]);
  });
});

test('refused credentials of one piece, where others are taken, hold nobody up for a minute', async () => {
  (await entered()).end(UNAUTHORIZED, { isSuspect: true });
  expect(pace.status()).toBe('retrying');
  expect(await waitedMs()).toBe(PAUSES.firstBackoffMs);
});

describe('a destination that refuses one row after the other', () => {
  const REFUSED: Answer = { kind: 'refused', problem: 'not this' };

  async function refuse(times: number): Promise<void> {
    for (let count = 0; count < times; count++) {
      const turn = count < MANY_REFUSED ? await entered() : await turnAfterPause();
      turn.end(REFUSED, { isSingle: true });
    }
  }

  test('is sent them without a pause at first', async () => {
    await refuse(MANY_REFUSED - 1);
    expect([pace.status(), await waitedMs()]).toEqual(['delivering', 0]);
  });

  test('is refusing after 20 of them, and gets the next ever more slowly', async () => {
    await refuse(MANY_REFUSED);
    expect([pace.status(), await waitedMs()]).toEqual(['refusing', PAUSES.firstBackoffMs]);
    (await turnAfterPause()).end(REFUSED, { isSingle: true });
    expect(await waitedMs()).toBeGreaterThan(PAUSES.firstBackoffMs);
  });

  test('is well again with the first that it takes', async () => {
    await refuse(MANY_REFUSED + 2);
    (await turnAfterPause()).end(TAKEN);
    (await entered()).end(REFUSED, { isSingle: true });
    expect([pace.status(), await waitedMs()]).toEqual(['delivering', 0]);
  });

  test('is not refusing for larger requests: one row of each may be at fault', async () => {
    for (let count = 0; count < 2 * MANY_REFUSED; count++) (await entered()).end(REFUSED);
    expect(pace.status()).toBe('delivering');
  });
});
