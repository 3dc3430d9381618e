// When a clock is believed as rows are removed by their age.
import { expect, test } from '@jest/globals';
import { parseClock, seeClock, toleranceUs } from '../../sidecar/retention/seen-clock.ts';

const DAY_US = 86_400_000_000;
const NOW_US = 1_800_000_000_000_000;
const ROWS_US = 400 * DAY_US;

const seen = { seenUs: NOW_US };
const after = (days: number) => NOW_US + days * DAY_US;

test('a clock that is seen for the first time is believed', () => {
  expect(seeClock(undefined, NOW_US, ROWS_US)).toEqual({ seenUs: NOW_US });
});

test('one that has gone on is believed, also when nothing ran for some weeks', () => {
  expect(seeClock(seen, after(39), ROWS_US)).toEqual({ seenUs: after(39) });
});

test('one that has jumped by more than a tenth of the time is doubted for as long', () => {
  expect(seeClock(seen, after(365), ROWS_US)).toEqual({
    seenUs: after(365),
    doubt: { beforeUs: NOW_US, untilUs: after(365 + 40) },
  });
});

test('it is doubted until that time is over, and not longer', () => {
  const doubted = seeClock(seen, after(365), ROWS_US);
  const later = seeClock(doubted, after(365 + 39), ROWS_US);
  expect(later.doubt).toEqual(doubted.doubt);
  expect(seeClock(later, after(365 + 40), ROWS_US)).toEqual({ seenUs: after(405) });
});

test('a second jump is doubted anew, and it is told what the clock said before the first', () => {
  const doubted = seeClock(seen, after(365), ROWS_US);
  expect(seeClock(doubted, after(730), ROWS_US).doubt).toEqual({
    beforeUs: NOW_US,
    untilUs: after(770),
  });
});

test('one that was set back is believed at once, and what it said before is forgotten', () => {
  const doubted = seeClock(seen, after(365), ROWS_US);
  expect(seeClock(doubted, after(1), ROWS_US)).toEqual({ seenUs: after(1) });
});

test('a clock that is mended by seconds stays doubted', () => {
  const doubted = seeClock(seen, after(365), ROWS_US);
  expect(seeClock(doubted, after(365) - 5_000_000, ROWS_US).doubt).toEqual(doubted.doubt);
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
  const doubted = seeClock(seen, after(365), ROWS_US);
  expect(parseClock(JSON.stringify(doubted))).toEqual(doubted);
});
