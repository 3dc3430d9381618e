// Rolled files whose names are not in the order of time, because the clock was set back while the
// recorder was down: each is read, and what was read to its end is not read again.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, renameSync, truncateSync, unlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Checkpoint } from '../../sidecar/accesslog/follow.ts';
import { LONG_AGO, makeLogFolder, readAll, type LogFolder } from '../fixtures/log-folder.ts';

let files: LogFolder;
beforeEach(() => {
  files = makeLogFolder();
});
afterEach(() => files.remove());

/** Rolls the log at a time of one day, as `02-50`; returns the rolled file's path. */
function rollAt(time: string, { folder, path } = files): string {
  const rolled = join(folder, `access-2026-10-25T${time}-00.000-size.log`);
  renameSync(path, rolled);
  return rolled;
}

function rolledAt(time: string, ...lines: string[]): string {
  files.write(...lines);
  return rollAt(time);
}

/** Returns the checkpoint as the version before wrote it. */
function oldForm(checkpoint: Checkpoint | undefined): Checkpoint {
  const { consumed: _consumed, ...old } = checkpoint as Checkpoint;
  return old;
}

/** Reads `a1` and `a2`; then, while nobody reads, the clock is set back between two rolls. */
function setBackMeanwhile(): { checkpoint: Checkpoint | undefined; second: string } {
  files.write('a1', 'a2');
  const { checkpoint } = readAll(files.follower());
  files.write('a3');
  rollAt('02-50');
  const second = rolledAt('02-10', 'b1', 'b2');
  files.write('c1');
  return { checkpoint, second };
}

describe('a file that was rolled with an earlier name than the checkpoint’s', () => {
  const all = { lines: ['a3', 'b1', 'b2', 'c1'], gaps: [] };

  test('is read', () => {
    const { checkpoint } = setBackMeanwhile();
    expect(readAll(files.follower({ checkpoint }))).toMatchObject(all);
  });

  test.each(['gz', 'zst'] as const)('is read when it was compressed to .%s', (suffix) => {
    const { checkpoint, second } = setBackMeanwhile();
    files.pack(second, suffix);
    expect(readAll(files.follower({ checkpoint }))).toMatchObject(all);
  });

  test('is read when others before both were consumed', () => {
    rolledAt('01-00', 'x');
    files.pack(rolledAt('02-30', 'y'));
    const log = files.follower();
    readAll(log);
    files.write('a');
    const { checkpoint } = readAll(log);
    rollAt('02-50');
    rolledAt('02-10', 'b');
    rolledAt('00-10', 'c');
    files.write('d');
    const { lines } = readAll(files.follower({ checkpoint }));
    expect(lines.toSorted()).toEqual(['b', 'c', 'd']);
  });

  test('is read without a gap when the one before it was rolled and compressed between two looks', () => {
    files.write('a1', 'a2');
    const log = files.follower({ maxBatchLines: 1 });
    log.next(); // a1
    files.pack(rollAt('02-50'));
    rolledAt('02-10', 'b1');
    files.write('c1');
    expect(readAll(log)).toMatchObject({ lines: ['a2', 'b1', 'c1'], gaps: [] });
  });

  test('counts as lag until it is read', () => {
    const { checkpoint } = setBackMeanwhile();
    const log = files.follower({ checkpoint, maxBatchLines: 1 });
    log.next(); // a3
    expect(log.lagBytes()).toBe(9);
  });

  test('counts as done for a checkpoint of the version before', () => {
    const { checkpoint } = setBackMeanwhile();
    const read = readAll(files.follower({ checkpoint: oldForm(checkpoint) }));
    expect(read).toMatchObject({ lines: ['a3', 'c1'], gaps: [] });
  });
});

describe('what was consumed is not read again', () => {
  /** Leaves a checkpoint in the third file, in front of its last line; all three are rolled. */
  function readIntoThird(): { checkpoint: Checkpoint | undefined; rolled: string[] } {
    const rolled = [rolledAt('01-00', 'a'), rolledAt('02-00', 'b')];
    files.write('c1');
    const { checkpoint } = readAll(files.follower());
    files.write('c2');
    rolled.push(rollAt('03-00'));
    files.write('d');
    return { checkpoint, rolled };
  }

  test('after a restart in a rolled file', () => {
    const { checkpoint } = readIntoThird();
    expect(readAll(files.follower({ checkpoint })).lines).toEqual(['c2', 'd']);
  });

  test.each(['gz', 'zst'] as const)('when it was compressed to .%s meanwhile', (suffix) => {
    const { checkpoint, rolled } = readIntoThird();
    for (const path of rolled) files.pack(path, suffix);
    expect(readAll(files.follower({ checkpoint })).lines).toEqual(['c2', 'd']);
  });

  test('as long as Caddy writes to the checkpoint’s file: whatever lies beside it came before', () => {
    rolledAt('01-00', 'a');
    files.write('b');
    const { checkpoint } = readAll(files.follower());
    const forgotten = { ...(checkpoint as Checkpoint), consumed: [] };
    const log = files.follower({ checkpoint: forgotten });
    expect(readAll(log).lines).toEqual([]);
    expect(log.lagBytes()).toBe(0);
  });

  test('from a checkpoint of the version before, nor after the one that follows on it', () => {
    const { checkpoint } = readIntoThird();
    const next = files.follower({ checkpoint: oldForm(checkpoint), maxBatchLines: 1 }).next();
    expect(readAll(files.follower({ checkpoint: next?.checkpoint })).lines).toEqual(['d']);
  });

  test('when its file was given up: that gap is told once', () => {
    const packed = files.pack(rolledAt('01-00', 'a'.repeat(5000)));
    truncateSync(packed, 30);
    utimesSync(packed, LONG_AGO, LONG_AGO);
    files.write('b');
    const { checkpoint, gaps } = readAll(files.follower());
    expect(gaps).toHaveLength(1);
    rollAt('02-00');
    files.write('c');
    expect(readAll(files.follower({ checkpoint }))).toMatchObject({ lines: ['c'], gaps: [] });
  });
});

describe('of more files than are remembered', () => {
  const COUNT = 140;
  const timeOf = (number: number) =>
    [10 + Math.floor(number / 60), number % 60]
      .map((part) => String(part).padStart(2, '0'))
      .join('-');

  /** Reads that many rolled files, and leaves a checkpoint in the one after them. */
  function readMany(): { checkpoint: Checkpoint | undefined; rolled: string[] } {
    const numbers = Array.from({ length: COUNT }, (_, number) => number);
    const rolled = numbers.map((number) => rolledAt(timeOf(number), `line ${number}`));
    files.write('a');
    const { checkpoint } = readAll(files.follower());
    rollAt('14-00');
    return { checkpoint, rolled };
  }

  test('those older than the oldest that is remembered count as done', () => {
    const { checkpoint } = readMany();
    files.write('b');
    expect(checkpoint?.consumed).toHaveLength(128);
    expect(readAll(files.follower({ checkpoint })).lines).toEqual(['b']);
  });

  test('one that is not remembered, with a later name than those, is read', () => {
    const { checkpoint } = readMany();
    rolledAt('13-30', 'late');
    files.write('b');
    expect(readAll(files.follower({ checkpoint })).lines).toEqual(['late', 'b']);
  });

  test('one with the earliest name of all is read once the forgotten are deleted', () => {
    const { checkpoint, rolled } = readMany();
    for (const path of rolled.slice(0, 20)) unlinkSync(path);
    rolledAt('01-00', 'late');
    files.write('b');
    expect(readAll(files.follower({ checkpoint })).lines).toEqual(['late', 'b']);
  });

  test('the checkpoint stays small', () => {
    expect(JSON.stringify(readMany().checkpoint).length).toBeLessThan(3000);
  });
});

describe('for any history', () => {
  type Step = 'write' | 'roll' | 'back' | 'read' | 'restart' | 'gz';
  const STEPS: Step[] = ['write', 'write', 'roll', 'read', 'restart', 'gz'];
  const histories = (...steps: Step[]) =>
    fc.array(fc.constantFrom(...steps), { maxLength: 50, size: 'max' });

  /** In these a gap was told once that there was not. */
  const FOUND_ONCE: [Step[]][] = [[['write', 'read', 'roll', 'gz', 'write', 'back', 'roll']]];

  /** Plays the steps in a new folder; returns what was written and what was read. */
  function play(steps: readonly Step[]): { written: string[]; read: string[]; gaps: string[] } {
    const own = makeLogFolder();
    const written: string[] = [];
    const read: string[] = [];
    const gaps: string[] = [];
    const rolled: string[] = [];
    let clock = 600; // minutes of the day
    let rolls = 0;
    let checkpoint: Checkpoint | undefined;
    let log = own.follower({ maxBatchLines: 2 });
    const write = () => {
      const lines = [1, 2, 3].map((number) => `line ${written.length + number}`);
      own.write(...lines);
      written.push(...lines);
    };
    const roll = () => {
      clock += 1;
      rolls += 1;
      const time = [Math.floor(clock / 60), clock % 60, rolls].map((part) =>
        String(part).padStart(2, '0'),
      );
      const name = join(own.folder, `access-2026-10-25T${time.join('-')}.000-size.log`);
      renameSync(own.path, name);
      rolled.push(name);
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
      roll: () => existsSync(own.path) && roll(),
      back: () => (clock -= 5),
      restart: () => (log = own.follower({ maxBatchLines: 2, checkpoint })),
      gz: () => rolled.length > 0 && own.pack(rolled.shift() ?? ''),
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

  test('in which the clock is set back no line is left out, and no gap is told', () => {
    fc.assert(
      fc.property(histories(...STEPS, 'back'), (steps) => {
        const { written, read, gaps } = play(steps);
        expect([...new Set(read)].toSorted()).toEqual(written.toSorted());
        expect(gaps).toEqual([]);
      }),
      { numRuns: 20, examples: FOUND_ONCE },
    );
  });

  test('in which it is not each line is read once, and in its order', () => {
    fc.assert(
      fc.property(histories(...STEPS), (steps) => {
        const { written, read, gaps } = play(steps);
        expect({ read, gaps }).toEqual({ read: written, gaps: [] });
      }),
      { numRuns: 12 },
    );
  });
});
