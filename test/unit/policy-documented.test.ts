// Every requirement that a document shows is one that opens: whoever copies it gets no closed block.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { parseRequirement } from '../../sidecar/policy/requirement.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const documents = ['README.md', 'CHANGELOG.md', 'SECURITY.md'].concat(
  readdirSync(join(ROOT, 'deploy'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /(?:\.md|Caddyfile[^/]*)$/.test(file))
    .map((file) => join('deploy', file)),
);
/** With what looks like a requirement behind the name: not `NAME REQUIREMENT`, nor words; up to a sed's `/`. */
const PROTECT = /import protect [a-z][\w-]* ((?:public|any|[a-z]+:)[^\s`{/]*)/g;
const shown = documents.flatMap((file) => {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(PROTECT)].map(([, requirement = '']) => [file, requirement] as const);
});

test('there are such documents', () => {
  expect(shown.map(([file]) => file)).toEqual(
    expect.arrayContaining(['README.md', 'deploy/access.md', 'deploy/providers.md']),
  );
});

test.each(shown)('%s: %s', (_file, requirement) => {
  expect(parseRequirement(requirement)).toMatchObject({
    level: expect.stringMatching(/^(?:public|signed-in)$/) as unknown,
  });
});
