// deploy/pages.md names every text that an operator may put words of their own for: the package has no source to look.
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ENGLISH } from '../../sidecar/http/texts.ts';

const text = readFileSync(new URL('../../deploy/pages.md', import.meta.url), 'utf8');

test('pages.md has the key of every text, and no other', () => {
  const [, listed = ''] = /```text\n(request-id [^`]+)```/.exec(text) ?? [];
  expect(listed.trim().split(/\s+/).toSorted()).toEqual(Object.keys(ENGLISH).toSorted());
});

test('pages.md has a title that is one of those pages in every row of its table', () => {
  const titles = new Set(Object.values<string>(ENGLISH).map((title) => title.replaceAll('’', "'")));
  const rows = [...text.matchAll(/^\| ([A-Z][^|]+?) +\|.*`/gm)].map(([, title = '']) => title);
  expect(rows.length).toBeGreaterThan(5);
  const overage = 'Your identity provider left your groups out of its answer';
  expect(rows.filter((title) => !titles.has(title))).toEqual([overage]);
});
