// One sidecar per state folder. SQLite's locks are the kernel's, so another process has to try.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { lockState } from '../../sidecar/lock.ts';
import { isMountable, mountSmallDisk, type SmallDisk } from '../fixtures/small-disk.ts';

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

// Where nobody may mount one, these are not there at all: a skipped test would fail CI everywhere else.
if (isMountable()) describe('a disk of its own', onADiskOfItsOwn);
else process.stderr.write('A disk of its own is not tried: nothing can be mounted here.\n');

function onADiskOfItsOwn(): void {
  let disk: SmallDisk;
  beforeEach(() => {
    disk = mountSmallDisk(folder, 1);
  });
  afterEach(() => disk.unmount());

  test('without a byte left is locked all the same, after an orderly stop and the first time', () => {
    disk.fill();
    lockState(folder).release();
    lockState(folder).release();
  });

  test('without a byte left is refused to another process as ever', () => {
    disk.fill();
    const lock = lockState(folder);
    expect(another()).toMatch(/^ERR_STATE_IN_USE another sidecar keeps its state in/);
    lock.release();
  });

  test('that can only be read is refused: SQLite would grant its lock to everyone', () => {
    lockState(folder).release();
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    expect(() => lockState(folder)).toThrow(/can't be locked: it must be writable/);
  });
}
