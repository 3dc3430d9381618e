// When a clock is believed as rows are removed by their age.
import { expect, test } from '@jest/globals';
import {
  parseClock,
  seeClock,
  toleranceUs,
  type SeenClock,
} from '../../sidecar/retention/seen-clock.ts';

const DAY_US = 86_400_000_000;
const NOW_US = 1_800_000_000_000_000;
const ROWS_US = 400 * DAY_US;

/** What a machine says that has been on for so long, at first a day. */
const after = (days: number, uptimeDays = 1 + days) => ({
  nowUs: NOW_US + days * DAY_US,
  uptimeUs: uptimeDays * DAY_US,
});
const inDays = (days: number) => NOW_US + days * DAY_US;

/** Looks by several clocks in turn. */
const look = (...clocks: readonly ReturnType<typeof after>[]) =>
  clocks.reduce<SeenClock | undefined>(
    (before, each) => seeClock(before, each, ROWS_US),
    undefined,
  );

test('a clock that is seen for the first time is believed', () => {
  expect(look(after(0))).toEqual({ seenUs: NOW_US, uptimeUs: DAY_US });
});

test('one that goes on with the machine is believed, however long nobody looked', () => {
  expect(look(after(0), after(365))).toEqual({ seenUs: inDays(365), uptimeUs: 366 * DAY_US });
});

test('one is believed when the machine was off for some weeks, or sidecars of old looked last', () => {
  expect(look(after(0), after(39, 0))).toEqual({ seenUs: inDays(39), uptimeUs: 0 });
  const before = { seenUs: NOW_US };
  expect(seeClock(before, after(39), ROWS_US).doubt).toBeUndefined();
});

test('one that has jumped by more than a tenth of the time is doubted for as long', () => {
  expect(look(after(0), after(365, 1))).toEqual({
    seenUs: inDays(365),
    uptimeUs: DAY_US,
    doubt: { beforeUs: NOW_US, waitUs: 40 * DAY_US },
  });
});

test('steps that are each below that are doubted when they are more together', () => {
  const steps = [11, 22, 33].map((days) => after(days, 1));
  expect(look(after(0), ...steps)?.doubt).toBeUndefined();
  expect(look(after(0), ...steps, after(44, 1))?.doubt?.beforeUs).toBe(NOW_US);
});

test('it is doubted until the machine has run for that time, and not longer', () => {
  const jumped = [after(0), after(365, 1)];
  expect(look(...jumped, after(365 + 39, 40))?.doubt?.waitUs).toBe(DAY_US);
  expect(look(...jumped, after(365 + 40, 41))?.doubt).toBeUndefined();
});

test('no time passes by further steps', () => {
  const doubted = look(after(0), after(365, 1), after(365 + 39, 1), after(365 + 41, 1));
  expect(doubted?.doubt).toEqual({ beforeUs: NOW_US, waitUs: 40 * DAY_US });
});

test('nor while a machine is off', () => {
  const doubted = look(after(0), after(365, 1), after(365 + 39, 0.5));
  expect(doubted?.doubt?.waitUs).toBe(39.5 * DAY_US);
});

test('a second jump is doubted anew, and it is known what the clock would say without the first', () => {
  const doubted = look(after(0), after(365, 1), after(400, 36), after(730, 36));
  expect(doubted?.doubt).toEqual({ beforeUs: inDays(35), waitUs: 40 * DAY_US });
});

test('one that is back where it was is believed at once, and what it said before is forgotten', () => {
  expect(look(after(0), after(365, 1), after(1))).toEqual({
    seenUs: inDays(1),
    uptimeUs: 2 * DAY_US,
  });
});

test.each([1, 45, 320])('one that was set back by %d of 365 days stays doubted', (days) => {
  expect(look(after(0), after(365, 1), after(365 - days, 1))?.doubt).toEqual({
    beforeUs: NOW_US,
    waitUs: 40 * DAY_US,
  });
});

test('one that went back is believed at once', () => {
  expect(look(after(0), after(-100, 1))?.seenUs).toBe(inDays(-100));
});

test('a day is never too far ahead, however short rows are kept', () => {
  expect(toleranceUs(DAY_US)).toBe(DAY_US);
});

test.each([undefined, '', 'nonsense', '[]', 'null', '{"seenUs":"x"}'])(
  'a note that says nothing (%j) is none',
  (note) => {
    expect(parseClock(note)).toBeUndefined();
  },
);

test('a note says what was written into it', () => {
  const doubted = look(after(0), after(365, 1));
  expect(parseClock(JSON.stringify(doubted))).toEqual(doubted);
});

test('a doubt of an older Signet is one still', () => {
  const doubt = { beforeUs: NOW_US, untilUs: inDays(405) };
  const before = parseClock(JSON.stringify({ seenUs: inDays(365), doubt }));
  expect(seeClock(before, after(366), ROWS_US).doubt?.beforeUs).toBe(NOW_US);
});
