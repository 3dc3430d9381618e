// One sidecar per state folder. SQLite's locks are the kernel's, so another process has to try.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { lockState } from '../../sidecar/lock.ts';

const LOCK = new URL('../../sidecar/lock.ts', import.meta.url).href;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What another process says that wants the same folder. */
function another(): string {
  const script = `import(${JSON.stringify(LOCK)}).then(({ lockState }) => {
    try { lockState(${JSON.stringify(folder)}); console.log('locked'); }
    catch ({ code, message }) { console.log(code, message); }
    process.exit(0);
  })`;
  return execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', script], {
    encoding: 'utf8',
  });
}

test('a folder that is held is refused to another process, and given when it is free', () => {
  const lock = lockState(folder);
  expect(another()).toMatch(/^ERR_STATE_IN_USE another sidecar keeps its state in/);
  lock.release();
  expect(another()).toContain('locked');
});

test('who ends without a word, as by kill -9, gives it back', () => {
  expect(another()).toContain('locked'); // ends with process.exit, and releases nothing
  lockState(folder).release();
});

test('a lock file that is none is told as what it is', () => {
  writeFileSync(join(folder, 'sidecar.lock'), 'no database at all'.repeat(100));
  expect(() => lockState(folder)).toThrow(
    /can't be locked: it must be writable, and of nobody else/,
  );
});
