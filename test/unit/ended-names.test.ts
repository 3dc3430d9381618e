// What a provider ended a moment ago: for how long it is remembered, by which clock, and how much of it.
import { beforeEach, expect, test } from '@jest/globals';
import { MAX_REMEMBERED } from '../../sidecar/identity/once.ts';
import { createEndedNames } from '../../sidecar/sessions/ended-names.ts';

const ISSUER = 'https://login.example';
const ALICE = { issuer: ISSUER, subject: 'alice' };
const HOUR_MS = 3_600_000;

let nowMs: number;
let ended: ReturnType<typeof createEndedNames>;
beforeEach(() => {
  nowMs = 1_800_000_000_000;
  ended = createEndedNames(new Map(), () => nowMs);
});

test('a name is remembered for a minute from when it came, however old its token is', () => {
  ended.add({ issuer: ISSUER, sid: '1' }, nowMs - 70_000);
  nowMs += 59_999;
  expect(ended.has({ issuer: ISSUER, sid: '1' }, nowMs)).toBe(true);
  nowMs += 1;
  expect(ended.has({ issuer: ISSUER, sid: '1' }, nowMs)).toBe(false);
});

test('an older token that comes later takes nothing from what a newer one ended', () => {
  ended.add(ALICE, nowMs);
  ended.add(ALICE, nowMs - 5_000);
  expect(ended.has(ALICE, nowMs - 1_000)).toBe(true);
});

test('a clock that is set back by an hour ends no later sign-in, not even when the hour is over', () => {
  ended.add(ALICE, nowMs);
  nowMs -= HOUR_MS;
  expect(ended.has(ALICE, nowMs)).toBe(false);
  nowMs += HOUR_MS;
  expect(ended.has(ALICE, nowMs)).toBe(false);
});

test('a clock that is set back by a second forgets nothing', () => {
  ended.add(ALICE, nowMs);
  nowMs -= 1_000;
  expect(ended.has(ALICE, nowMs)).toBe(true);
});

test('what was ended by a clock that was an hour ahead hides no logout of now', () => {
  ended.add(ALICE, nowMs);
  nowMs -= HOUR_MS;
  ended.add(ALICE, nowMs);
  expect([ended.has(ALICE, nowMs), ended.has(ALICE, nowMs + 1)]).toEqual([true, false]);
});

test('a long name takes no more memory than a short one', () => {
  const memory = new Map();
  createEndedNames(memory, () => nowMs).add({ ...ALICE, sid: 's'.repeat(2_500) }, nowMs);
  const names = [...memory.values()].flatMap((ofIssuer) => [...ofIssuer.keys()]);
  expect(names.map(({ length }) => length)).toEqual([43, 43]);
});

test('one provider pushes out its own names, and none of another’s', () => {
  ended.add({ ...ALICE, issuer: 'https://other.example' }, nowMs);
  ended.add(ALICE, nowMs);
  for (let at = 0; at < MAX_REMEMBERED; at++) ended.add({ ...ALICE, subject: `${at}` }, nowMs);
  expect(ended.has(ALICE, nowMs)).toBe(false);
  expect(ended.has({ ...ALICE, issuer: 'https://other.example' }, nowMs)).toBe(true);
});
