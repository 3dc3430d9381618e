// A file that others change: what is never read, and what is read again.
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWatchedFile } from '../../sidecar/otlp/watched-file.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-'));
  path = join(folder, 'token');
});
afterEach(() => rmSync(folder, { recursive: true }));

const watch = (of = path) => {
  const read: string[] = [];
  const file = createWatchedFile(of, (text) => (read.push(text), text || undefined), 'a text');
  return { ...file, texts: read };
};

test('it is read once, however often it is asked for', () => {
  writeFileSync(path, 'one');
  const file = watch();
  expect([file.read(), file.read()]).toEqual(['one', 'one']);
  expect(file.texts).toEqual(['one']);
});

test('a change within the same length is seen by its time', () => {
  writeFileSync(path, 'one');
  const file = watch();
  file.read();
  writeFileSync(path, 'two');
  utimesSync(path, 1_700_000_000, 1_700_000_000);
  expect(file.read()).toBe('two');
});

test.each([
  ['a device', () => '/dev/zero', /is no file/],
  ['a folder', () => folder, /is no file/],
  ['what is too long', () => path, /more than 65536 bytes/],
])('%s is not read', (_what, of, problem) => {
  writeFileSync(path, 'x'.repeat(70_000));
  const file = watch(of());
  expect(file.read()).toBeUndefined();
  expect(file.problem()).toMatch(problem);
  expect(file.texts).toEqual([]);
});

test('one that was wrong is looked at again, and then is no problem', () => {
  writeFileSync(path, '');
  const file = watch();
  expect(file.read()).toBeUndefined();
  expect(file.problem()).toContain('it does not hold a text');
  writeFileSync(path, 'one');
  expect(file.read()).toBe('one');
  expect(file.problem()).toBeUndefined();
});
