// What is told of the removal of old rows, and when it is a problem.
import { expect, test } from '@jest/globals';
import {
  lostText,
  retentionState,
  type RetentionFacts,
} from '../../sidecar/retention/retention-state.ts';

const DAY_US = 86_400_000_000;
const NOW_US = Date.parse('2026-11-21T12:00:00Z') * 1000;

const factsOf = (changes: Partial<RetentionFacts>): RetentionFacts => ({
  removedUpTo: 7,
  rowsUs: 400 * DAY_US,
  undeliveredUs: 30 * DAY_US,
  waiting: new Map(),
  nowUs: NOW_US,
  ...changes,
});
const waitingFor = (daysLong: number) =>
  new Map([['collector', { rows: 12, sinceUs: NOW_US - daysLong * DAY_US }]]);

test('when nothing is wrong it says up to which row they are gone', () => {
  expect(retentionState(factsOf({}))).toEqual({ status: 'keeping', removedUpTo: 7 });
});

test('rows that wait for a destination for some hours are no problem yet', () => {
  expect(retentionState(factsOf({ waiting: waitingFor(0.5) }))).toEqual({
    status: 'waiting',
    removedUpTo: 7,
    waiting: { collector: { rows: 12, since: '2026-11-21T00:00:00.000Z' } },
  });
});

test('after a day it is told who holds up how many since when, and when they go', () => {
  expect(retentionState(factsOf({ waiting: waitingFor(2) })).problem).toBe(
    'rows older than 400 days wait for collector (12 rows, since 2026-11-19T12:00:00.000Z): from ' +
      '2026-12-19T12:00:00.000Z on they go, delivered or not. See why it does not get them, or take it out of the configuration',
  );
});

test('what was removed without being delivered is told for a day', () => {
  const lost = { atUs: NOW_US - DAY_US / 2, text: 'rows were removed' };
  expect(retentionState(factsOf({ lost }))).toMatchObject({
    status: 'undelivered',
    problem: 'rows were removed',
  });
  expect(retentionState(factsOf({ lost, nowUs: NOW_US + DAY_US })).status).toBe('keeping');
});

test('it is not told for longer because the clock was ahead then', () => {
  const lost = { atUs: NOW_US + 365 * DAY_US, text: 'rows were removed' };
  expect(retentionState(factsOf({ lost })).status).toBe('keeping');
});

test('a clock that is doubted is told with how far it is ahead, and for how long', () => {
  const doubt = { beforeUs: NOW_US - 365 * DAY_US, waitUs: 40 * DAY_US };
  expect(retentionState(factsOf({ doubt })).problem).toMatch(
    /^the clock has jumped ahead by 365 days, .* gone on evenly for 40 days more/,
  );
});

test('a row that holds up others is told with when it was recorded and when it goes', () => {
  const held = { sequence: 8, startedAtUs: NOW_US + 365 * DAY_US };
  expect(retentionState(factsOf({ held }))).toMatchObject({
    status: 'held-up',
    problem: expect.stringMatching(/^row 8 of 2027-11-21T.* old enough, at 2028-12-25T/) as unknown,
  });
});

test('a fault of the store comes before all others', () => {
  const facts = factsOf({ failure: 'it is away', waiting: waitingFor(2) });
  expect(retentionState(facts)).toMatchObject({
    status: 'failing',
    problem: "old rows can't be removed: it is away; it is tried again",
  });
});

test('those that never got what is gone are named, with how many rows', () => {
  const undelivered = new Map([
    ['collector', 5],
    ['collector/logs', 10],
  ]);
  expect(lostText(undelivered)).toMatch(/to collector \(5 rows\), collector\/logs \(10 rows\): /);
});

test('a time that no calendar reaches is told as the last that it does', () => {
  const far = 99_999_999 * DAY_US;
  const facts = factsOf({ undeliveredUs: far, waiting: waitingFor(2) });
  expect(retentionState(facts).problem).toContain('from +275760-09-13T00:00:00.000Z on they go');
});
