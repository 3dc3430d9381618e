// The list of bounds is whole and true: every constant that is one is in it, each is tried in the test that it names, and
// SECURITY.md says the same.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { LIMITS } from '../fixtures/limits.ts';
import { readGuide } from '../fixtures/markdown.ts';

/** Rooms that read what strangers, providers and destinations send, and files beside the rooms. */
const ROOMS = ['accesslog', 'config', 'http', 'identity', 'policy', 'sessions', 'trace'];
/** Exported and named like bounds, but what they bound is Signet's own. */
const OWN = new Set([
  'accesslog/checkpoint MAX_HASHED_BYTES',
  'accesslog/consumed MAX_CONSUMED',
  'accesslog/entries MAX_TORN_ENDS',
  'accesslog/plausible MAX_AHEAD_US',
  'identity/hand-over MAX_UNDER_WAY',
  'sessions/renewal MAX_RESEALED',
  'sessions/store MAX_LEASE_MS',
  'trace/spans MAX_URL_PART_CHARS',
]);

const sorted = (names: Iterable<string>) => [...names].toSorted();

/** Names of the exported constants of a room that are called after a bound. */
function boundsIn(room: string): string[] {
  const folder = new URL(`../../sidecar/${room}/`, import.meta.url);
  return readdirSync(folder).flatMap((file) => {
    const text = readFileSync(new URL(file, folder), 'utf8');
    const names = [...text.matchAll(/^export const (MAX_\w+|KEPT_\w+|LONG_\w+_CHARS) =/gm)];
    return names.map(([, name]) => `${room}/${file.replace(/\.ts$/, '')} ${name}`);
  });
}

test('every bound of the rooms that read what others send is in the list', () => {
  const listed = LIMITS.map(({ name }) => name).filter((name) =>
    ROOMS.includes(name.split('/')[0] ?? ''),
  );
  const found = ROOMS.flatMap(boundsIn).filter((name) => !OWN.has(name));
  expect(sorted(found)).toEqual(sorted(listed));
});

test('no bound is listed twice', () => {
  expect(new Set(LIMITS.map(({ name }) => name)).size).toBe(LIMITS.length);
});

test('each is tried by the test that it names', () => {
  const untried = LIMITS.filter(({ name, test: path, as }) => {
    const constant = name.split(' ')[1] ?? '';
    return !readGuide(path).includes(as ?? constant);
  });
  expect(untried).toEqual([]);
});

describe('SECURITY.md', () => {
  const text = readGuide('SECURITY.md');
  const part = text.slice(text.indexOf('\n## Limits\n'));
  const rows = part.slice(0, part.indexOf('\n## ', 4)).match(/^\| `[^\n]+\|$/gm) ?? [];
  const cells = rows.map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()));

  test('names every bound with its value', () => {
    const told = cells.map(
      ([, name = '', value = '']) =>
        `${name.replaceAll('`', '')} = ${value.replaceAll(/[,_]/g, '')}`,
    );
    expect(sorted(told)).toEqual(sorted(LIMITS.map(({ name, value }) => `${name} = ${value}`)));
  });

  test('says of each its unit, why it is there, what happens above it, and which test tries it', () => {
    const tests = new Map(LIMITS.map(({ name, test: path }) => [name, path]));
    const wrong = cells.filter(
      ([, name = '', , unit, why, above, path]) =>
        !unit ||
        !why ||
        !above ||
        path?.replaceAll('`', '') !== tests.get(name.replaceAll('`', '')),
    );
    expect(wrong).toEqual([]);
  });
});
