// What the flood tests hold a flood to: a report in which one thing is wrong is told for that thing.
import { expect, test } from '@jest/globals';
import { floodProblems } from '../fixtures/flood-problems.ts';
import { LOG_LINES } from '../fixtures/flood-entrances.ts';
import type { FloodReport } from '../fixtures/flood-report.ts';

const FIGURES = { setAside: 0, lost: 0, unexplained: 0, invalidStamps: 0, series: 263 };
const FARED = { asked: 1, served: 1, medianMs: 3, p99Ms: 9 };
const GIVEN = { user: 'alice', requestId: 'r', status: 200, toldUser: 'alice', atMs: 0, tookMs: 3 };
const FILES = new Map([['socket', 20]]);

const AS_IT_SHOULD_BE: FloodReport = {
  sent: new Map([[LOG_LINES, 7]]),
  given: [GIVEN],
  newcomers: 1,
  reachedApp: 1,
  spoofed: [],
  quiet: FARED,
  during: FARED,
  memoryMiB: { before: 230, peak: 520, after: 350 },
  figures: { before: FIGURES, after: { ...FIGURES, setAside: 7, series: 430 } },
  decisions: { lost: 0, open: 0 },
  files: { before: FILES, after: FILES },
  checks: { before: { gate: true }, after: { gate: true } },
  answers: { before: { orders: '200' }, after: { orders: '200' } },
  rowProblems: [],
};

test('a flood after which all is as before has no problems', () => {
  expect(floodProblems(AS_IT_SHOULD_BE)).toEqual([]);
});

const after = { ...FIGURES, setAside: 7 };
const WRONG: readonly (readonly [string, Partial<FloodReport>, string])[] = [
  ['an answer of 503', { given: [{ ...GIVEN, status: 503 }] }, 'alice was answered 503'],
  ['somebody else’s page', { given: [{ ...GIVEN, toldUser: 'bob' }] }, 'answered 200 as bob'],
  ['no answer', { given: [{ ...GIVEN, status: 0 }] }, 'alice was answered 0'],
  ['a name at the app', { spoofed: ['alice'] }, 'told alice of a request of the flood'],
  ['a peak', { memoryMiB: { before: 230, peak: 800, after: 350 } }, 'during the flood 800 MiB'],
  ['memory kept', { memoryMiB: { before: 230, peak: 520, after: 400 } }, 'after it 400 MiB'],
  [
    'a line that was not set aside',
    { figures: { before: FIGURES, after: { ...after, setAside: 6 } } },
    'lines set aside: 6, not 7',
  ],
  [
    'a lost decision',
    { figures: { before: FIGURES, after: { ...after, lost: 1 } } },
    'decisions lost, by the store: 1',
  ],
  ['a decision without a line', { decisions: { lost: 0, open: 1 } }, 'without a line: 1'],
  ['a row of nobody', { rowProblems: ['r of alice: no row'] }, 'r of alice: no row'],
  [
    'a descriptor',
    { files: { before: FILES, after: new Map([['socket', 21]]) } },
    'open files: socket: 20, then 21',
  ],
  [
    'another answer',
    { answers: { before: { orders: '200' }, after: { orders: '401' } } },
    'orders: 200, then 401',
  ],
  ['a check', { checks: { before: { gate: true }, after: { gate: false } } }, 'gate is not ok'],
  [
    'series without end',
    { figures: { before: FIGURES, after: { ...after, series: 9_000 } } },
    '9000 series of metrics',
  ],
];

test.each(WRONG)('%s is told', (_, wrong, told) => {
  expect(floodProblems({ ...AS_IT_SHOULD_BE, ...wrong }).join('\n')).toContain(told);
});
