// What is dealt with ahead of a cursor, as ranges of sequences.
import { expect, test } from '@jest/globals';
import { isWithin, parseRanges, withSequences } from '../../sidecar/delivery/ahead.ts';

test('neighbours become one range, in whatever order they come', () => {
  const ranges = withSequences([], [7, 3, 5, 4], 0);
  expect(ranges).toEqual([
    [3, 5],
    [7, 7],
  ]);
  expect(withSequences(ranges, [6, 4, 9], 0)).toEqual([
    [3, 7],
    [9, 9],
  ]);
});

test('what the cursor has passed is forgotten', () => {
  const ranges = withSequences([], [3, 4, 7], 0);
  expect(withSequences(ranges, [2], 4)).toEqual([[7, 7]]);
});

test('a sequence is within them, or not', () => {
  const ranges = withSequences([], [3, 4, 7, 10], 0);
  const within = Array.from({ length: 12 }, (_, at) => at).filter((at) => isWithin(ranges, at));
  expect(within).toEqual([3, 4, 7, 10]);
  expect(isWithin([], 1)).toBe(false);
});

test.each([[undefined], ['{'], ['{}'], ['[1]'], ['[[2,1]]'], ['[["1","2"]]'], ['[[1,2,3]]']])(
  'of a note that is none, %s, there are none',
  (note) => expect(parseRanges(note, 0)).toEqual([]),
);

test('a note says the same again', () => {
  const ranges = withSequences([], [3, 4, 7], 0);
  expect(parseRanges(JSON.stringify(ranges), 0)).toEqual(ranges);
});

test('a note of what can’t be ahead yet is none: it would swallow rows that are still to come', () => {
  const note = JSON.stringify([[1, Number.MAX_SAFE_INTEGER]]);
  expect(parseRanges(note, 10)).toEqual([]);
  expect(parseRanges('[[5,6],[2,3]]', 1)).toEqual([]);
});
