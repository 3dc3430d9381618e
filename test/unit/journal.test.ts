// The gate's journal: what was noted is found again, whatever happens to process, disk and file, and what
// is not whole is not believed. Real files in a temporary folder.
import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openJournal, UNFINISHED_FILE, type Journal } from '../../sidecar/decisions/journal.ts';
import {
  readJournals,
  removeJournal,
  syncJournal,
  type JournalFile,
} from '../../sidecar/decisions/journal-file.ts';
import { HEADER_BYTES, SLOT_BYTES, type Noted } from '../../sidecar/decisions/journal-layout.ts';
import { noted, upTo } from '../fixtures/noted.ts';
import { createRandom, testSeeds } from '../fixtures/random.ts';
import { until } from '../fixtures/until.ts';

let root: string;
let folder: string;
let path: string;
let opened: Journal[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'signet-journal-'));
  folder = join(root, 'decisions');
  path = join(folder, 'boot-1');
  opened = [];
});

afterEach(() => {
  for (const journal of opened) journal.close();
  rmSync(root, { recursive: true });
});

function open(options: { bootId?: string; slots?: number } = {}): Journal {
  const journal = openJournal({ folder, bootId: 'boot-1', machineBootId: 'machine-1', ...options });
  opened.push(journal);
  return journal;
}

/** Opens a journal of 16 slots and notes these decisions, all in one turn. */
async function note(...decisions: readonly Noted[]): Promise<Journal> {
  const journal = open({ slots: 16 });
  for (const decision of decisions) journal.note(decision);
  await turn();
  return journal;
}

function read(): JournalFile {
  const { journals, problems } = readJournals(folder);
  expect(problems).toEqual([]);
  expect(journals).toHaveLength(1);
  return journals[0] as JournalFile;
}

/** The decisions that are found, by number. */
function found(journal: JournalFile, last: number): Noted[] {
  return upTo(last).flatMap((number) => journal.find(number) ?? []);
}

function numbers(decisions: readonly Noted[]): number[] {
  return decisions.map(({ number }) => number);
}

/** Overwrites bytes of the file behind the journal's back. */
function damage(at: number, bytes: string | Uint8Array): void {
  const fd = openSync(path, 'r+');
  const buffer = Buffer.from(bytes as string);
  writeSync(fd, buffer, 0, buffer.length, at);
  closeSync(fd);
}

describe('what is noted', () => {
  test('is found again, all of it', async () => {
    const decisions = [
      noted(1, { decision: 'allow', user: 'alice' }),
      noted(2, { decision: 'login', user: undefined }),
      noted(3, { decision: 'deny', route: 'admin/%20x' }),
      noted(4, { decision: 'none', route: 'signet', user: '' }),
    ];
    await note(...decisions);
    expect(found(read(), 9)).toEqual(decisions);
  });

  test('is in the file when the turn has ended, without a close', async () => {
    const journal = open();
    journal.note(noted(1));
    expect(read().issued).toBe(0);
    await turn();
    expect(read().issued).toBe(1);
  });

  test('names its boot and that of the machine, and belongs to its owner alone', async () => {
    await note(noted(1));
    expect(read()).toMatchObject({ bootId: 'boot-1', machineBootId: 'machine-1', path, issued: 1 });
    expect(read().createdAtUs).toBeGreaterThan((Date.now() - 60_000) * 1000);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test('of the turn of a close is written, and what comes after it is not', async () => {
    const journal = open({ slots: 16 });
    journal.note(noted(1));
    journal.close();
    journal.note(noted(2));
    await turn();
    journal.close();
    expect(read().issued).toBe(1);
  });

  test('may have any number that a number can be', async () => {
    const journal = open({ slots: 16 });
    const decision = noted(Number.MAX_SAFE_INTEGER, { requestId: noted(1).requestId });
    journal.note(decision);
    await turn();
    expect(read().find(Number.MAX_SAFE_INTEGER)).toEqual(decision);
  });

  test('takes the room that was taken at the start, and no more', async () => {
    const journal = open();
    const { size, blocks } = statSync(path);
    expect(size).toBe(HEADER_BYTES + 16_384 * SLOT_BYTES);
    expect(blocks * 512).toBeGreaterThanOrEqual(size); // real zeros, no hole
    for (const number of upTo(20_000)) journal.note(noted(number));
    await turn();
    expect(statSync(path)).toMatchObject({ size, blocks });
  });
});

describe('the ring', () => {
  const SPANS = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

  test('holds the last ones, however many were noted in each turn', async () => {
    await fc.assert(
      fc.asyncProperty(SPANS, async (spans) => {
        rmSync(folder, { recursive: true, force: true });
        const journal = open({ slots: 16 });
        let last = 0;
        for (const span of spans) {
          for (const nth of upTo(span)) journal.note(noted(last + nth));
          last += span;
          await turn();
        }
        const file = read();
        expect(file).toMatchObject({ issued: last, oldest: Math.max(1, last - 15) });
        expect(found(file, last + 20)).toEqual(
          upTo(last)
            .slice(-16)
            .map((n) => noted(n)),
        );
      }),
    );
  });

  test('a turn writes what it noted, not what is written already', async () => {
    const journal = await note(noted(1), noted(2));
    damage(HEADER_BYTES + SLOT_BYTES, Buffer.alloc(SLOT_BYTES));
    journal.note(noted(3));
    await turn();
    expect(numbers(found(read(), 3))).toEqual([2, 3]);
  });

  test('a short user leaves nothing of a long one before it', async () => {
    const journal = await note(noted(1, { user: 'somebody-with-a-long-name' }));
    journal.note(noted(17, { user: 'bo' }));
    await turn();
    expect(readFileSync(path).includes('long-name')).toBe(false);
  });
});

describe('text that does not fit', () => {
  test('a route is cut between two characters, a user left out, and what is kept is sound text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.string({ unit: 'grapheme', maxLength: 200 }),
        async (route, user) => {
          rmSync(folder, { recursive: true, force: true });
          await note(noted(1, { route, user }));
          const kept = read().find(1);
          expect(route.toWellFormed().startsWith(kept?.route ?? '-')).toBe(true);
          expect([user.toWellFormed(), undefined]).toContain(kept?.user);
        },
      ),
    );
  });

  test.each([
    ['ASCII', 'x', 84],
    ['two bytes a character', 'é', 42],
    ['three', '€', 28],
    ['four, a pair of surrogates', '😀', 21],
    ['a lone surrogate, which becomes U+FFFD of three', '\ud83d', 28],
  ])('a user may have 84 bytes beside the longest route: %s', async (_, character, fits) => {
    const route = 'r'.repeat(128);
    const [whole, more] = [character.repeat(fits), character.repeat(fits + 1)];
    await note(noted(1, { route, user: whole }), noted(2, { route, user: more }));
    expect(read().find(1)).toMatchObject({ route: 'r'.repeat(48), user: whole.toWellFormed() });
    // A part of a name could be another's.
    expect(read().find(2)?.user).toBeUndefined();
  });

  test('a route leaves what it does not need to the user', async () => {
    const user = 'u'.repeat(126);
    await note(noted(1, { route: 'orders', user }));
    expect(read().find(1)).toMatchObject({ route: 'orders', user });
  });
});

describe('what is not whole is not believed', () => {
  const LAST_AT = HEADER_BYTES + 3 * SLOT_BYTES;

  test('any byte changed in a slot: the decisions before it are the last', async () => {
    const journal = await note(noted(1), noted(2), noted(3));
    for (const at of upTo(SLOT_BYTES).map((nth) => LAST_AT + nth - 1)) {
      const before = readFileSync(path).subarray(at, at + 1);
      damage(at, Uint8Array.of((before[0] ?? 0) ^ 0x04));
      expect(read().issued).toBe(2);
      expect(read().find(3)).toBeUndefined();
      damage(at, before);
    }
    expect(read().find(3)).toEqual(noted(3));
    journal.close();
  });

  test('a slot of which only a part was written, cut anywhere', async () => {
    const journal = await note(noted(3, { user: 'bob', route: 'admin' }));
    const before = readFileSync(path).subarray(LAST_AT, LAST_AT + SLOT_BYTES);
    journal.note(noted(19));
    await turn();
    const after = readFileSync(path).subarray(LAST_AT, LAST_AT + SLOT_BYTES);
    for (const cut of upTo(SLOT_BYTES - 1)) {
      damage(LAST_AT, Buffer.concat([after.subarray(0, cut), before.subarray(cut)]));
      const { issued } = read();
      expect([3, 19, 0]).toContain(issued);
      expect(found(read(), 20)).toEqual(
        issued === 0 ? [] : [issued === 19 ? noted(19) : noted(3, { user: 'bob', route: 'admin' })],
      );
    }
  });

  test('a torn slot in the middle hides itself alone', async () => {
    await note(noted(1), noted(2), noted(3));
    damage(HEADER_BYTES + 2 * SLOT_BYTES + 60, 'torn');
    expect(read().issued).toBe(3);
    expect(numbers(found(read(), 3))).toEqual([1, 3]);
  });

  test('a decision in the slot of another', async () => {
    await note(noted(1), noted(2));
    const second = HEADER_BYTES + 2 * SLOT_BYTES;
    damage(LAST_AT, readFileSync(path).subarray(second, second + SLOT_BYTES));
    damage(second, Buffer.alloc(SLOT_BYTES));
    expect(read().issued).toBe(1);
    expect(found(read(), 20)).toEqual([noted(1)]);
  });

  test('the header, changed in any byte of what it says', async () => {
    await note(noted(1));
    const header = readFileSync(path).subarray(0, HEADER_BYTES);
    for (const at of upTo(HEADER_BYTES).map((nth) => nth - 1)) {
      damage(at, Uint8Array.of((header[at] ?? 0) ^ 0x10));
      const { journals, problems } = readJournals(folder);
      expect([journals.length, problems.length]).toEqual([0, 1]);
      damage(at, header.subarray(at, at + 1));
    }
    expect(read().issued).toBe(1);
  });
});

describe('files that are no journals', () => {
  const OTHERS: readonly [string, RegExp, (place: string) => void][] = [
    ['an empty file', /is no journal/, (place) => writeFileSync(place, '')],
    ['another file', /is no journal/, (place) => writeFileSync(place, 'x'.repeat(9999))],
    ['a folder', /is no file|EISDIR/, (place) => mkdirSync(place)],
    ['a FIFO, which nobody writes to', /is no file/, (place) => execFileSync('mkfifo', [place])],
    ['a link', /ELOOP|link/, (place) => symlinkSync(path, place)],
    ['a link to itself', /ELOOP|link/, (place) => symlinkSync(place, place)],
    ['a copy', /of another name/, (place) => copyFileSync(path, place)],
  ];

  test.each(OTHERS)('%s is passed over and told, and the others are read', async (_, why, make) => {
    await note(noted(1));
    make(join(folder, 'other'));
    const { journals, problems } = readJournals(folder);
    expect(journals.map(({ bootId }) => bootId)).toEqual(['boot-1']);
    expect(problems).toEqual([expect.stringMatching(why)]);
    expect(problems[0]).toContain(join(folder, 'other'));
  });

  test.each([
    ['shorter', HEADER_BYTES + 15 * SLOT_BYTES],
    ['longer', HEADER_BYTES + 17 * SLOT_BYTES],
  ])('a file that is %s than its header says', async (_, bytes) => {
    await note(noted(1));
    truncateSync(path, bytes);
    expect(readJournals(folder)).toMatchObject({
      journals: [],
      problems: [expect.stringContaining('longer or shorter')],
    });
  });

  test('where there is no folder there are none, and that is no problem', () => {
    expect(readJournals(folder)).toEqual({ journals: [], problems: [] });
  });

  test('a file where the folder should be is told', () => {
    writeFileSync(folder, '');
    expect(readJournals(folder).problems).toEqual([expect.stringContaining(folder)]);
  });

  test('one that was being made when the process died is none, and is used by the next', () => {
    mkdirSync(folder);
    writeFileSync(join(folder, UNFINISHED_FILE), 'half a header');
    expect(readJournals(folder)).toEqual({ journals: [], problems: [] });
    open();
    expect(readdirSync(folder)).toEqual(['boot-1']);
  });
});

describe('a journal that can not be kept', () => {
  test('at the start: it says so, notes nothing, and throws nothing', async () => {
    writeFileSync(folder, 'a file where the folder should be');
    const journal = open();
    journal.note(noted(1));
    await turn();
    expect(journal.problem()).toMatch(/^decisions can't be noted until the next start: EEXIST/);
  });

  test('what could not be made whole takes no room', () => {
    mkdirSync(path, { recursive: true }); // a folder of its name
    expect(open().problem()).toMatch(/EISDIR/);
    expect(readdirSync(folder)).toEqual(['boot-1']);
  });

  test('a link in its place is not followed', () => {
    mkdirSync(folder);
    symlinkSync(join(root, 'elsewhere'), join(folder, UNFINISHED_FILE));
    expect(open().problem()).toMatch(/ELOOP/);
    expect(readdirSync(root)).toEqual(['decisions']);
  });

  test('later: it says so, and catches up when it can be written again', async () => {
    const journal = await note(noted(1));
    const fd = descriptorOf(path);
    reopen(fd, 'r'); // as if the disk had become read-only
    journal.note(noted(2));
    await turn();
    expect(journal.problem()).toMatch(/^decisions can't be noted: EBADF/);
    reopen(fd, 'r+');
    journal.note(noted(3));
    await turn();
    expect(journal.problem()).toBeUndefined();
    expect(numbers(found(read(), 9))).toEqual([1, 2, 3]);
  });

  test('for longer than its ring is: the last ones are there afterwards', async () => {
    const journal = await note(noted(1));
    const fd = descriptorOf(path);
    reopen(fd, 'r');
    for (const number of upTo(39).slice(1)) {
      journal.note(noted(number));
      await turn();
    }
    reopen(fd, 'r+');
    journal.note(noted(40));
    await turn();
    expect(numbers(found(read(), 40))).toEqual(upTo(40).slice(-16));
  });

  /** The number under which this process holds the file open. */
  function descriptorOf(file: string): number {
    const isIt = (fd: string) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === file;
      } catch {
        return false; // the one with which the folder was read
      }
    };
    return Number(readdirSync('/proc/self/fd').find(isIt));
  }

  /** Opens the journal anew under the same number, the lowest that is free being given each time. */
  function reopen(fd: number, flags: 'r' | 'r+'): void {
    closeSync(fd);
    const others: number[] = [];
    for (let got = openSync(path, flags); got !== fd; got = openSync(path, flags)) others.push(got);
    for (const other of others) closeSync(other);
  }
});

test('many journals lie beside each other, and one that is removed is gone', async () => {
  for (const bootId of ['boot-2', 'boot-1', 'boot-3']) open({ bootId, slots: 16 });
  removeJournal(join(folder, 'boot-2'));
  removeJournal(join(folder, 'boot-2'));
  expect(readJournals(folder).journals.map(({ bootId }) => bootId)).toEqual(['boot-1', 'boot-3']);
});

test('it can be brought to the disk while it is written', async () => {
  const journal = await note(noted(1));
  syncJournal(path);
  journal.note(noted(2));
  await turn();
  expect(read().issued).toBe(2);
});

describe('a process that notes in a loop', () => {
  const JOURNAL = new URL('../../sidecar/decisions/journal.ts', import.meta.url).href;
  const FIXTURE = new URL('../fixtures/noted.ts', import.meta.url).href;

  /** Notes `perTurn` decisions in each turn, and says their highest number when the turn has ended. */
  function start(perTurn: number, slots: number) {
    const script = `
      const { openJournal } = await import(${JSON.stringify(JOURNAL)});
      const { noted } = await import(${JSON.stringify(FIXTURE)});
      const { writeSync } = await import('node:fs');
      const folder = ${JSON.stringify(folder)};
      const journal = openJournal({ folder, bootId: 'boot-1', machineBootId: '', slots: ${slots} });
      let number = 0;
      function turn() {
        if (number > 0) writeSync(1, number + '\\n');
        for (let nth = 0; nth < ${perTurn}; nth++) journal.note(noted(++number));
        setImmediate(turn);
      }
      turn();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    let said = '';
    child.stdout.on('data', (part: Buffer) => (said = (said + String(part)).slice(-1000)));
    return {
      /** The highest number of a whole turn that it has told of. */
      told: () => Number(said.trimEnd().split('\n').at(-1)),
      async kill() {
        child.kill('SIGKILL');
        await ended;
      },
    };
  }

  const seeds = testSeeds(6);
  test(`killed by kill -9: all but its last turn is there (SIGNET_TEST_SEED=${seeds.join()})`, async () => {
    for (const seed of seeds) {
      rmSync(folder, { recursive: true, force: true });
      const random = createRandom(seed);
      const slots = 64 + random.below(4096);
      const target = 1 + random.below(20_000);
      const perTurn = 1 + random.below(60);
      const told = await killedAfter(target, perTurn, slots);
      const file = read();
      expect(file.issued).toBeGreaterThanOrEqual(told);
      // The turn that was cut off may have been written over the oldest, and not yet be counted.
      const all = upTo(file.issued).slice(-(slots - perTurn));
      expect(all.map((number) => file.find(number))).toEqual(all.map((number) => noted(number)));
    }
  });

  /** Kills it when it has noted so many, and returns what it told last. */
  async function killedAfter(target: number, perTurn: number, slots: number): Promise<number> {
    const child = start(perTurn, slots);
    try {
      await until(`decision ${target}`, () => child.told() >= target);
    } finally {
      await child.kill();
    }
    return child.told();
  }

  test('is read meanwhile: the numbers grow, and what is found is what was noted', async () => {
    const child = start(7, 512);
    try {
      await until('a decision', () => child.told() > 0);
      let highest = 0;
      let looks = 0;
      await until('twenty looks at 20,000 decisions', () => {
        const told = child.told();
        const file = read();
        looks += 1;
        expect(file.issued).toBeGreaterThanOrEqual(Math.max(told, highest));
        highest = file.issued;
        for (let number = file.oldest; number <= highest; number++) {
          const decision = file.find(number);
          if (decision !== undefined) expect(decision).toEqual(noted(number));
        }
        return highest > 20_000 && looks >= 20;
      });
    } finally {
      await child.kill();
    }
  });
});
