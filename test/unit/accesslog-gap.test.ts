// What is told of lines that may be missing from the log, once each, and what is no gap.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { copyFileSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeLogFolder, readAll, type LogFolder } from '../fixtures/log-folder.ts';

let files: LogFolder;
beforeEach(() => {
  files = makeLogFolder();
});
afterEach(() => files.remove());

const LOST_PLACE = expect.stringMatching(/in which the log had been read is gone/);
const DELETED = expect.stringMatching(/were deleted before they were read/);
const TRUNCATED = expect.stringMatching(/truncated or overwritten in place/);
const DAMAGED_PLACE = 'The place in the log was damaged; everything is read again.';

/** Writes a line into a file of its own, and rolls it. */
function rolledWith(...lines: string[]): string {
  files.write(...lines);
  return files.roll();
}

describe('a gap is told', () => {
  test('when the file of the checkpoint is gone', () => {
    files.write('a');
    const { checkpoint } = readAll(files.follower());
    unlinkSync(files.path);
    files.write('b');
    expect(readAll(files.follower({ checkpoint }))).toMatchObject({
      lines: ['b'],
      gaps: [LOST_PLACE],
    });
  });

  test('when the file of the checkpoint is shorter than it was', () => {
    files.write('a', 'b');
    const { checkpoint } = readAll(files.follower());
    truncateSync(files.path, 2);
    expect(readAll(files.follower({ checkpoint }))).toMatchObject({
      lines: ['a'],
      gaps: [LOST_PLACE],
    });
  });

  test('when the log is truncated while it is followed', () => {
    const log = files.follower();
    files.write('a', 'b');
    readAll(log);
    truncateSync(files.path, 0);
    files.write('c');
    expect(readAll(log)).toMatchObject({ lines: ['c'], gaps: [TRUNCATED] });
  });

  test('when the file that is read was rolled and deleted, and others after it are there', () => {
    const log = files.follower();
    files.write('a');
    readAll(log);
    unlinkSync(files.roll());
    rolledWith('b');
    files.write('c');
    expect(readAll(log)).toMatchObject({ lines: ['b', 'c'], gaps: [DELETED] });
  });

  test('when the file that is read and the one after it were deleted', () => {
    const [first, second] = [rolledWith('a', 'b'), rolledWith('c')];
    rolledWith('d');
    files.write('e');
    const log = files.follower({ maxBatchLines: 1 });
    log.next();
    for (const rolled of [first, second]) unlinkSync(rolled);
    expect(readAll(log)).toMatchObject({ lines: ['b', 'd', 'e'], gaps: [DELETED] });
  });

  test('when the checkpoint was damaged, and everything is read', () => {
    rolledWith('a');
    files.write('b');
    expect(readAll(files.follower({ isCheckpointLost: true }))).toMatchObject({
      lines: ['a', 'b'],
      gaps: [DAMAGED_PLACE],
    });
  });

  test('with the next batch, however late it comes', () => {
    files.write('a');
    const { checkpoint } = readAll(files.follower());
    unlinkSync(files.path);
    const log = files.follower({ checkpoint });
    expect(readAll(log)).toMatchObject({ lines: [], gaps: [] });
    files.write('b');
    expect(log.next()).toMatchObject({ gap: LOST_PLACE });
  });

  test('once, and not again by a restart from the checkpoint behind it', () => {
    files.write('a');
    const { checkpoint } = readAll(files.follower());
    unlinkSync(files.path);
    files.write('b');
    const after = readAll(files.follower({ checkpoint }));
    files.write('c');
    expect(readAll(files.follower({ checkpoint: after.checkpoint }))).toMatchObject({
      lines: ['c'],
      gaps: [],
    });
  });

  test('again when nothing behind it was kept', () => {
    files.write('a');
    const { checkpoint } = readAll(files.follower());
    unlinkSync(files.path);
    files.write('b');
    for (const log of [files.follower({ checkpoint }), files.follower({ checkpoint })]) {
      expect(readAll(log).gaps).toEqual([LOST_PLACE]);
    }
  });
});

describe('no gap is', () => {
  test('a first start', () => {
    files.pack(rolledWith('a'));
    rolledWith('b');
    files.write('c');
    expect(readAll(files.follower())).toMatchObject({ lines: ['a', 'b', 'c'], gaps: [] });
  });

  test('a log that was read to its end, removed, and begun anew', () => {
    rolledWith('a');
    files.write('b');
    const log = files.follower();
    readAll(log);
    rmSync(files.path);
    files.write('c');
    expect(readAll(log)).toMatchObject({ lines: ['c'], gaps: [] });
  });

  test('a rolled file that was deleted while it was read, as long as the one after it is there', () => {
    const first = rolledWith('a', 'b');
    files.pack(rolledWith('c'));
    files.write('d');
    const log = files.follower({ maxBatchLines: 1 });
    log.next();
    unlinkSync(first);
    expect(readAll(log)).toMatchObject({ lines: ['b', 'c', 'd'], gaps: [] });
  });

  test('a copy of the log that was put back while it was followed, and rolled', () => {
    const log = files.follower();
    files.write('a', 'b');
    readAll(log);
    copyFileSync(files.path, `${files.path}.bak`);
    renameSync(`${files.path}.bak`, files.path);
    files.write('c');
    rolledWith('d');
    files.write('e');
    expect(readAll(log)).toMatchObject({ lines: ['c', 'd', 'e'], gaps: [] });
  });

  test('the deletion of older ones', () => {
    const first = rolledWith('a');
    rolledWith('b');
    files.write('c');
    const { checkpoint } = readAll(files.follower());
    unlinkSync(first);
    files.write('d');
    expect(readAll(files.follower({ checkpoint }))).toMatchObject({ lines: ['d'], gaps: [] });
  });

  test('a checkpoint’s file that is away for a time, with the whole log', () => {
    files.write('a');
    const { checkpoint } = readAll(files.follower());
    const away = join(files.folder, 'away');
    renameSync(files.path, away);
    const log = files.follower({ checkpoint });
    expect(log.next()).toBeUndefined();
    renameSync(away, files.path);
    files.write('b');
    expect(readAll(log)).toMatchObject({ lines: ['b'], gaps: [] });
  });
});

describe('a clock that was set back', () => {
  test('gives a rolled file a name before those that were read: it is read', () => {
    rolledWith('a');
    files.write('b');
    const log = files.follower();
    expect(readAll(log).lines).toEqual(['a', 'b']);
    files.write('c');
    renameSync(files.path, join(files.folder, 'access-2025-01-01T00-00-00.000-size.log'));
    files.write('d');
    expect(readAll(log)).toMatchObject({ lines: ['c', 'd'], gaps: [] });
  });

  test('gives one a name after those that come later: these are read, too', () => {
    const log = files.follower({ maxBatchLines: 1 });
    files.write('a', 'b');
    log.next();
    renameSync(files.path, join(files.folder, 'access-2099-01-01T00-00-00.000-size.log'));
    rolledWith('c');
    files.write('d');
    expect(readAll(log)).toMatchObject({ lines: ['b', 'c', 'd'], gaps: [] });
  });
});

describe('whether the log was read to its end', () => {
  test('is told by the last look', () => {
    const log = files.follower();
    expect(log.isAtEnd()).toBe(false);
    log.next();
    expect(log.isAtEnd()).toBe(true);
    files.write('a');
    log.next();
    expect(log.isAtEnd()).toBe(true);
  });

  // While lines come all the time every look finds some: losses must be told all the same.
  test('is so with the last line, not only when nothing comes any more', () => {
    files.write('a', 'b');
    const log = files.follower({ maxBatchLines: 1 });
    log.next();
    expect(log.isAtEnd()).toBe(false);
    log.next();
    expect(log.isAtEnd()).toBe(true);
  });

  test('is not so at the end of a rolled file', () => {
    rolledWith('a');
    files.write('b');
    const log = files.follower();
    log.next();
    expect(log.isAtEnd()).toBe(false);
    log.next();
    expect(log.isAtEnd()).toBe(true);
  });

  test('is not so before a line that is being written', () => {
    writeFileSync(files.path, 'a\nhalf');
    const log = files.follower();
    log.next();
    expect(log.isAtEnd()).toBe(false);
  });

  test('is not so as long as something is in its way', () => {
    files.write('a');
    const log = files.follower();
    readAll(log);
    rmSync(files.path);
    writeFileSync(`${files.path}.x`, '');
    renameSync(`${files.path}.x`, join(files.folder, 'access-2026-12-01T00-00-00.000-size.log.gz'));
    files.write('b');
    expect(log.next()).toBeUndefined();
    expect(log.problem()).toMatch(/can't be unpacked/);
    expect(log.isAtEnd()).toBe(false);
  });
});
