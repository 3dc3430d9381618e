// What is told of a flood: the first few of each kind, and then how many more there were.
import { beforeEach, expect, test } from '@jest/globals';
import {
  type BoundedTelling,
  createBoundedTelling,
  type More,
  TOLD_ONE_BY_ONE,
  WINDOW_MS,
} from '../../sidecar/bounded-telling.ts';

const START_MS = 1_000_000;

let nowMs: number;
let told: [what: string, more?: More | undefined][];
let timers: { ms: number; act: () => void }[];
let telling: BoundedTelling<string>;

beforeEach(() => {
  [nowMs, told, timers] = [START_MS, [], []];
  telling = createBoundedTelling({
    now: () => nowMs,
    later: (ms, act) => void timers.push({ ms, act }),
    tell: (...one) => told.push(one),
  });
});

function hear(times: number, kind = 'state-missing'): void {
  for (let time = 1; time <= times; time++) telling.hear(kind, `${kind} ${time}`);
}

function endWindow(): void {
  nowMs += WINDOW_MS;
  timers.splice(0).forEach(({ act }) => act());
}

test('up to TOLD_ONE_BY_ONE are told at once, each by itself', () => {
  hear(TOLD_ONE_BY_ONE);
  expect(told).toHaveLength(TOLD_ONE_BY_ONE);
  expect(told.at(-1)).toEqual([`state-missing ${TOLD_ONE_BY_ONE}`]);
});

test('a million more are told once, when the window is over, with the latest of them', () => {
  hear(TOLD_ONE_BY_ONE);
  nowMs += 5_000;
  hear(1_000_000);
  expect(told).toHaveLength(TOLD_ONE_BY_ONE);
  endWindow();
  expect(told.slice(TOLD_ONE_BY_ONE)).toEqual([
    ['state-missing 1000000', { count: 1_000_000, sinceMs: START_MS + 5_000 }],
  ]);
});

test('a window without more ends without a word', () => {
  hear(TOLD_ONE_BY_ONE);
  endWindow();
  expect(told).toHaveLength(TOLD_ONE_BY_ONE);
});

test('in the next window the first are told one by one again', () => {
  hear(TOLD_ONE_BY_ONE + 1);
  endWindow();
  told = [];
  hear(1);
  expect(told).toEqual([['state-missing 1']]);
  hear(TOLD_ONE_BY_ONE + 1);
  endWindow();
  expect(told.at(-1)?.[1]).toEqual({ count: 2, sinceMs: nowMs - WINDOW_MS });
});

test('a flood of one kind keeps nothing of another one back', () => {
  hear(1_000);
  told = [];
  hear(1, 'code-refused');
  expect(told).toEqual([['code-refused 1']]);
});

test('each kind has a line of its own for those that were counted', () => {
  hear(TOLD_ONE_BY_ONE + 3);
  hear(TOLD_ONE_BY_ONE + 2, 'state-used');
  hear(1, 'code-refused');
  told = [];
  endWindow();
  expect(told.map(([what, more]) => [what, more?.count])).toEqual([
    [`state-missing ${TOLD_ONE_BY_ONE + 3}`, 3],
    [`state-used ${TOLD_ONE_BY_ONE + 2}`, 2],
  ]);
});

test('there is one timer for all of a window, and none without anything to tell', () => {
  expect(timers).toEqual([]);
  hear(100);
  hear(100, 'state-used');
  expect(timers.map(({ ms }) => ms)).toEqual([WINDOW_MS]);
  endWindow();
  expect(timers).toEqual([]);
});

test('a clock that is set back silences nothing', () => {
  hear(TOLD_ONE_BY_ONE + 1);
  nowMs -= 3_600_000;
  endWindow();
  told = [];
  hear(1);
  expect(told).toHaveLength(1);
});

test('what was counted is told at the end, without waiting, and not again', () => {
  hear(TOLD_ONE_BY_ONE + 7);
  told = [];
  telling.flush();
  endWindow();
  expect(told.map(([, more]) => more?.count)).toEqual([7]);
});
