// The log as a queue: nothing lost, nothing twice, whatever happens to its files. Hostile cases 43
// and 53. Real files in a temporary folder, rolled as Caddy 2.11.4 rolls them.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint } from '../../sidecar/accesslog/follow.ts';
import { setAsideLine } from '../../sidecar/accesslog/set-aside.ts';
import { makeLogFolder, readAll, type LogFolder } from '../fixtures/log-folder.ts';

let files: LogFolder;
let folder: string;
let path: string;
let write: LogFolder['write'];
let roll: LogFolder['roll'];
let follower: LogFolder['follower'];

beforeEach(() => {
  files = makeLogFolder();
  ({ folder, path, write, roll, follower } = files);
});
afterEach(() => files.remove());

describe('a file', () => {
  test('that is not there yet is waited for', () => {
    const log = follower();
    expect(log.next()).toBeUndefined();
    expect(log.problem()).toMatch(/there is no access log at .* yet/);
    write('a');
    expect(readAll(log).lines).toEqual(['a']);
  });

  test('in a folder that is not there yet is waited for', () => {
    path = join(folder, 'logs', 'access.log');
    const log = follower({ path });
    expect(log.next()).toBeUndefined();
    expect(log.problem()).toMatch(/there is no access log at .* yet/);
    mkdirSync(join(folder, 'logs'));
    writeFileSync(path, 'a\n');
    expect(readAll(log).lines).toEqual(['a']);
  });

  test('that was removed is a problem, for as long as no other takes its place', () => {
    write('a');
    const log = follower();
    expect(readAll(log).lines).toEqual(['a']);
    expect(log.problem()).toBeUndefined();
    rmSync(path);
    expect(log.next()).toBeUndefined();
    expect(log.problem()).toMatch(/was removed/);
    write('b');
    expect(readAll(log).lines).toEqual(['b']);
    expect(log.problem()).toBeUndefined();
  });

  test('with a folder in its place is a problem, until it is a file', () => {
    mkdirSync(path);
    const log = follower();
    expect(log.next()).toBeUndefined();
    expect(log.problem()).toMatch(/access\.log is not a file/);
    rmSync(path, { recursive: true });
    write('a');
    expect(readAll(log).lines).toEqual(['a']);
    expect(log.problem()).toBeUndefined();
  });

  test('that grows gives each line once', () => {
    const log = follower();
    write('a', 'b');
    expect(readAll(log).lines).toEqual(['a', 'b']);
    expect(log.next()).toBeUndefined();
    write('c');
    expect(readAll(log).lines).toEqual(['c']);
  });

  test('ending in half a line keeps it back until it is whole', () => {
    const log = follower();
    appendFileSync(path, 'a\nhalf');
    expect(readAll(log).lines).toEqual(['a']);
    appendFileSync(path, ' and whole\n');
    expect(readAll(log).lines).toEqual(['half and whole']);
  });

  test('is read in batches of at most so many lines, each with the checkpoint behind it', () => {
    write('a', 'b', 'c');
    const log = follower({ maxBatchLines: 2 });
    expect(log.next()?.checkpoint.offset).toBe(4);
    expect(log.next()?.checkpoint.offset).toBe(6);
    expect(log.next()).toBeUndefined();
  });

  test('is the same when all batches lie in the same memory', () => {
    const long = '~'.repeat(30);
    write('a', 'bb', long, 'ccc', 'd');
    const limits = { maxLineBytes: 10, maxBatchBytes: 10 };
    const { lines, setAside } = readAll(follower({ ...limits, isMemoryReused: true }));
    expect(lines).toEqual(['a', 'bb', 'ccc', 'd']);
    expect(setAside).toEqual([setAsideLine(Buffer.from(long), 'too-long')]);
  });

  test('keeps its bytes as they are', () => {
    writeFileSync(path, Buffer.from([0xff, 0x00, 0x0d, 0x0a]));
    expect(follower().next()?.lines).toEqual([{ bytes: Buffer.from([0xff, 0x00, 0x0d]) }]);
  });
});

describe('an over-long line', () => {
  const long = '~'.repeat(300_000);

  test('is set aside with its hash, its beginning and its length, and its neighbours are read', () => {
    write('a', long, 'b');
    const { lines, setAside } = readAll(follower({ maxLineBytes: 10, maxBatchBytes: 10 }));
    expect(lines).toEqual(['a', 'b']);
    expect(setAside).toMatchObject([
      { reason: 'too-long', bytes: 300_000, head: '~'.repeat(4096) },
    ]);
  });

  test('has the same hash whether it fits into the buffer or not', () => {
    write(long);
    const [small] = readAll(follower({ maxLineBytes: 10, maxBatchBytes: 10 })).setAside;
    const [large] = readAll(follower({ maxLineBytes: 10, maxBatchBytes: 1_000_000 })).setAside;
    expect(small).toEqual(large);
  });

  test('is not consumed before it is complete', () => {
    appendFileSync(path, long);
    const log = follower({ maxLineBytes: 10 });
    expect(log.next()).toBeUndefined();
    write('', 'b');
    expect(readAll(log)).toMatchObject({ lines: ['b'], setAside: [{ bytes: 300_000 }] });
  });

  test('may be the first one and the last one before a restart', () => {
    write(long);
    const { checkpoint } = readAll(follower({ maxLineBytes: 10 }));
    write('b');
    expect(readAll(follower({ checkpoint, maxLineBytes: 10 })).lines).toEqual(['b']);
  });
});

describe('rolling', () => {
  test('is followed from the old file’s end into the new one', () => {
    const log = follower();
    write('a');
    expect(readAll(log).lines).toEqual(['a']);
    write('b');
    roll();
    write('c');
    expect(readAll(log).lines).toEqual(['b', 'c']);
  });

  test('several times between two reads loses nothing', () => {
    const log = follower();
    write('a');
    readAll(log);
    for (const line of ['b', 'c', 'd']) {
      roll();
      write(line);
    }
    expect(readAll(log).lines).toEqual(['b', 'c', 'd']);
  });

  test('leaves nothing to do while the new file is not there yet', () => {
    const log = follower();
    write('a');
    roll();
    expect(readAll(log).lines).toEqual(['a']);
    write('b');
    expect(readAll(log).lines).toEqual(['b']);
  });

  test('keeps a last line of the old file that lacks nothing but its newline', () => {
    const log = follower();
    appendFileSync(path, 'a\n{"b":1}');
    roll();
    write('c');
    expect(readAll(log)).toMatchObject({ lines: ['a', '{"b":1}', 'c'], setAside: [] });
  });

  test('sets a half line at the end of the old file aside', () => {
    const log = follower();
    appendFileSync(path, 'a\nhalf');
    expect(readAll(log).lines).toEqual(['a']);
    roll();
    write('b');
    expect(readAll(log)).toMatchObject({
      lines: ['b'],
      setAside: [{ reason: 'half-line', head: 'half', bytes: 4 }],
    });
  });

  test('away of the file that is being read goes on with the oldest that is left', () => {
    const log = follower();
    write('a');
    readAll(log);
    unlinkSync(roll());
    write('b');
    roll();
    write('c');
    expect(readAll(log).lines).toEqual(['b', 'c']);
  });

  test('does not mistake other files for the log’s', () => {
    for (const name of [
      'access-old.log',
      'error-2026-11-20T09-00-00.000-size.log',
      'access.log.1',
    ]) {
      writeFileSync(join(folder, name), 'x\n');
    }
    write('a');
    expect(readAll(follower()).lines).toEqual(['a']);
  });
});

describe('after a restart', () => {
  test('the follower goes on where the checkpoint says', () => {
    write('a', 'b');
    const checkpoint = follower({ maxBatchLines: 1 }).next()?.checkpoint;
    expect(readAll(follower({ checkpoint })).lines).toEqual(['b']);
  });

  test('a checkpoint survives JSON', () => {
    write('a', 'b');
    const { checkpoint } = readAll(follower());
    write('c');
    const stored = JSON.parse(JSON.stringify(checkpoint)) as Checkpoint;
    expect(stored).toEqual(checkpoint);
    expect(readAll(follower({ checkpoint: stored })).lines).toEqual(['c']);
  });

  test('a file that was rolled twice meanwhile is found, and the others after it', () => {
    write('a', 'b');
    const checkpoint = follower({ maxBatchLines: 1 }).next()?.checkpoint;
    roll();
    write('c');
    roll();
    write('d');
    expect(readAll(follower({ checkpoint })).lines).toEqual(['b', 'c', 'd']);
  });

  test('a file that is gone makes it read all there is', () => {
    write('a');
    const { checkpoint } = readAll(follower());
    unlinkSync(path);
    write('b');
    roll();
    write('c');
    expect(readAll(follower({ checkpoint })).lines).toEqual(['b', 'c']);
  });

  test('a new file with the inode of a deleted one is read from its beginning', () => {
    write('a', 'b');
    const { checkpoint } = readAll(follower());
    const reused = { ...(checkpoint as Checkpoint) };
    unlinkSync(path);
    write('c', 'd', 'e');
    const stats = statSync(path, { bigint: true });
    // Whether the file system gave the inode out again or not: the checkpoint says that it did.
    const file = {
      ...reused.file,
      inode: String(stats.ino),
      birthTimeNs: String(stats.birthtimeNs),
    };
    expect(readAll(follower({ checkpoint: { ...reused, file } })).lines).toEqual(['c', 'd', 'e']);
  });

  test('a log that was copied back from a backup is known by what is in it', () => {
    write('a', 'b');
    const { checkpoint } = readAll(follower());
    copyFileSync(path, join(folder, 'backup'));
    unlinkSync(path);
    renameSync(join(folder, 'backup'), path);
    write('c');
    expect(readAll(follower({ checkpoint })).lines).toEqual(['c']);
  });

  test('a log that is shorter than the checkpoint is read from its beginning', () => {
    write('a', 'b', 'c');
    const { checkpoint } = readAll(follower());
    truncateSync(path, 4);
    expect(readAll(follower({ checkpoint })).lines).toEqual(['a', 'b']);
  });
});

describe('a log that is truncated while it is followed', () => {
  test('is read from its beginning', () => {
    const log = follower();
    write('a', 'b');
    readAll(log);
    truncateSync(path, 0);
    expect(log.next()).toBeUndefined();
    write('c');
    expect(readAll(log).lines).toEqual(['c']);
  });

  test('is noticed when it has grown beyond the old end meanwhile', () => {
    const log = follower();
    write('a', 'b');
    readAll(log);
    truncateSync(path, 0);
    write('c', 'd', 'e');
    expect(readAll(log).lines).toEqual(['c', 'd', 'e']);
  });
});

describe('lag', () => {
  test('is what is written and not yet read, in all files', () => {
    const log = follower({ maxBatchLines: 1 });
    write('a', 'b');
    roll();
    write('c');
    expect(log.lagBytes()).toBe(6);
    log.next();
    expect(log.lagBytes()).toBe(4);
    readAll(log);
    expect(log.lagBytes()).toBe(0);
  });
});
