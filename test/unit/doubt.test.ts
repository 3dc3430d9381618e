// A loss is told only when it has looked like one for some time.
import { expect, test } from '@jest/globals';
import { createDoubt, SURE_AFTER_MS, SURE_WITHOUT_LOG_MS } from '../../sidecar/decisions/doubt.ts';
import type { Judgement, Lost } from '../../sidecar/decisions/judge.ts';

const lost = (number: number): Lost => ({
  bootId: 'boot-1',
  range: { first: number, last: number },
  sinceUs: 1,
  machineBootId: 'm',
  hasJournal: true,
  cause: 'machine-restarted',
});
const judged = (...numbers: number[]): Judgement => ({
  settled: [],
  lost: numbers.map(lost),
  open: [],
  overdue: 0,
});

test('what looks lost is open at first, and lost when it has stayed so', () => {
  let nowMs = 0;
  const doubt = createDoubt(() => nowMs);
  expect(doubt.confirmed(judged(7), true)).toMatchObject({
    lost: [],
    open: [lost(7)],
    overdue: 1,
  });
  nowMs = SURE_AFTER_MS - 1;
  expect(doubt.confirmed(judged(7), true).lost).toEqual([]);
  nowMs = SURE_AFTER_MS;
  expect(doubt.confirmed(judged(7), true)).toMatchObject({ lost: [lost(7)], open: [], overdue: 0 });
});

test('one look at which it was not lost begins the wait anew: a clock that jumped there and back', () => {
  let nowMs = 0;
  const doubt = createDoubt(() => nowMs);
  doubt.confirmed(judged(7), true);
  nowMs = SURE_AFTER_MS / 2;
  doubt.confirmed(judged(), true);
  nowMs = SURE_AFTER_MS;
  expect(doubt.confirmed(judged(7), true).lost).toEqual([]);
  nowMs = 2 * SURE_AFTER_MS;
  expect(doubt.confirmed(judged(7), true).lost).toEqual([lost(7)]);
});

test('without a log it takes longer: the disk with the log may come later than the sidecar', () => {
  let nowMs = 0;
  const doubt = createDoubt(() => nowMs);
  doubt.confirmed(judged(7), false);
  nowMs = SURE_WITHOUT_LOG_MS - 1;
  expect(doubt.confirmed(judged(7), false).lost).toEqual([]);
  nowMs = SURE_WITHOUT_LOG_MS;
  expect(doubt.confirmed(judged(7), false).lost).toEqual([lost(7)]);
});

test('each has a time of its own', () => {
  let nowMs = 0;
  const doubt = createDoubt(() => nowMs);
  doubt.confirmed(judged(7), true);
  nowMs = SURE_AFTER_MS;
  expect(doubt.confirmed(judged(7, 8), true)).toMatchObject({ lost: [lost(7)], open: [lost(8)] });
});
