// What is remembered of a destination's spans, day by day in UTC, from one run to the next.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createVolume, MAX_DAYS, parseVolume, utcDay } from '../../sidecar/delivery/volume.ts';

const DAY_MS = 86_400_000;
const NOON_MS = Date.parse('2026-11-20T12:00:00Z');

test('a day without spans has none', () => {
  expect(createVolume(undefined).day(NOON_MS)).toEqual({ sent: 0, leftOut: {} });
});

test('what is sent and left out adds up, by reason', () => {
  const volume = createVolume(undefined);
  volume.add(NOON_MS, 3, { 'budget-second:other': 2 });
  volume.add(NOON_MS, 4, { 'budget-second:other': 1, refused: 5 });
  expect(volume.day(NOON_MS)).toEqual({
    sent: 7,
    leftOut: { 'budget-second:other': 3, refused: 5 },
  });
});

test('a day ends at midnight in UTC', () => {
  const volume = createVolume(undefined);
  volume.add(Date.parse('2026-11-20T23:59:59.999Z'), 1);
  volume.add(Date.parse('2026-11-21T00:00:00.000Z'), 2);
  expect([...parseVolume(volume.toNote())]).toEqual([
    ['2026-11-20', { sent: 1, leftOut: {} }],
    ['2026-11-21', { sent: 2, leftOut: {} }],
  ]);
});

test('a note makes the same volume', () => {
  const add = fc.record({
    day: fc.nat(MAX_DAYS - 1),
    sent: fc.nat(1e6),
    leftOut: fc.dictionary(fc.constantFrom('rejected', 'refused', 'budget-day:slow'), fc.nat(1e6)),
  });
  fc.assert(
    fc.property(fc.array(add), (adds) => {
      const volume = createVolume(undefined);
      for (const { day, sent, leftOut } of adds) volume.add(NOON_MS + day * DAY_MS, sent, leftOut);
      expect(createVolume(volume.toNote()).toNote()).toBe(volume.toNote());
    }),
  );
});

test('of many days the last are kept', () => {
  const volume = createVolume(undefined);
  for (let day = 0; day < MAX_DAYS + 10; day++) volume.add(NOON_MS + day * DAY_MS, 1);
  const days = [...parseVolume(volume.toNote()).keys()];
  expect(days).toHaveLength(MAX_DAYS);
  expect(days[0]).toBe(utcDay(NOON_MS + 10 * DAY_MS));
});

test.each(['', '{', '[1]', 'null', '7', '{"2026-11-20":3}', '{"2026-11-20":{"sent":-1}}'])(
  'a note that is none (%s) is no reason to stop',
  (note) => {
    const volume = createVolume(note);
    volume.add(NOON_MS, 1);
    expect(volume.day(NOON_MS)).toEqual({ sent: 1, leftOut: {} });
  },
);
