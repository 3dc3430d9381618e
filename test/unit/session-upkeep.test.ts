// When sessions are swept, over a store that only notes it, with two clocks of the test's own.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createSessionUpkeep, type SessionUpkeep } from '../../sidecar/sessions/upkeep.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

let sweeps: number[];
let wallMs: number;
let steadyMs: number;
let upkeep: SessionUpkeep;

beforeEach(() => {
  jest.useFakeTimers();
  [sweeps, wallMs, steadyMs] = [[], 1_700_000_000_000, 5];
  upkeep = createSessionUpkeep({
    store: { touch: async () => {}, sweep: async ({ seenMs }) => sweeps.push(wallMs - seenMs) },
    ...{ now: () => wallMs, steady: () => steadyMs },
    ...{ idleMs: HOUR_MS, absoluteMs: 24 * HOUR_MS, onTrouble: () => {} },
  });
});
afterEach(async () => {
  await upkeep.close();
  jest.useRealTimers();
});

/** A minute goes by, in which the wall clock is set by so much. */
function minute(setByMs = 0): void {
  wallMs += MINUTE_MS + setByMs;
  steadyMs += MINUTE_MS;
  jest.advanceTimersByTime(MINUTE_MS);
}

test('what has not been used for the idle time is swept out every minute', () => {
  minute();
  minute();
  expect(sweeps).toEqual([HOUR_MS, HOUR_MS]);
});

test.each([
  ['forward', 9 * HOUR_MS],
  ['back', -9 * HOUR_MS],
])('a clock that was set %s since the last sweep sweeps nobody out', (_name, byMs) => {
  minute();
  minute(byMs);
  expect(sweeps).toHaveLength(1);
  minute(-byMs);
  expect(sweeps).toHaveLength(1);
  minute();
  expect(sweeps).toHaveLength(2);
});

test('a clock that was set a little, as clocks are, sweeps', () => {
  minute(MINUTE_MS / 2);
  expect(sweeps).toHaveLength(1);
});

test('in the first minute after the start nobody is swept out', () => {
  wallMs += MINUTE_MS - 1;
  steadyMs += MINUTE_MS - 1;
  jest.advanceTimersByTime(MINUTE_MS);
  expect(sweeps).toEqual([]);
});
