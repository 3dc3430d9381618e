// README.md beside this file says which test holds which case of the list. Here it is held to the files: each of the
// 53 cases has a row, each named test is in the file that is named, and each advisory has the form of one.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseSync } from '@swc/core';

const CASES = Array.from({ length: 53 }, (_, index) => index + 1);
const CVE = /^CVE-\d{4}-\d{4,7}$/;
// github.com/github/advisory-database: three groups of four, of these characters.
const GHSA = /^GHSA(-[23456789cfghjmpqrvwx]{4}){3}$/;
const ISSUE = /^[\w.-]+(\/[\w.-]+)? ?#\d+$/;

type Row = { cases: number[]; tried: string; advisories: string[]; tests: string[] };

const plain = (text: string) => text.replaceAll('`', '').replaceAll(/\\(.)/g, '$1').trim();

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
    const [, cases = '', tried = '', advisories = '', tests = ''] = line.split(/(?<!\\)\|/);
    return {
      cases: numbersIn(cases),
      tried: plain(tried),
      advisories: plain(advisories).split(/, */),
      tests: tests.split('<br>').map(plain),
    };
  });

type Node = {
  type?: string;
  value?: unknown;
  callee?: Node;
  object?: Node;
  [name: string]: unknown;
};
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

/** `test`, `describe` or neither: also of `test.each(…)` and `describe.each(…)`. */
function isBlock(callee: Node | undefined): boolean {
  if (callee?.type === 'Identifier') return callee.value === 'test' || callee.value === 'describe';
  if (callee?.type === 'MemberExpression') return isBlock(callee.object);
  return callee?.type === 'CallExpression' && isBlock(callee.callee);
}

/** Every test and group of a file, as the titles that lead to it. */
function titlesIn(node: unknown, above: readonly string[] = []): string[][] {
  if (!isNode(node)) return [];
  if (node.type !== 'CallExpression' || !isBlock(node.callee)) {
    return Object.values(node).flatMap((part) => titlesIn(part, above));
  }
  const [title, ...rest] = (node['arguments'] as { expression: Node }[]).map(
    (one) => one.expression,
  );
  if (title?.type !== 'StringLiteral') return [];
  const path = [...above, plain(String(title.value))];
  return [path, ...rest.flatMap((part) => titlesIn(part, path))];
}

const known = new Map<string, string[][]>();
function titlesOf(file: string): string[][] {
  const path = join(import.meta.dirname, file);
  const found =
    known.get(path) ??
    titlesIn(parseSync(readFileSync(path, 'utf8'), { syntax: 'typescript', target: 'es2023' }));
  known.set(path, found);
  return found;
}

/** Whether a name is this title, or one that `each` makes of it. */
function isOf(title: string, name: string): boolean {
  const escaped = title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return title === name || new RegExp(`^${escaped.replaceAll(/%[sijdpof#]/g, '.+')}$`).test(name);
}

/** Whether the file has a test or a group that is reached by these titles, one within the other. */
function isThere(test: string): boolean {
  const [file = '', ...names] = test.split(' › ');
  const leads = (path: readonly string[]) =>
    path.some((_, from) => names.every((name, at) => isOf(path[from + at] ?? '', name)));
  return names.length > 0 && titlesOf(file).some(leads);
}

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
  const isOne = (id: string) => [CVE, GHSA, ISSUE].some((form) => form.test(id)) || id === '—';
  expect(rows.flatMap(({ advisories }) => advisories).filter((id) => !isOne(id))).toEqual([]);
});

describe('what is looked for is found, and nothing else', () => {
  test.each([
    ['table.test.ts › each named test is in the file that is named', true],
    ['table.test.ts › each of the 53 cases has a row that names a test', true],
    ['table.test.ts › what is looked for is found, and nothing else › any: thing', true],
    ['table.test.ts › what is looked for is found, and nothing else › %s: %s', true],
    ['table.test.ts › each named test', false],
    ['table.test.ts › a test of nobody', false],
    ['table.test.ts', false],
  ])('%s: %s', (name, isSo) => {
    expect(isThere(name)).toBe(isSo);
  });
});
