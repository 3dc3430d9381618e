// Rolled files that Caddy compressed: read in their turn, found again, never half, and given up only
// when they can't be had. Compressed by the same library; accesslog-caddy.test.ts lets Caddy do it.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint } from '../../sidecar/accesslog/follow.ts';
import {
  LONG_AGO,
  makeLogFolder,
  readAll,
  type LogFolder,
  type Suffix,
} from '../fixtures/log-folder.ts';

let files: LogFolder;
beforeEach(() => {
  files = makeLogFolder();
});
afterEach(() => files.remove());

const SUFFIXES: Suffix[] = ['gz', 'zst'];

/** Writes lines into a file of their own, and rolls it. */
function rolledWith(...lines: string[]): string {
  files.write(...lines);
  return files.roll();
}

/** Puts a copy in place of a file, as from a backup. */
function copyBack(path: string): void {
  copyFileSync(path, `${path}.bak`);
  unlinkSync(path);
  copyFileSync(`${path}.bak`, path);
}

/** Cuts a compressed file short, as if somebody had done so long ago. */
function damage(packed: string): void {
  truncateSync(packed, statSync(packed).size - 3);
  utimesSync(packed, LONG_AGO, LONG_AGO);
}

describe.each(SUFFIXES)('a rolled file that was compressed to .%s', (suffix) => {
  test('is read in its turn', () => {
    rolledWith('a');
    files.pack(rolledWith('b', 'c'), suffix);
    rolledWith('d');
    files.write('e');
    const log = files.follower();
    expect(readAll(log)).toMatchObject({ lines: ['a', 'b', 'c', 'd', 'e'], gaps: [] });
    expect(log.problem()).toBeUndefined();
  });

  test('is not read as long as its original is there: it may be half of it', () => {
    const rolled = rolledWith('a', 'b');
    files.beginPacking(rolled, suffix);
    files.write('c');
    expect(readAll(files.follower())).toMatchObject({ lines: ['a', 'b', 'c'], gaps: [] });
  });

  test('while it is read is read on', () => {
    const rolled = rolledWith('a', 'b');
    files.write('c');
    const log = files.follower({ maxBatchLines: 1 });
    log.next();
    files.pack(rolled, suffix);
    expect(readAll(log)).toMatchObject({ lines: ['b', 'c'], gaps: [] });
  });

  test('between two looks, and others after it, is known by what is in it', () => {
    files.pack(rolledWith('before'), suffix);
    files.write('a');
    const log = files.follower();
    expect(readAll(log).lines).toEqual(['before', 'a']);
    files.pack(rolledWith('b'), suffix);
    files.pack(rolledWith('c'), suffix);
    files.write('d');
    expect(readAll(log)).toMatchObject({ lines: ['b', 'c', 'd'], gaps: [] });
  });

  test('after the checkpoint is found again by what is in it', () => {
    files.pack(rolledWith('before'), suffix);
    files.write('a', 'b');
    const checkpoint = readAll(files.follower({ maxBatchLines: 1 })).checkpoint;
    files.write('c');
    files.pack(files.roll(), suffix);
    files.pack(rolledWith('d'), suffix);
    files.write('e');
    const read = readAll(files.follower({ checkpoint }));
    expect(read).toMatchObject({ lines: ['c', 'd', 'e'], gaps: [] });
  });

  test('is read on where it was when it was a copy that had been put back, and had grown', () => {
    const log = files.follower();
    files.write('a');
    readAll(log);
    copyBack(files.path);
    files.write('b');
    files.pack(files.roll(), suffix);
    files.write('c');
    expect(readAll(log)).toMatchObject({ lines: ['b', 'c'], gaps: [] });
  });

  test('may hold the checkpoint', () => {
    files.pack(rolledWith('a', 'b'), suffix);
    files.write('c');
    const checkpoint = files.follower({ maxBatchLines: 1 }).next()?.checkpoint;
    expect(checkpoint?.offset).toBe(2);
    expect(readAll(files.follower({ checkpoint }))).toMatchObject({ lines: ['b', 'c'], gaps: [] });
  });

  test('has its half line at the end set aside', () => {
    files.write('a');
    writeFileSync(files.path, 'a\nhalf');
    files.pack(files.roll(), suffix);
    expect(readAll(files.follower())).toMatchObject({
      lines: ['a'],
      setAside: [{ reason: 'half-line', head: 'half' }],
    });
  });
});

describe('two compressed files of one name', () => {
  test.each(SUFFIXES)('are one, of which the later is whole: .%s', (whole) => {
    const half = whole === 'gz' ? 'zst' : 'gz';
    const rolled = rolledWith('a', 'b');
    files.beginPacking(rolled, half);
    files.pack(rolled, whole);
    files.write('c');
    expect(readAll(files.follower())).toMatchObject({ lines: ['a', 'b', 'c'], gaps: [] });
  });
});

describe('a compressed file that is damaged', () => {
  test.each(SUFFIXES)('is a gap and a problem, and the others are read: .%s', (suffix) => {
    rolledWith('a');
    const packed = files.pack(rolledWith('b'), suffix);
    damage(packed);
    files.write('c');
    const log = files.follower();
    expect(readAll(log)).toMatchObject({
      lines: ['a', 'c'],
      gaps: [expect.stringMatching(/size\.log\.(gz|zst) can't be unpacked: .*missing/)],
    });
    expect(log.problem()).toMatch(/size\.log\.(gz|zst) can't be unpacked: unexpected end/);
  });

  test('is a gap once', () => {
    damage(files.pack(rolledWith('a')));
    files.write('b');
    const log = files.follower();
    expect(readAll(log).gaps).toHaveLength(1);
    rolledWith('c');
    files.write('d');
    expect(readAll(log)).toMatchObject({ lines: ['c', 'd'], gaps: [] });
  });

  test('is no problem any more when it has been removed', () => {
    const packed = files.pack(rolledWith('a'));
    damage(packed);
    files.write('b');
    const log = files.follower();
    readAll(log);
    unlinkSync(packed);
    expect(log.problem()).toBeUndefined();
  });

  test('is no gap but for its rest when the checkpoint is in it', () => {
    rolledWith('before');
    files.write('a', 'b');
    const { checkpoint } = readAll(files.follower({ maxBatchLines: 1 }));
    // So long that the end can be cut off and the beginning still be seen.
    files.write(...Array.from({ length: 2000 }, (_, number) => `rest ${number}`));
    damage(files.pack(files.roll()));
    files.write('c');
    const { lines, gaps } = readAll(files.follower({ checkpoint }));
    expect(lines).toEqual(['c']);
    expect(gaps).toEqual([expect.stringMatching(/^The rolled file .* before are missing\.$/)]);
    expect(gaps.join()).not.toContain('is gone');
  });

  test('and changed lately is waited for: it may be a backup that is being copied', () => {
    const packed = files.pack(rolledWith('a'));
    const whole = readFileSync(packed);
    truncateSync(packed, whole.length - 3);
    files.write('b');
    const log = files.follower();
    expect(log.next()).toBeUndefined();
    expect(log.isAtEnd()).toBe(false);
    expect(log.problem()).toMatch(/can't be unpacked: unexpected end/);
    writeFileSync(packed, whole);
    expect(readAll(log)).toMatchObject({ lines: ['a', 'b'], gaps: [] });
    expect(log.problem()).toBeUndefined();
  });

  test('is given up when it has not changed for a minute', () => {
    const packed = files.pack(rolledWith('a'));
    truncateSync(packed, 10);
    files.write('b');
    let nowMs = Date.now();
    const log = files.follower({ now: () => nowMs });
    expect(log.next()).toBeUndefined();
    nowMs += 61_000;
    expect(readAll(log)).toMatchObject({
      lines: ['b'],
      gaps: [expect.stringContaining('missing')],
    });
  });

  test('is text, an empty file, or another format', () => {
    for (const content of [Buffer.from('a\n'), Buffer.alloc(0), Buffer.from('PK\u0003\u0004')]) {
      const packed = files.pack(rolledWith('a'));
      writeFileSync(packed, content);
      utimesSync(packed, LONG_AGO, LONG_AGO);
    }
    files.write('b');
    const { lines, gaps } = readAll(files.follower());
    expect(lines).toEqual(['b']);
    expect(gaps.join().match(/can't be unpacked/g)).toHaveLength(3);
  });
});

describe('a compressed file that holds more than may be unpacked', () => {
  test('is a gap and a problem, and the others are read', () => {
    files.pack(rolledWith('x'.repeat(100_000)));
    files.write('b');
    const log = files.follower({ maxUnpackedBytes: 99_999 });
    expect(readAll(log)).toMatchObject({
      lines: ['b'],
      gaps: [expect.stringContaining('more than 99999 bytes')],
    });
    expect(log.problem()).toContain('more than 99999 bytes');
  });

  test('is read when it holds just so much', () => {
    files.pack(rolledWith('x'.repeat(99_998)));
    files.write('b');
    expect(readAll(files.follower({ maxUnpackedBytes: 99_999 })).lines).toHaveLength(2);
  });
});

describe('what is unpacked', () => {
  test('lies in a folder of its own, without a name', () => {
    const spool = join(files.folder, 'state', 'spool');
    files.pack(rolledWith('a', 'b'));
    files.write('c');
    files.follower({ spool, maxBatchLines: 1 }).next();
    expect(statSync(spool).mode & 0o777).toBe(0o700);
    expect(readdirSync(spool)).toEqual([]);
  });

  test('can’t be written: that is a problem, and nothing is given up', () => {
    const spool = join(files.folder, 'spool');
    writeFileSync(spool, 'a file');
    files.pack(rolledWith('a'));
    files.write('b');
    const log = files.follower({ spool });
    expect(log.next()).toBeUndefined();
    expect(log.problem()).toMatch(/can't be read: .*spool/);
    expect(log.isAtEnd()).toBe(false);
    rmSync(spool);
    expect(readAll(log)).toMatchObject({ lines: ['a', 'b'], gaps: [] });
    expect(log.problem()).toBeUndefined();
  });
});

describe('lag', () => {
  test('counts a compressed file as it lies there', () => {
    const packed = files.pack(rolledWith('a'.repeat(10_000)));
    files.write('b');
    const log = files.follower();
    expect(log.lagBytes()).toBe(statSync(packed).size + 2);
    readAll(log);
    expect(log.lagBytes()).toBe(0);
  });
});

describe('for any history of a log', () => {
  type Step = 'write' | 'roll' | 'read' | 'restart' | 'begin' | 'gz' | 'zst' | 'copy';
  const step = fc.constantFrom<Step>(
    'write',
    'write',
    'roll',
    'read',
    'restart',
    'begin',
    'gz',
    'zst',
    'copy',
  );

  /** Plays the steps in a new folder; returns what was written and what was read, in order. */
  function play(steps: readonly Step[]): { written: string[]; read: string[]; gaps: string[] } {
    const own = makeLogFolder();
    const written: string[] = [];
    const read: string[] = [];
    const gaps: string[] = [];
    const rolled: string[] = [];
    let checkpoint: Checkpoint | undefined;
    let log = own.follower({ maxBatchLines: 2 });
    const write = () => {
      const lines = [1, 2, 3].map((number) => `line ${written.length + number}`);
      own.write(...lines);
      written.push(...lines);
    };
    const readOnce = () => {
      const batch = log.next();
      if (batch === undefined) return false;
      read.push(...batch.lines.map(({ bytes }) => bytes.toString()));
      if (batch.gap !== undefined) gaps.push(batch.gap);
      ({ checkpoint } = batch);
      return true;
    };
    const acts: Record<Step, () => unknown> = {
      write,
      read: readOnce,
      roll: () => existsSync(own.path) && rolled.push(own.roll()),
      restart: () => (log = own.follower({ maxBatchLines: 2, checkpoint })),
      // Caddy compresses the newest first, and begins again when it was killed.
      begin: () => rolled.length > 0 && own.beginPacking(rolled.at(-1) ?? ''),
      gz: () => rolled.length > 0 && own.pack(rolled.pop() ?? ''),
      zst: () => rolled.length > 0 && own.pack(rolled.shift() ?? '', 'zst'),
      copy: () => existsSync(own.path) && copyBack(own.path),
    };
    try {
      for (const name of steps) acts[name]();
      write();
      while (readOnce());
      return { written, read, gaps };
    } finally {
      own.remove();
    }
  }

  test('no line is left out, none is given twice without a restart, and no gap is told', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { written, read, gaps } = play(steps);
        expect([...new Set(read)]).toEqual(written);
        expect(gaps).toEqual([]);
        if (!steps.includes('copy')) expect(read).toEqual(written);
      }),
      { numRuns: 25 },
    );
  });
});
