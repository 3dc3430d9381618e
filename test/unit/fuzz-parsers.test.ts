// A part of what test/fuzz/all.fuzz.ts does with a million inputs: every parser that reads what a stranger writes.
import { expect, test } from '@jest/globals';
import { testSeeds } from '../fixtures/random.ts';
import { slowestOf, type See } from '../fuzz/linear-time.ts';
import { checkLinearParsers, fuzzParsers, SUBJECTS } from '../fuzz/parsers.ts';
import type { Subject } from '../fuzz/subject.ts';

const [seed = 0] = testSeeds(1);

test.each(SUBJECTS.map((subject) => [subject.name, subject] as const))(
  `what holds of any %s holds of 1,500 odd ones: seed ${seed}`,
  async (_name, subject) => {
    const { tally } = await fuzzParsers({ countOfEach: 1_500, seed, subjects: [subject] });
    // Not everything is refused: the properties were asked about something.
    expect(subject.reached.filter((name) => (tally[name] ?? 0) < 1)).toEqual([]);
  },
);

test('ten times as much of anything takes every parser ten times as long, not a hundred', () => {
  expect(checkLinearParsers()).toBeDefined();
});

test('an input that breaks a property is made as small as can be, and told with its parser', async () => {
  const broken: Subject = {
    ...{ name: 'broken', seeds: ['some text with an x in it'], units: ['y'], reached: [] },
    faultOf: (text) => (text.includes('x') ? 'an x' : undefined),
  };
  const found = fuzzParsers({ countOfEach: 50, seed: 1, subjects: [broken] });
  await expect(found).rejects.toThrow('broken: an x\n  "x"');
});

test('an input at which a parser throws is a finding', async () => {
  const throwing: Subject = {
    ...{ name: 'throwing', seeds: ['{'], units: ['{'], reached: [] },
    faultOf: (text) => void JSON.parse(text),
  };
  const found = fuzzParsers({ countOfEach: 50, seed: 1, subjects: [throwing] });
  await expect(found).rejects.toThrow('throwing: it threw SyntaxError');
});

test('what tries anew at each space of a long run is found to be not linear', () => {
  const seeAll = (see: See) => see('an expression', (text) => / +$/.test(`${text}x`), ' ');
  // So long that it isn't over too soon to be told from one that is linear.
  expect(() => slowestOf(seeAll, 1_000)).toThrow('not linear: an expression of " "');
});
