// What else may be found at the log's path, and what else in it: each a clear sentence, none blocks,
// nothing is lost, and it goes on by itself.
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createOpener } from '../../sidecar/accesslog/open-log.ts';
import type { Follower } from '../../sidecar/accesslog/follow.ts';
import { makeLogFolder, readAll, type LogFolder } from '../fixtures/log-folder.ts';

let files: LogFolder;
beforeEach(() => {
  files = makeLogFolder();
});
afterEach(() => files.remove());

/** A process that listens on a unix socket and dies by a signal leaves its file. */
function leaveSocket(path: string): void {
  const listen = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['--eval', listen]);
}

const makeFifo = (path: string) => spawnSync('mkfifo', [path]);
const remove = (path: string) => rmSync(path, { recursive: true });

/** What may take the log's path: how it gets there, and what is said of it. */
const ODD: [name: string, make: (path: string) => unknown, sentence: RegExp][] = [
  ['a folder', (path) => mkdirSync(path), /access\.log is not a file$/],
  ['a FIFO', makeFifo, /access\.log is not a file$/],
  ['a socket', leaveSocket, /access\.log is not a file$/],
  ['a link to a folder', (path) => symlinkSync(files.folder, path), /access\.log is not a file$/],
  ['a link to itself', (path) => symlinkSync(path, path), /too many symbolic links.*access\.log/],
];

describe.each(ODD)('%s at the path of the log', (_name, make, sentence) => {
  test('is a problem, until it is a file', () => {
    make(files.path);
    const log = files.follower();
    expect(log.next()).toBeUndefined();
    expect(log.problem()).toMatch(sentence);
    expect(log.isAtEnd()).toBe(false);
    remove(files.path);
    files.write('a');
    expect(readAll(log)).toMatchObject({ lines: ['a'], gaps: [] });
    expect(log.problem()).toBeUndefined();
  });

  test('while it is followed keeps nothing from being read that was written before', () => {
    files.write('a');
    const log = files.follower();
    readAll(log);
    files.write('b');
    const away = join(files.folder, 'away');
    renameSync(files.path, away);
    make(files.path);
    expect(readAll(log).lines).toEqual(['b']);
    expect(log.problem()).toMatch(sentence);
    remove(files.path);
    renameSync(away, files.path);
    files.write('c');
    expect(readAll(log)).toMatchObject({ lines: ['c'], gaps: [] });
    expect(log.problem()).toBeUndefined();
  });
});

test.each(ODD.slice(0, 4))(
  '%s under a rolled file’s name is passed over, and said',
  (_name, make) => {
    make(join(files.folder, 'access-2026-11-20T09-00-00.000-size.log'));
    files.write('a');
    const log = files.follower();
    expect(readAll(log).lines).toEqual(['a']);
    expect(log.problem()).toMatch(/access-2026.*size\.log is not a file and is passed over/);
  },
);

test('a FIFO that took a file’s place since it was listed does not block', () => {
  files.write('a');
  const { ino, size, mtimeMs } = statSync(files.path);
  const listed = { path: files.path, inode: String(ino), bytes: size, modifiedMs: mtimeMs };
  unlinkSync(files.path);
  makeFifo(files.path);
  const opener = createOpener({ spool: undefined, maxUnpackedBytes: 1, now: Date.now });
  expect(opener.open(listed)).toEqual({ is: 'gone' });
});

test('a link to nothing is a log that is not there yet', () => {
  symlinkSync(join(files.folder, 'target.log'), files.path);
  const log = files.follower();
  expect(log.next()).toBeUndefined();
  expect(log.problem()).toMatch(/there is no access log at .* yet/);
  writeFileSync(join(files.folder, 'target.log'), 'a\n');
  expect(readAll(log).lines).toEqual(['a']);
});

test('a link to nothing under a rolled file’s name is passed over', () => {
  symlinkSync('nowhere', join(files.folder, 'access-2026-11-20T09-00-00.000-size.log'));
  files.write('a');
  expect(readAll(files.follower()).lines).toEqual(['a']);
});

describe('a file that may not be read', () => {
  /** Looks as somebody who owns nothing here; root may read everything. */
  function lookAsNobody(log: Follower): ReturnType<Follower['next']> {
    if (process.geteuid?.() !== 0) return log.next();
    process.seteuid?.(65_534);
    try {
      return log.next();
    } finally {
      process.seteuid?.(0);
    }
  }

  test.each(['log', 'rolled log', 'compressed log', 'folder'])(
    'is a problem, until it may be, and nothing is lost: %s',
    (what) => {
      files.write('a');
      let locked = files.path;
      if (what !== 'log') locked = files.roll();
      if (what === 'compressed log') locked = files.pack(locked);
      if (what === 'folder') locked = files.folder;
      files.write('b');
      chmodSync(files.folder, 0o755);
      chmodSync(locked, 0o000);
      const log = files.follower();
      expect(lookAsNobody(log)).toBeUndefined();
      expect(log.problem()).toMatch(/can't be read: EACCES: permission denied/);
      expect(log.problem()).toContain("belong to Caddy's group; folder 0750, log 0640");
      expect(log.isAtEnd()).toBe(false);
      chmodSync(locked, 0o755);
      expect(readAll(log)).toMatchObject({ lines: ['a', 'b'], gaps: [] });
      expect(log.problem()).toBeUndefined();
    },
  );
});

describe('a line of 10 MB', () => {
  const BYTES = 10_000_000;

  test('is set aside, and its neighbours are read', () => {
    files.write('a', '~'.repeat(BYTES), 'b');
    expect(readAll(files.follower())).toMatchObject({
      lines: ['a', 'b'],
      setAside: [{ reason: 'too-long', bytes: BYTES }],
    });
  });

  test('that grows is waited for', () => {
    const log = files.follower();
    for (let part = 0; part < 10; part++) {
      appendFileSync(files.path, '~'.repeat(BYTES / 10));
      expect(log.next()).toBeUndefined();
    }
    files.write('', 'b');
    expect(readAll(log)).toMatchObject({ lines: ['b'], setAside: [{ bytes: BYTES }] });
  });

  test('without an end in a rolled file is set aside', () => {
    appendFileSync(files.path, '~'.repeat(BYTES));
    files.roll();
    files.write('b');
    expect(readAll(files.follower())).toMatchObject({ lines: ['b'], setAside: [{ bytes: BYTES }] });
  });

  test('of newlines is so many empty lines', () => {
    appendFileSync(files.path, '\n'.repeat(10_000));
    expect(readAll(files.follower()).lines).toHaveLength(10_000);
  });
});

test('bytes that are no text are lines as any other', () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter((b) => b !== 10));
  appendFileSync(files.path, Buffer.concat([bytes, Buffer.from('\n'), bytes, Buffer.from('\n')]));
  const [first, second] = files.follower().next()?.lines ?? [];
  expect(first?.bytes.equals(bytes)).toBe(true);
  expect(second?.bytes.equals(bytes)).toBe(true);
});
