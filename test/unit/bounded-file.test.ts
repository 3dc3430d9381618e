// Files that have become something else: none is waited for.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readBounded } from '../../sidecar/otlp/bounded-file.ts';
import { readCertificates } from '../../sidecar/otlp/tls.ts';

let folder: string;
let pipe: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-'));
  pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a pipe into which nobody writes is no file', () => {
  expect(() => readBounded(pipe, 10)).toThrow('it is no file');
});

test.each(['certificateFile', 'clientCertificateFile', 'clientKeyFile'])(
  'a pipe as %s is of no use, and is said to be',
  (setting) => {
    expect(() => readCertificates({ [setting]: pipe })).toThrow(`${pipe} is of no use`);
  },
);

test('a device without end is no file', () => {
  expect(() => readBounded('/dev/zero', 10)).toThrow('it is no file');
});

test('a file of so many bytes is read, one of more is not', () => {
  const path = join(folder, 'file');
  writeFileSync(path, '0123456789');
  expect(readBounded(path, 10).toString()).toBe('0123456789');
  expect(() => readBounded(path, 9)).toThrow('it has more than 9 bytes');
});

test('a file of /proc, of size 0, is read as far as it goes', () => {
  expect(readBounded('/proc/self/cmdline', 65_536).toString()).toContain('node');
  expect(() => readBounded('/proc/self/cmdline', 2)).toThrow('it has more than 2 bytes');
});
