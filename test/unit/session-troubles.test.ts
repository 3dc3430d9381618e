// What the log tells of failures behind the sessions: one line a minute for each provider, with a count; and what
// /readyz tells of a provider that re-checks none.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Fault } from '../../sidecar/fault.ts';
import {
  createSessionTroubles,
  type SessionTrouble,
  type SessionTroubles,
  sessionTroubleText,
} from '../../sidecar/session-troubles.ts';
import { identity } from '../fixtures/identities.ts';

const AWAY = new Fault('ERR_PROVIDER', 'away');
const MAIN = identity({ provider: 'main' });
const START_MS = 1_000_000;

let nowMs: number;
let told: SessionTrouble[];
let troubles: SessionTroubles;

beforeEach(() => {
  [nowMs, told] = [START_MS, []];
  troubles = createSessionTroubles(
    () => nowMs,
    (trouble) => told.push(trouble),
  );
});

test('the first is told at once, with its provider', () => {
  troubles.failed(AWAY, MAIN);
  expect(told).toEqual([{ error: AWAY, provider: 'main', count: 1, sinceMs: START_MS }]);
  expect(sessionTroubleText(told[0]!)).toBe(
    'a re-check of a session by the provider main failed; the sessions go on, and it is asked again',
  );
});

test('ten thousand more within a minute are one line then, which counts them', () => {
  troubles.failed(AWAY, MAIN);
  nowMs += 1_000;
  for (let more = 0; more < 10_000; more++) troubles.failed(AWAY, MAIN);
  nowMs = START_MS + 59_999;
  troubles.failed(AWAY, MAIN);
  expect(told).toHaveLength(1);
  nowMs += 1;
  troubles.failed(AWAY, MAIN);
  expect(told.slice(1)).toEqual([
    { error: AWAY, provider: 'main', count: 10_002, sinceMs: START_MS + 1_000 },
  ]);
  expect(sessionTroubleText(told[1]!)).toContain(
    '10002 re-checks of sessions by the provider main',
  );
});

test('what was told is not counted again', () => {
  troubles.failed(AWAY, MAIN);
  nowMs += 60_000;
  troubles.failed(AWAY, MAIN);
  expect(told[1]).toMatchObject({ count: 1, sinceMs: nowMs });
});

test('another provider has a line of its own, and so has the store', () => {
  const store = new Fault('ERR_SESSION_STORE', 'down');
  troubles.failed(AWAY, MAIN);
  troubles.failed(AWAY, identity({ provider: 'partners' }));
  troubles.failed(AWAY, identity({ issuer: 'https://nameless.example' }));
  troubles.failed(store, MAIN);
  troubles.failed(store, identity({ provider: 'partners' }));
  expect(told.map(({ provider }) => provider)).toEqual([
    'main',
    'partners',
    'https://nameless.example',
    undefined,
  ]);
  expect(sessionTroubleText(told[3]!)).not.toContain('provider');
});

test('a clock that is set back silences nothing', () => {
  troubles.failed(AWAY, MAIN);
  nowMs -= 3_600_000;
  troubles.failed(AWAY, MAIN);
  expect(told).toHaveLength(2);
});

describe('a provider that re-checks no session', () => {
  const PROVIDER = { name: 'main', issuer: MAIN.issuer };
  const SAID = "sessions can't be re-checked: away; they go on";
  const fail = (times: number, who = MAIN) => {
    for (let time = 0; time < times; time++) troubles.failed(AWAY, who);
  };

  test('is told of after three failures in a row', () => {
    fail(2);
    expect(troubles.problemOf(PROVIDER)).toBeUndefined();
    fail(1);
    expect(troubles.problemOf(PROVIDER)).toBe(SAID);
  });

  test('is well as soon as it answers for one', () => {
    fail(3);
    troubles.answered(MAIN);
    expect(troubles.problemOf(PROVIDER)).toBeUndefined();
  });

  test('one session that fails among others that do not is no matter of the provider', () => {
    for (let round = 0; round < 10; round++) {
      fail(2);
      troubles.answered(MAIN);
    }
    fail(2);
    expect(troubles.problemOf(PROVIDER)).toBeUndefined();
  });

  test('is no longer told of when nothing was tried for ten minutes', () => {
    fail(3);
    nowMs += 599_999;
    expect(troubles.problemOf(PROVIDER)).toBe(SAID);
    nowMs += 1;
    expect(troubles.problemOf(PROVIDER)).toBeUndefined();
  });

  test('is another one where the name or the issuer is another', () => {
    fail(3);
    expect(troubles.problemOf({ ...PROVIDER, name: 'partners' })).toBeUndefined();
    expect(troubles.problemOf({ ...PROVIDER, issuer: 'https://other.example' })).toBeUndefined();
  });

  test('is meant by sessions that know its issuer alone', () => {
    fail(3, identity({ issuer: MAIN.issuer }));
    expect(troubles.problemOf(PROVIDER)).toBe(SAID);
  });

  test('is not meant where the store fails', () => {
    for (let time = 0; time < 9; time++) {
      troubles.failed(new Fault('ERR_SESSION_STORE', 'down'), MAIN);
    }
    expect(troubles.problemOf(PROVIDER)).toBeUndefined();
  });
});
