// Which rows a store remembers, and when it does not answer by them. That what it answers is what the
// database would give is in test/contract/audit-newest.test.ts.
import { beforeEach, expect, test } from '@jest/globals';
import type { Added } from '../../sidecar/audit/append.ts';
import { toColumns } from '../../sidecar/audit/columns.ts';
import { createNewest, MAX_NEWEST_ROWS, type Newest } from '../../sidecar/audit/newest.ts';
import { ROW_COLUMNS } from '../../sidecar/audit/schema.ts';
import type { RequestRow } from '../../sidecar/audit/row.ts';
import { aFullRow, anEvent, aRow } from '../fixtures/rows.ts';

const MARK = 'as it was';

function added(sequence: number, overrides: Partial<RequestRow> = {}): Added {
  const row = aRow(overrides, sequence);
  const columns = toColumns(row);
  columns.sequence = sequence;
  columns.hash = Buffer.alloc(32, 0xab);
  return { row, columns, values: Object.values(columns) };
}

const several = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => added(from + at));

let newest: Newest;
beforeEach(() => {
  newest = createNewest();
});

const sequencesAfter = (sequence: number, limit = 10, mark = MARK) =>
  newest.after(sequence, limit, mark)?.map((row) => row.sequence);

test('the values of a row are in the order in which they are inserted', () => {
  for (const row of [aRow(), aFullRow(), anEvent()]) {
    expect(Object.keys(toColumns(row))).toEqual(ROW_COLUMNS);
  }
});

test('rows are given with their place and their hash', () => {
  newest.keep([added(5)], MARK);
  expect(newest.after(4, 1, MARK)).toEqual([
    { ...aRow({}, 5), sequence: 5, hash: 'ab'.repeat(32) },
  ]);
});

test('not more rows are given than were asked for, from the place that was asked for', () => {
  newest.keep(several(1, 3), MARK);
  newest.keep(several(4, 3), MARK);
  expect(sequencesAfter(1, 3)).toEqual([2, 3, 4]);
  expect(sequencesAfter(4, 10)).toEqual([5, 6]);
});

test('what is before the first row and behind the last one is not known', () => {
  newest.keep(several(5, 3), MARK);
  expect([3, 7, 100].map((sequence) => sequencesAfter(sequence))).toEqual([
    ...[undefined, undefined, undefined],
  ]);
  expect([4, 5, 7, 8].map((sequence) => newest.has(sequence))).toEqual([false, true, true, false]);
});

test('nothing is known at the beginning', () => {
  expect(newest.has(1)).toBe(false);
  expect(sequencesAfter(0)).toBeUndefined();
});

test('the oldest rows make room for new ones', () => {
  for (let first = 1; first <= MAX_NEWEST_ROWS + 501; first += 500) {
    newest.keep(several(first, 500), MARK);
  }
  const last = MAX_NEWEST_ROWS + 1000;
  expect(newest.has(last - MAX_NEWEST_ROWS)).toBe(false);
  expect(newest.has(last - MAX_NEWEST_ROWS + 1)).toBe(true);
});

test('rows with long texts leave room for fewer', () => {
  const long = Array.from({ length: 10 }, (_, at) =>
    added(at + 1, { userAgent: 'x'.repeat(1_000_000) }),
  );
  newest.keep(long, MARK);
  expect(sequencesAfter(0)).toBeUndefined();
  expect(sequencesAfter(5)).toEqual([6, 7, 8, 9, 10]);
});

test('nothing is given when another mark stands there than with the rows, nor remembered then', () => {
  newest.keep(several(1, 3), MARK);
  expect(sequencesAfter(0, 10, 'another')).toBeUndefined();
  expect(newest.has(1)).toBe(false);
});

test('rows of an earlier mark are forgotten', () => {
  newest.keep(several(1, 3), MARK);
  newest.keep(several(4, 3), 'another');
  expect(sequencesAfter(0, 10, 'another')).toBeUndefined();
  expect(sequencesAfter(3, 10, 'another')).toEqual([4, 5, 6]);
});

test('rows before a hole are forgotten: what is in it is not known', () => {
  newest.keep(several(1, 3), MARK);
  newest.keep(several(5, 2), MARK);
  expect(sequencesAfter(0)).toBeUndefined();
  expect(sequencesAfter(4)).toEqual([5, 6]);
});

test.each([
  ['-0', { skewUs: -0 }],
  ['NaN', { requestBytes: NaN }],
  ['a number that the database can’t tell from others', { responseBytes: 2 ** 53 }],
])('a row does not come back as it is with %s, and is not remembered', (_what, overrides) => {
  newest.keep([added(1), added(2, overrides), added(3)], MARK);
  expect(sequencesAfter(0)).toBeUndefined();
  expect(sequencesAfter(1)).toBeUndefined();
  expect(sequencesAfter(2)).toEqual([3]);
});
