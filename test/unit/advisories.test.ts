// SECURITY.md's table of advisories and the tests name the same ones: none that a test names is missing there, none
// there is tried by no test, and each named test is in its file. What an advisory says is nobody's to check here.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { advisoriesIn, isAdvisory } from '../fixtures/advisory-names.ts';
import { readGuide } from '../fixtures/markdown.ts';
import { cellsOf, isThere, plain, titlesOf } from '../fixtures/named-tests.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** A class of mistakes that has no number. */
const CLASS = /^_[a-z0-9 -]+_$/;

const text = readGuide('SECURITY.md');
const part = text.slice(text.indexOf('\n## Advisories of this class of software\n'));
const rows = (part.slice(0, part.indexOf('\n## ', 4)).match(/^\|.*\|$/gm) ?? [])
  .slice(2)
  .map((row) => {
    const [advisories = '', software, happened, held, tests = ''] = cellsOf(row);
    return { advisories, said: [software, happened, held], tests: tests.split('<br>').map(plain) };
  });
const listed = rows.flatMap(({ advisories }) => advisoriesIn(advisories));

/** Names in the titles of all tests, and in the table of cases: as short as a title has them. */
function namedByTests(): Set<string> {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(ROOT, 'test', file))
    .filter((file) => advisoriesIn(readFileSync(file, 'utf8')).length > 0);
  const titles = files.flatMap((file) => titlesOf(file).flat());
  const cases = readGuide('test/hostile/README.md').match(/^\| *\d.*$/gm) ?? [];
  return new Set([...titles, ...cases].flatMap(advisoriesIn));
}
const named = [...namedByTests()];

test('there is such a table, with a row for each', () => {
  expect(rows.length).toBeGreaterThan(40);
  expect(new Set(listed).size).toBe(listed.length);
});

test('each advisory that a test or the table of cases names is in it', () => {
  expect(named.filter((name) => !listed.some((one) => one.startsWith(name)))).toEqual([]);
});

test('each row is named by a test or by the table of cases, or is of a class without a number', () => {
  const isTried = (id: string) => named.some((name) => id.startsWith(name));
  const untried = rows.filter(
    ({ advisories }) => !CLASS.test(advisories) && !advisoriesIn(advisories).some(isTried),
  );
  expect(untried).toEqual([]);
});

test('each row says of what, what happened, what holds it, and which test tries it', () => {
  expect(rows.filter(({ said }) => said.some((cell) => !cell))).toEqual([]);
  const tests = rows.flatMap((row) => row.tests);
  expect(tests.filter((one) => !isThere(ROOT, one))).toEqual([]);
});

test('each has the form of a CVE, of a GHSA or of a project’s issue, or is a class', () => {
  const names = rows
    .filter(({ advisories }) => !CLASS.test(advisories))
    .flatMap(({ advisories }) => advisories.split(/, */));
  expect(names.filter((name) => !isAdvisory(name))).toEqual([]);
});

describe('an advisory is found in a title', () => {
  test.each([
    ['case 1, CVE-2026-30851: signed out', ['CVE-2026-30851']],
    ['GHSA-7r4p, GHSA-f59h: `$name`', ['GHSA-7r4p', 'GHSA-f59h']],
    ['case 5, GHSA-49wc-4hcv-v58q: no dot', ['GHSA-49wc-4hcv-v58q']],
    ['case 20, oauth2-proxy #1992: fifty', ['oauth2-proxy#1992']],
    ['by URL (caddyserver/caddy#7859)', ['caddy#7859']],
    ['case 14: what stands behind a # is not asked', []],
  ])('%s', (title, names) => {
    expect(advisoriesIn(title)).toEqual(names);
  });
});
