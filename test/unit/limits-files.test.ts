// Bounds on the files that an operator gives, each tried below, at and above: what is above is told in one line, like any
// other mistake. All bounds: test/fixtures/limits.ts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { MAX_KEY_COMPARISONS, MAX_PARTS, parseBounded } from '../../sidecar/config/bounded-yaml.ts';
import { loadKeyRing, MAX_FILE_BYTES } from '../../sidecar/config/keys.ts';
import { MAX_CSS_BYTES, MAX_TEXTS_BYTES } from '../../sidecar/config/pages.ts';
import { MAX_ALIASES, MAX_DEPTH, MAX_SETTINGS_BYTES } from '../../sidecar/config/settings-file.ts';
import { errorsOf, yaml } from '../fixtures/config-sources.ts';

const around = (limit: number) => [limit - 1, limit, limit + 1] as const;
const readsOf = (files: Record<string, string>) => errorsOf({}, files).map(({ read }) => read);

test('settings of more than MAX_SETTINGS_BYTES are not parsed', () => {
  const line = '# settings\n';
  const reads = around(MAX_SETTINGS_BYTES).map((bytes) =>
    readsOf(yaml(line + '#'.repeat(bytes - line.length))),
  );
  expect(reads).toEqual([[], [], [`a file of ${MAX_SETTINGS_BYTES + 1} bytes`]]);
});

test('settings of more than MAX_PARTS are not parsed, whatever their parts are', () => {
  const told = expect.stringContaining('too many parts');
  const reads = around(MAX_PARTS).map((parts) => readsOf(yaml('#'.padEnd(parts + 1, '\n'))));
  expect(reads).toEqual([[], [], [told]]);
  const shapes = [',', '[', '{', ']', '? ', ': ', '- ', '! ', '& ', '* ', '%\n', '"', "'", '\r'];
  for (const shape of shapes) {
    expect(readsOf(yaml(shape.repeat(MAX_PARTS + 1)))).toEqual([told]);
  }
});

test('keys are compared MAX_KEY_COMPARISONS times in all, and then nothing is believed', () => {
  // Each with those before it, and one to reach the number.
  const keys = Math.floor((1 + Math.sqrt(1 + 8 * MAX_KEY_COMPARISONS)) / 2);
  const textOf = (count: number) =>
    Array.from({ length: count }, (_, at) => `k${at}: 1`).join('\n');
  expect(parseBounded(textOf(keys))?.errors).toEqual([]);
  expect(parseBounded(textOf(keys + 1))).toBeUndefined();
  expect(readsOf(yaml(textOf(keys + 1)))).toEqual([expect.stringContaining('too many parts')]);
});

test('a key that stands twice is still told', () => {
  expect(readsOf(yaml('session: {}\nsession: {}\n')).join()).toContain('duplicate key');
});

test('texts of more than MAX_PARTS are refused', () => {
  const reads = around(MAX_PARTS).map((parts) =>
    readsOf(pages('texts_file', 'de: {}'.padEnd(parts + 3, '\n') + '#')),
  );
  expect(reads).toEqual([[], [], [expect.stringContaining('too many parts')]]);
});

test('settings that are deeper than MAX_DEPTH are told as such', () => {
  const reads = around(MAX_DEPTH).map((levels) =>
    readsOf(yaml(`${'{ a: '.repeat(levels)}1${' }'.repeat(levels)}`)).join(),
  );
  expect(reads.map((read) => read.includes('nesting without end'))).toEqual([false, false, true]);
});

test('what aliases stand for is MAX_ALIASES at most', () => {
  // The YAML library counts, for each anchor, how often it is used times how much it stands for.
  const reads = around(MAX_ALIASES).map((uses) =>
    readsOf(
      yaml(`a: &a [x]\nb: [${Array.from({ length: uses - 1 }, () => '*a').join(', ')}]\n`),
    ).join(),
  );
  expect(reads.map((read) => read.includes('aliases'))).toEqual([false, false, true]);
});

const pages = (name: 'css_file' | 'texts_file', text: string) => ({
  ...yaml(`pages: { ${name}: own }`),
  '/folder/own': text,
});

test('a stylesheet of more than MAX_CSS_BYTES is refused', () => {
  const reads = around(MAX_CSS_BYTES).map((bytes) => readsOf(pages('css_file', 'a'.repeat(bytes))));
  expect(reads).toEqual([[], [], [`a file of ${MAX_CSS_BYTES + 1} bytes`]]);
});

test('texts of more than MAX_TEXTS_BYTES are refused', () => {
  const reads = around(MAX_TEXTS_BYTES).map((bytes) => {
    const [before, behind] = ['de: { signed_out: "', '" }'];
    return readsOf(
      pages('texts_file', `${before}${'x'.repeat(bytes - before.length - behind.length)}${behind}`),
    );
  });
  expect(reads).toEqual([[], [], [expect.stringContaining(`more than ${MAX_TEXTS_BYTES} bytes`)]]);
});

test('a key ring’s file of more than MAX_FILE_BYTES is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-limits-'));
  const key = `${Buffer.alloc(32, 1).toString('base64')}\n`;
  const loaded = around(MAX_FILE_BYTES).map((bytes) => {
    writeFileSync(join(folder, 'keys'), key + '#'.repeat(bytes - key.length), { mode: 0o600 });
    try {
      return loadKeyRing({ stateFolder: folder }).keys.length;
    } catch (error) {
      return (error as { code: string }).code;
    }
  });
  rmSync(folder, { recursive: true });
  expect(loaded).toEqual([1, 1, 'ERR_KEYS']);
});
