// What the log tells of troubles: each once when it begins and once when it has ended, whichever others
// there are.
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { DeliveryState } from '../../sidecar/delivery/delivery-state.ts';
import { NOTHING_KNOWN, type RecorderState } from '../../sidecar/recorder-state.ts';
import { createTroubles, type Trouble, troubleText } from '../../sidecar/troubles.ts';

const WELL: DeliveryState = { cursor: 1, status: 'delivering', inFlight: 0, sent: 1, leftOut: {} };
const away = (problem = 'away'): DeliveryState => ({
  ...WELL,
  status: 'retrying',
  troubles: { sending: problem },
});

let told: Trouble[];
let hear: (state: RecorderState) => void;

beforeEach(() => {
  told = [];
  hear = createTroubles((trouble) => told.push(trouble));
});

function state(
  destinations: Readonly<Record<string, DeliveryState>>,
  changes: Partial<RecorderState> = {},
): RecorderState {
  return { ...NOTHING_KNOWN, destinations, ...changes };
}

test('while all is well nothing is told', () => {
  hear(state({ one: WELL }));
  expect(told).toEqual([]);
});

test('of twelve destinations the ten that are broken are told, each by its name and status', () => {
  const names = Array.from({ length: 12 }, (_, number) => `d${number}`);
  hear(state(Object.fromEntries(names.map((name, at) => [name, at < 2 ? WELL : away()]))));
  expect(told.map(({ destination }) => destination)).toEqual(names.slice(2));
  expect(told[0]).toEqual({
    ...{ of: 'sending', destination: 'd2', status: 'retrying', problem: 'away' },
  });
});

test('the same trouble in other words is not told again', () => {
  hear(state({ one: away('tried 3 times') }));
  hear(state({ one: away('tried 4 times') }));
  expect(told).toHaveLength(1);
});

test('one that takes another turn is told again', () => {
  hear(state({ one: away() }));
  hear(state({ one: { ...away('401'), status: 'unauthorized' } }));
  expect(told.map(({ status }) => status)).toEqual(['retrying', 'unauthorized']);
});

test('one that recovers is told, while others are still broken', () => {
  hear(state({ one: away(), two: away() }));
  hear(state({ one: WELL, two: away() }));
  expect(told.slice(2)).toEqual([{ of: 'sending', destination: 'one', status: 'delivering' }]);
});

test('a loss that is told does not hide a token file that goes, nor does its end end the loss', () => {
  const loss = 'refused';
  hear(state({ one: { ...WELL, troubles: { loss } } }));
  hear(state({ one: { ...WELL, troubles: { loss, credentials: 'no file' } } }));
  hear(state({ one: { ...WELL, troubles: { loss } } }));
  expect(told.map(({ of, problem }) => [of, problem])).toEqual([
    ['loss', 'refused'],
    ['credentials', 'no file'],
    ['credentials', undefined],
  ]);
});

test('of a recorder that died nothing is said to have ended but what it says itself', () => {
  hear(state({ one: away() }));
  hear(state({}, { problem: 'the recorder died' }));
  hear(state({ one: away() }));
  expect(told.slice(1)).toEqual([
    { of: 'recording', problem: 'the recorder died' },
    { of: 'recording' },
  ]);
});

test('metrics that are not taken are told by destination', () => {
  hear(state({}, { metrics: { one: { problem: 'no' }, two: { lastSentAt: 'now' } } }));
  hear(state({}, { metrics: { one: { lastSentAt: 'now' }, two: { lastSentAt: 'now' } } }));
  expect(told).toEqual([
    { of: 'metrics', destination: 'one', problem: 'no' },
    { of: 'metrics', destination: 'one' },
  ]);
});

describe('its text says whether evidence or its delivery is concerned', () => {
  test.each([
    [{ of: 'recording', problem: 'p' }, /^evidence is not recorded/],
    [{ of: 'recording' }, /^evidence is recorded again/],
    [{ of: 'sending', destination: 'x', problem: 'p' }, /^spans are not delivered to x/],
    [{ of: 'sending', destination: 'x/logs', problem: 'p' }, /^log records are not delivered to/],
    [{ of: 'sending', destination: 'x' }, /^spans are delivered to x again/],
    [{ of: 'loss', destination: 'x', problem: 'p' }, /^some spans were not taken by x/],
    [{ of: 'metrics', destination: 'x' }, /^metrics are delivered to x again/],
  ] as const)('%j', (trouble, text) => {
    expect(troubleText(trouble)).toMatch(text);
  });
});
