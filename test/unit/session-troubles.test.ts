// What the log tells of failures behind the sessions: one line a minute for each provider, with a count.
import { beforeEach, expect, test } from '@jest/globals';
import { Fault } from '../../sidecar/fault.ts';
import {
  createSessionTroubles,
  type SessionTrouble,
  sessionTroubleText,
} from '../../sidecar/session-troubles.ts';
import { identity } from '../fixtures/identities.ts';

const AWAY = new Fault('ERR_PROVIDER', 'away');
const MAIN = identity({ provider: 'main' });
const START_MS = 1_000_000;

let nowMs: number;
let told: SessionTrouble[];
let hear: ReturnType<typeof createSessionTroubles>;

beforeEach(() => {
  [nowMs, told] = [START_MS, []];
  hear = createSessionTroubles(
    () => nowMs,
    (trouble) => told.push(trouble),
  );
});

test('the first is told at once, with its provider', () => {
  hear(AWAY, MAIN);
  expect(told).toEqual([{ error: AWAY, provider: 'main', count: 1, sinceMs: START_MS }]);
  expect(sessionTroubleText(told[0]!)).toContain('they go on');
});

test('ten thousand more within a minute are one line then, which counts them', () => {
  hear(AWAY, MAIN);
  nowMs += 1_000;
  for (let more = 0; more < 10_000; more++) hear(AWAY, MAIN);
  nowMs = START_MS + 59_999;
  hear(AWAY, MAIN);
  expect(told).toHaveLength(1);
  nowMs += 1;
  hear(AWAY, MAIN);
  expect(told.slice(1)).toEqual([
    { error: AWAY, provider: 'main', count: 10_002, sinceMs: START_MS + 1_000 },
  ]);
});

test('what was told is not counted again', () => {
  hear(AWAY, MAIN);
  nowMs += 60_000;
  hear(AWAY, MAIN);
  expect(told[1]).toMatchObject({ count: 1, sinceMs: nowMs });
});

test('another provider has a line of its own, and so has the store', () => {
  const store = new Fault('ERR_SESSION_STORE', 'down');
  hear(AWAY, MAIN);
  hear(AWAY, identity({ provider: 'partners' }));
  hear(AWAY, identity({ issuer: 'https://nameless.example' }));
  hear(store, MAIN);
  hear(store, identity({ provider: 'partners' }));
  expect(told.map(({ provider }) => provider)).toEqual([
    'main',
    'partners',
    'https://nameless.example',
    undefined,
  ]);
  expect(sessionTroubleText(told[3]!)).not.toContain('provider');
});

test('a clock that is set back silences nothing', () => {
  hear(AWAY, MAIN);
  nowMs -= 3_600_000;
  hear(AWAY, MAIN);
  expect(told).toHaveLength(2);
});
