// Two Caddys that write to one log: when one of them rolls it, the other writes on into the file that
// was renamed. What it writes after that file was read to its end is missing, and that is told.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename } from 'node:path';
import { makeLogFolder, readAll, type LogFolder } from '../fixtures/log-folder.ts';

let files: LogFolder;
const opened: number[] = [];
beforeEach(() => {
  files = makeLogFolder();
});
afterEach(() => {
  for (const fd of opened.splice(0)) closeSync(fd);
  files.remove();
});

/** Opens the log as another Caddy has it open, whatever its name is later; returns what writes to it. */
function otherCaddy(): (...lines: string[]) => void {
  const fd = openSync(files.path, 'a');
  opened.push(fd);
  return (...lines) => lines.forEach((line) => writeSync(fd, `${line}\n`));
}

const toldOf = (rolled: string) =>
  `The rolled file ${basename(rolled)} was written to after it had been read to its end: those ` +
  'lines are missing. Do two Caddys write to one log? Each needs its own.';

/** Leaves a log of which the first file was read and rolled, and the second one begun and read. */
function rolledAndRead(options = {}) {
  const log = files.follower(options);
  files.write('a');
  const other = otherCaddy();
  readAll(log);
  const rolled = files.roll();
  files.write('b');
  readAll(log);
  return { log, other, rolled };
}

/** Returns which files of the folder this process has open, those without a name among them. */
function openInFolder(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(files.folder) ? [basename(target)] : [];
    } catch {
      return []; // it was the one of this list
    }
  });
}

describe('a rolled file that is written to after it was read to its end', () => {
  test('is told with the next lines after a look at the lag', () => {
    const { log, other, rolled } = rolledAndRead();
    other('late');
    log.lagBytes();
    files.write('c');
    expect(readAll(log)).toMatchObject({ lines: ['c'], gaps: [toldOf(rolled)] });
  });

  test('is told at the next change of files, without a look at the lag', () => {
    const { log, other, rolled } = rolledAndRead();
    other('late');
    files.roll();
    files.write('c');
    expect(readAll(log)).toMatchObject({ lines: ['c'], gaps: [toldOf(rolled)] });
  });

  test('is told once, however often it is written to', () => {
    const { log, other, rolled } = rolledAndRead();
    const gaps: string[] = [];
    for (const line of ['c', 'd', 'e']) {
      other('late');
      log.lagBytes();
      files.write(line);
      gaps.push(...readAll(log).gaps);
    }
    expect(gaps).toEqual([toldOf(rolled)]);
  });

  test('is told of for each file', () => {
    const { log, other, rolled } = rolledAndRead();
    const second = otherCaddy();
    const rolledNext = files.roll();
    files.write('c');
    readAll(log);
    other('late');
    second('late');
    log.lagBytes();
    files.write('d');
    expect(readAll(log).gaps).toEqual([`${toldOf(rolled)} ${toldOf(rolledNext)}`]);
  });

  test('is told when it was read after it had been rolled', () => {
    files.write('a');
    const [other, rolled] = [otherCaddy(), files.roll()];
    files.write('b');
    const log = files.follower();
    readAll(log);
    other('late');
    log.lagBytes();
    files.write('c');
    expect(readAll(log).gaps).toEqual([toldOf(rolled)]);
  });

  test.each(['gz', 'zst'] as const)('is told when it was compressed to .%s before', (suffix) => {
    const { log, other, rolled } = rolledAndRead();
    files.pack(rolled, suffix);
    log.lagBytes();
    other('late');
    log.lagBytes();
    files.write('c');
    expect(readAll(log)).toMatchObject({ lines: ['c'], gaps: [toldOf(rolled)] });
  });

  test('is told when it was rolled and compressed between two looks', () => {
    const log = files.follower();
    files.write('a');
    const other = otherCaddy();
    readAll(log);
    other('in time');
    const rolled = files.roll();
    files.pack(rolled);
    files.write('b');
    expect(readAll(log)).toMatchObject({ lines: ['in time', 'b'], gaps: [] });
    other('late');
    log.lagBytes();
    files.write('c');
    expect(readAll(log).gaps).toEqual([toldOf(rolled)]);
  });

  test('is told when it had more lines by then than what it was compressed to', () => {
    const log = files.follower();
    files.write('a');
    const other = otherCaddy();
    readAll(log);
    const rolled = files.roll();
    files.pack(rolled);
    files.write('b');
    other('in time');
    expect(readAll(log)).toMatchObject({ gaps: [] });
    other('late');
    log.lagBytes();
    files.write('c');
    expect(readAll(log).gaps).toEqual([toldOf(rolled)]);
  });

  test('is told when two wrote two thousand lines, for those that were not handed out', () => {
    const log = files.follower();
    files.write('a');
    const other = otherCaddy();
    let [written, read] = [1, readAll(log).lines.length];
    const gaps: string[] = [];
    files.roll();
    for (let round = 0; round < 100; round++) {
      files.write(...Array.from({ length: 10 }, (_, line) => `${round} ${line}`));
      other(...Array.from({ length: 10 }, (_, line) => `other ${round} ${line}`));
      written += 20;
      const now = readAll(log);
      read += now.lines.length;
      gaps.push(...now.gaps);
      log.lagBytes();
    }
    expect(written - read).toBe(990); // those of the first round were written in time
    expect(gaps).toHaveLength(1);
  });
});

describe('no gap is told of', () => {
  test('what another Caddy writes before the renamed file was read to its end', () => {
    const log = files.follower();
    files.write('a');
    const other = otherCaddy();
    readAll(log);
    files.roll();
    other('in time');
    files.write('b');
    other('in time, too');
    expect(readAll(log).lines).toEqual(['in time', 'in time, too', 'b']);
    log.lagBytes();
    files.write('c');
    expect(readAll(log).gaps).toEqual([]);
  });

  test('a rolled file that has half a line at its end', () => {
    const log = files.follower();
    files.write('a');
    readAll(log);
    appendFileSync(files.path, 'half');
    files.roll();
    files.write('b');
    expect(readAll(log)).toMatchObject({ setAside: [{ reason: 'half-line' }], gaps: [] });
    log.lagBytes();
    files.write('c');
    expect(readAll(log).gaps).toEqual([]);
  });

  test.each(['gz', 'zst'] as const)('one that is compressed to .%s, with its lines', (suffix) => {
    const { log, rolled } = rolledAndRead();
    files.pack(rolled, suffix);
    log.lagBytes();
    files.write('c');
    expect(readAll(log)).toMatchObject({ lines: ['c'], gaps: [] });
  });

  test('one that is deleted, and whose inode and name a longer file takes', () => {
    const { log, rolled } = rolledAndRead();
    unlinkSync(rolled);
    appendFileSync(rolled, 'something that is longer than it was\n');
    log.lagBytes();
    files.write('c');
    expect(readAll(log)).toMatchObject({ lines: ['c'], gaps: [] });
  });

  test('one of which a copy is put back, and that has one more line', () => {
    const { log, rolled } = rolledAndRead();
    copyFileSync(rolled, `${rolled}.bak`);
    appendFileSync(`${rolled}.bak`, 'more\n');
    renameSync(`${rolled}.bak`, rolled);
    log.lagBytes();
    files.write('c');
    expect(readAll(log)).toMatchObject({ lines: ['c'], gaps: [] });
  });

  test('a log that is no rolled file, and of which a copy was put back', () => {
    const log = files.follower();
    files.write('a');
    const other = otherCaddy();
    readAll(log);
    copyFileSync(files.path, `${files.path}.bak`);
    renameSync(`${files.path}.bak`, files.path);
    files.write('b');
    expect(readAll(log).lines).toEqual(['b']);
    other('not ours any more');
    log.lagBytes();
    files.write('c');
    expect(readAll(log)).toMatchObject({ lines: ['c'], gaps: [] });
  });

  // The checkpoint tells which files were read to their end, and not how long they were.
  test('one that was left before a restart', () => {
    const { log, other } = rolledAndRead();
    files.write('c');
    const { checkpoint } = readAll(log);
    other('late');
    const restarted = files.follower({ checkpoint });
    restarted.lagBytes();
    files.write('d');
    expect(readAll(restarted)).toMatchObject({ lines: ['d'], gaps: [] });
  });
});

describe('of the files that were left', () => {
  test('none is open any more when the follower is closed', () => {
    const log = files.follower();
    for (const line of ['a', 'b', 'c']) {
      files.write(line);
      files.roll();
    }
    files.write('d');
    readAll(log);
    expect(openInFolder()).toHaveLength(4);
    log.close();
    expect(openInFolder()).toEqual([]);
  });

  test('the last eight are held', () => {
    const log = files.follower();
    for (let number = 0; number < 20; number++) {
      files.write(`line ${number}`);
      files.roll();
    }
    files.write('z');
    readAll(log);
    expect(openInFolder()).toHaveLength(9);
  });

  test('a deleted one takes its space for a minute at most', () => {
    let ahead = 0;
    const { log, rolled } = rolledAndRead({ now: () => Date.now() + ahead });
    for (const fd of opened.splice(0)) closeSync(fd); // the other Caddy's
    unlinkSync(rolled);
    log.lagBytes();
    expect(openInFolder()).toEqual([`${basename(rolled)} (deleted)`, 'access.log']);
    ahead = 61_000;
    log.lagBytes();
    expect(openInFolder()).toEqual(['access.log']);
  });
});
