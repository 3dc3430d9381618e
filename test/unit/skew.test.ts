// What is shown of the difference between the gate's clock and Caddy's: the largest of the last minutes.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSkew } from '../../sidecar/skew.ts';
import { anEvent, aRow, STARTED_AT_US } from '../fixtures/rows.ts';

const SECOND_US = 1_000_000;
const at = (seconds: number) => STARTED_AT_US + seconds * SECOND_US;
const rowsWith = (...skews: number[]) => skews.map((skewUs) => aRow({ skewUs }));

test('nothing seen is no difference', () => {
  expect(createSkew().largestUs(at(0))).toBe(0);
});

test('the largest one counts, ahead or behind, with its sign', () => {
  const skew = createSkew();
  skew.see(rowsWith(10, -300, 200), at(0));
  expect(skew.largestUs(at(0))).toBe(-300);
  skew.see(rowsWith(301), at(1));
  expect(skew.largestUs(at(1))).toBe(301);
});

test('events have none', () => {
  const skew = createSkew();
  skew.see([anEvent()], at(0));
  expect(skew.largestUs(at(0))).toBe(0);
});

test('it is shown for a minute at least, and for two at the most', () => {
  for (let begun = 0; begun < 60; begun += 7) {
    const skew = createSkew();
    skew.see(rowsWith(1), at(-begun));
    skew.see(rowsWith(500), at(0));
    expect(skew.largestUs(at(59))).toBe(500);
    expect(skew.largestUs(at(120))).not.toBe(500);
  }
});

test('after a long silence nothing is left of it', () => {
  const skew = createSkew();
  skew.see(rowsWith(500), at(0));
  expect(skew.largestUs(at(3600))).toBe(0);
});

test('a clock that is set back doesn’t keep it for longer than two minutes', () => {
  const skew = createSkew();
  skew.see(rowsWith(500), at(0));
  const earlier = (seconds: number) => at(seconds - 86_400);
  expect(skew.largestUs(earlier(0))).toBe(500);
  expect(skew.largestUs(earlier(122))).toBe(0);
});

test('whatever comes when, no more is shown than was seen', () => {
  const seen = fc.array(fc.tuple(fc.integer({ min: -200, max: 200 }), fc.integer()));
  fc.assert(
    fc.property(seen, (all) => {
      const skew = createSkew();
      const skews = new Set([0]);
      for (const [seconds, skewUs] of all) {
        skew.see(rowsWith(skewUs), at(seconds));
        skews.add(skewUs);
        expect(skews).toContain(skew.largestUs(at(seconds)));
      }
    }),
  );
});
