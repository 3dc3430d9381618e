// README.md beside this file says which test holds which case of the list. Here it is held to the files: each of the
// 53 cases has a row, each named test is in the file that is named, and each advisory has the form of one.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { isAdvisory } from '../fixtures/advisory-names.ts';
import { cellsOf, isThere as isThereFrom, plain } from '../fixtures/named-tests.ts';

const CASES = Array.from({ length: 53 }, (_, index) => index + 1);

type Row = { cases: number[]; tried: string; advisories: string[]; tests: string[] };

/** Numbers, and from one to another: `24, 25`, `43–46`. */
function numbersIn(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [from = NaN, to = from] = part.split(/[–-]/).map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

const rows: Row[] = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| *\d/.test(line))
  .map((line) => {
    const [cases = '', tried = '', advisories = '', tests = ''] = cellsOf(line);
    return {
      cases: numbersIn(cases),
      tried: plain(tried),
      advisories: plain(advisories).split(/, */),
      tests: tests.split('<br>').map(plain),
    };
  });

const isThere = (name: string) => isThereFrom(import.meta.dirname, name);

test('each of the 53 cases has a row that names a test', () => {
  const held = new Set(
    rows.filter(({ tests }) => tests.join('') !== '').flatMap((row) => row.cases),
  );
  expect(CASES.filter((number) => !held.has(number))).toEqual([]);
});

test('no row is of a case that is not on the list, and each says what is tried', () => {
  expect(rows.filter(({ cases }) => !cases.every((number) => CASES.includes(number)))).toEqual([]);
  expect(rows.filter(({ tried }) => tried.length < 10)).toEqual([]);
});

test('each named test is in the file that is named', () => {
  expect(rows.flatMap(({ tests }) => tests).filter((one) => !isThere(one))).toEqual([]);
});

test('each advisory has the form of a CVE, of a GHSA or of a project’s issue', () => {
  const named = rows.flatMap(({ advisories }) => advisories).filter((id) => id !== '—');
  expect(named.filter((id) => !isAdvisory(id))).toEqual([]);
});

describe('what is looked for is found, and nothing else', () => {
  test.each([
    ['table.test.ts › each named test is in the file that is named', true],
    ['table.test.ts › each of the 53 cases has a row that names a test', true],
    ['table.test.ts › what is looked for is found, and nothing else › any: thing', true],
    ['table.test.ts › what is looked for is found, and nothing else › %s: %s', true],
    ['table.test.ts › each named test', false],
    ['table.test.ts › a test of nobody', false],
    ['table.test.ts › a test: of nobody', false],
    ['table.test.ts', false],
  ])('%s: %s', (name, isSo) => {
    expect(isThere(name)).toBe(isSo);
  });
});
