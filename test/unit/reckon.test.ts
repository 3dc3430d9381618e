// What becomes of decisions without a line, over real journals and a real store; only the clocks are ours.
// How a single one is judged is in account.test.ts.
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EventRow, StoredRow } from '../../sidecar/audit/row.ts';
import type { AuditStore } from '../../sidecar/audit/store.ts';
import { SURE_AFTER_MS, SURE_WITHOUT_LOG_MS } from '../../sidecar/decisions/doubt.ts';
import { openJournal, type Noted } from '../../sidecar/decisions/journal.ts';
import type { LogFacts } from '../../sidecar/decisions/log-facts.ts';
import {
  createReckoning,
  OPEN_DECISIONS,
  type Reckoning,
  type ReckoningParts,
} from '../../sidecar/decisions/reckon.ts';
import { noted, upTo } from '../fixtures/noted.ts';
import { aRow, requestId, STARTED_AT_US } from '../fixtures/rows.ts';
import { aDecidedRow, openStore } from '../fixtures/stores.ts';

const BOOT = 'b0000000-0000-4000-8000-000000000001';
const NEXT_BOOT = 'b0000000-0000-4000-8000-000000000002';
const MACHINE = 'a0000000-0000-4000-8000-000000000001';
const SURE_SECONDS = SURE_AFTER_MS / 1000;
const DAY_SECONDS = 86_400;

let folder: string;
let store: AuditStore;
let seconds: number;
let facts: LogFacts;
let reckoning: Reckoning;
const journals = () => join(folder, 'decisions');

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-reckon-'));
  store = await openStore(join(folder, 'audit.db'));
  seconds = 0;
  facts = { hasLog: true, isLogDiskFull: false };
  reckoning = begin();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

function begin(changes: Partial<ReckoningParts> = {}): Reckoning {
  return createReckoning({
    store,
    folder: journals(),
    bootId: BOOT,
    machineBootId: MACHINE,
    logFacts: () => facts,
    clock: () => STARTED_AT_US + seconds * 1_000_000,
    steadyMs: () => seconds * 1000,
    ...changes,
  });
}

/** The recorder is started again, by a gate of its own or not. */
async function restart(changes: Partial<ReckoningParts> = {}): Promise<void> {
  await store.close();
  store = await openStore(join(folder, 'audit.db'));
  reckoning = begin(changes);
}

/** Looks at that many seconds after the first decision. */
async function lookAt(second: number, isLogAtEnd = true): Promise<void> {
  seconds = second;
  await reckoning.step(isLogAtEnd);
}

/** The same, and once more when what looks lost is sure to be. */
async function lookTwiceAt(second: number): Promise<void> {
  await lookAt(second);
  await lookAt(second + SURE_SECONDS);
}

/** Writes the journal of a boot, which then has ended, unless it is the one that decides. */
function journal(decisions: readonly Noted[], bootId = BOOT, slots = 64): string {
  const made = openJournal({ folder: journals(), bootId, machineBootId: MACHINE, slots });
  for (const one of decisions) made.note(one);
  made.close();
  return join(journals(), bootId);
}

const allowed = (number: number, changes: Partial<Noted> = {}) => noted(number, changes);
const refused = (number: number) => noted(number, { decision: 'deny', route: 'admin' });
const isLost = (row: StoredRow): row is StoredRow & EventRow => row.kind === 'lost';
const lostRows = async () => (await store.rowsAfter(0, 10_000)).filter(isLost);
const gaps = async () => (await store.accounts()).flatMap((account) => account.gaps);

describe('a refusal without a line', () => {
  test('is open for a minute', async () => {
    journal([refused(1)]);
    await lookAt(59);
    expect(reckoning.state()).toEqual({ open: 1, overdue: 0 });
    expect(await lostRows()).toEqual([]);
  });

  test('is lost after it, with who and where, when, and by which request', async () => {
    journal([refused(1)]);
    await lookTwiceAt(61);
    const { sequence: _, hash: __, ...lost } = (await lostRows())[0] as StoredRow;
    expect(lost).toEqual({
      kind: 'lost',
      requestId: `decision-lost:${BOOT}:1`,
      event: 'decision-lost',
      startedAtUs: refused(1).startedAtUs,
      traceId: requestId(1).replaceAll('-', ''),
      user: 'alice',
      route: 'admin',
      details: {
        cause: 'refused-without-line',
        why: expect.stringMatching(/^a decision of the gate has no line: /),
        boot: BOOT,
        first: 1,
        last: 1,
        decisions: 1,
        request: requestId(1),
        decision: 'deny',
      },
    });
    expect(reckoning.state()).toMatchObject({ open: 0, overdue: 0 });
    expect(await gaps()).toEqual([]);
  });

  test('of nobody is nobody’s', async () => {
    const { user: _, ...nobodys } = noted(1, { decision: 'login' });
    journal([nobodys]);
    await lookTwiceAt(61);
    expect((await lostRows())[0]).not.toHaveProperty('user');
  });

  test('is not lost before all of the log has been read', async () => {
    journal([refused(1)]);
    for (const second of [61, 100, 1000]) await lookAt(second, false);
    expect(await lostRows()).toEqual([]);
    expect(reckoning.state()).toMatchObject({ open: 1, overdue: 1 });
  });

  test('is lost later where there is no log at all: its disk may not be there yet', async () => {
    facts = { hasLog: false, isLogDiskFull: false };
    journal([refused(1)]);
    await lookTwiceAt(61);
    expect(await lostRows()).toEqual([]);
    await lookAt(61 + SURE_WITHOUT_LOG_MS / 1000);
    expect(await lostRows()).toHaveLength(1);
  });
});

describe('an allowed one without a line', () => {
  test('is open for a day, and overdue after a minute', async () => {
    journal([allowed(1)]);
    await lookAt(59);
    expect(reckoning.state()).toEqual({ open: 1, overdue: 0 });
    await lookAt(DAY_SECONDS);
    expect(reckoning.state()).toEqual({ open: 1, overdue: 1 });
    expect(await lostRows()).toEqual([]);
  });

  test('is lost after it', async () => {
    journal([allowed(1)]);
    await lookTwiceAt(DAY_SECONDS + 1);
    expect(await lostRows()).toMatchObject([
      { user: 'alice', route: 'orders', details: { cause: 'open-too-long', decision: 'allow' } },
    ]);
  });

  test('is lost when the machine was restarted since', async () => {
    journal([allowed(1)]);
    await restart({ bootId: NEXT_BOOT, machineBootId: 'another' });
    await lookTwiceAt(5);
    expect(await lostRows()).toMatchObject([{ details: { cause: 'machine-restarted' } }]);
    expect(reckoning.state().warning).toMatch(
      /: the machine was restarted: requests that were open/,
    );
  });

  test('of a gate that has ended is open: the app may still be answering', async () => {
    journal([allowed(1)]);
    await restart({ bootId: NEXT_BOOT });
    await lookTwiceAt(600);
    expect(reckoning.state()).toMatchObject({ open: 1 });
    expect(await lostRows()).toEqual([]);
  });
});

describe('one is settled', () => {
  test('by the row that carries its number', async () => {
    journal([allowed(1), refused(2)]);
    await store.commit({ rows: [1, 2].map((number) => aDecidedRow(number, { bootId: BOOT })) });
    await lookTwiceAt(DAY_SECONDS + 1);
    expect(reckoning.state()).toEqual({ open: 0, overdue: 0 });
    expect(await lostRows()).toEqual([]);
  });

  test('by a row of its request without a stamp, after two seconds', async () => {
    journal([allowed(1), allowed(2)]);
    await store.commit({ rows: [aRow({}, 1), aDecidedRow(2, { bootId: BOOT })] });
    await lookAt(1);
    expect(await gaps()).toEqual([{ first: 1, last: 1 }]);
    await lookAt(3);
    expect(await gaps()).toEqual([]);
    await lookTwiceAt(DAY_SECONDS + 1);
    expect(await lostRows()).toEqual([]);
  });

  test('by the decision that supersedes it', async () => {
    journal([refused(1), refused(2)]);
    await store.commit({ rows: [aDecidedRow(2, { bootId: BOOT, supersedes: 1 })] });
    await lookTwiceAt(61);
    expect(await lostRows()).toEqual([]);
  });
});

describe('a loss is told once', () => {
  test('however often it is looked for', async () => {
    journal([refused(1), refused(2)]);
    for (const second of [61, 71, 80, 100]) await lookAt(second);
    expect(await lostRows()).toHaveLength(2);
  });

  test('whatever starts again in between: the recorder, or the gate with it', async () => {
    journal([refused(1), allowed(2)]);
    await lookTwiceAt(61);
    await restart();
    await lookTwiceAt(100);
    await restart({ bootId: NEXT_BOOT });
    await lookTwiceAt(200);
    expect(await lostRows()).toHaveLength(1);
    await lookTwiceAt(DAY_SECONDS + 1);
    await restart({ bootId: NEXT_BOOT });
    await lookTwiceAt(DAY_SECONDS + 100);
    expect((await lostRows()).map(({ details }) => details['first'])).toEqual([1, 2]);
  });

  test('also when its line comes late after all: then there are both', async () => {
    journal([refused(1)]);
    await lookTwiceAt(61);
    await store.commit({ rows: [aDecidedRow(1, { bootId: BOOT })] });
    await lookTwiceAt(100);
    expect(await lostRows()).toHaveLength(1);
    expect(await store.counts()).toMatchObject({ rows: 2, lost: 1 });
  });

  test('with the numbers of which nothing is known as one range', async () => {
    const rows = [aDecidedRow(1, { bootId: BOOT }), aDecidedRow(9, { bootId: BOOT })];
    await store.commit({ rows });
    await restart({ bootId: NEXT_BOOT });
    await lookTwiceAt(1);
    expect(await lostRows()).toMatchObject([
      {
        requestId: `decision-lost:${BOOT}:2-8`,
        details: { cause: 'journal-gone', first: 2, last: 8, decisions: 7 },
      },
    ]);
    expect(await store.counts()).toMatchObject({ lost: 1 });
  });
});

describe('the warning', () => {
  test('says how many are lost and why, for an hour', async () => {
    journal([refused(1), refused(2), refused(3)]);
    await store.commit({
      rows: [{ ...aDecidedRow(1, { bootId: NEXT_BOOT }), requestId: 'other' }],
    });
    await lookTwiceAt(61);
    const told = /^3 decisions of the gate have no line: no line of route `admin` has come/;
    expect(reckoning.state().warning).toMatch(told);
    await lookAt(3600);
    expect(reckoning.state().warning).toMatch(told);
    await lookAt(3600 + 72);
    expect(reckoning.state().warning).toBeUndefined();
  });

  test.each<[string, Partial<LogFacts>, RegExp]>([
    ['a full disk', { isLogDiskFull: true }, /the disk of Caddy's log is full/],
    ['a gap', { logGap: 'a file is gone' }, /log files were removed .* \(a file is gone\)/],
    ['no line of anything', {}, /the log has no line of any decision/],
  ])('goes by what is known of the log: %s', async (_what, known, told) => {
    facts = { ...facts, ...known };
    journal([refused(1)]);
    await lookTwiceAt(61);
    expect(reckoning.state().warning).toMatch(told);
  });

  test('comes early for a route of which there is never a line, and not for other long requests', async () => {
    const silent = upTo(5).map((number) => allowed(number, { route: 'skipped' }));
    journal([...silent, ...[6, 7, 8, 9, 10].map((number) => allowed(number))]);
    await store.commit({ rows: [aDecidedRow(11, { bootId: BOOT })] });
    await lookAt(30);
    expect(reckoning.state().warning).toBeUndefined();
    await lookAt(90);
    expect(reckoning.state().warning).toMatch(
      /^10 decisions have no line .*: no line of route `skipped` has come/,
    );
  });

  test('is none for many long requests of a route that has lines', async () => {
    journal(upTo(20).map((number) => allowed(number)));
    await store.commit({ rows: [aDecidedRow(21, { bootId: BOOT })] });
    await lookAt(90);
    expect(reckoning.state()).toEqual({ open: 20, overdue: 20 });
  });

  test('is none for a few long requests', async () => {
    journal(upTo(4).map((number) => allowed(number)));
    await lookAt(90);
    expect(reckoning.state()).toEqual({ open: 4, overdue: 4 });
  });
});

describe('a journal', () => {
  test('is removed when its gate has ended and nothing of it is open', async () => {
    journal([refused(1), allowed(2)]);
    const current = journal([], NEXT_BOOT);
    await restart({ bootId: NEXT_BOOT });
    await lookTwiceAt(61);
    expect(readdirSync(journals())).toEqual([BOOT, NEXT_BOOT]);
    await store.commit({ rows: [aDecidedRow(2, { bootId: BOOT })] });
    await lookAt(80);
    expect(readdirSync(journals())).toEqual([NEXT_BOOT]);
    expect(existsSync(current)).toBe(true);
  });

  test('that is damaged is told of, left as it is, and not in the way of others', async () => {
    const path = journal([refused(1)]);
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 100, 140);
    const damaged = join(journals(), NEXT_BOOT);
    writeFileSync(damaged, bytes);
    await lookTwiceAt(61);
    expect(await lostRows()).toHaveLength(1);
    expect(reckoning.state().warning).toMatch(/has a damaged header, and is passed over$/);
    expect(readFileSync(damaged)).toEqual(bytes);
  });

  test('with a torn slot: that one is lost without a name, the others with theirs', async () => {
    const path = journal([refused(1), refused(2), refused(3)]);
    const bytes = readFileSync(path);
    bytes.writeUInt8(0xff, 512 + 2 * 192 + 60);
    writeFileSync(path, bytes);
    await lookTwiceAt(DAY_SECONDS + 60);
    const lost = await lostRows();
    const users = new Map(lost.map(({ details, user }) => [details['first'], user]));
    expect(users).toEqual(
      new Map([
        [1, 'alice'],
        [2, undefined],
        [3, 'alice'],
      ]),
    );
  });

  test('that can’t be removed is told of, and in nobody’s way', async () => {
    const path = journal([refused(1)]);
    journal([], NEXT_BOOT);
    await restart({ bootId: NEXT_BOOT });
    const free = pinned(path);
    if (free === undefined) return;
    try {
      await lookTwiceAt(61);
      expect(reckoning.state().warning).toMatch(/is needed no more, and can't be removed: /);
      expect(await lostRows()).toHaveLength(1);
    } finally {
      free();
    }
    await lookAt(100);
    expect(existsSync(path)).toBe(false);
  });
});

describe('what is open and overwritten in the journal', () => {
  const SLOTS = 4;
  const streams = () => upTo(10).map((number) => allowed(number, { user: `user-${number}` }));

  /** Ten streams are open; the ring holds four, and the recorder has looked in between. */
  async function overwritten(): Promise<void> {
    for (const last of [3, 6, 10]) {
      rmSync(journals(), { recursive: true, force: true });
      journal(streams().slice(0, last), BOOT, SLOTS);
      await lookAt(last);
    }
  }

  test('is remembered over a restart, with who it was', async () => {
    await overwritten();
    await restart();
    await lookTwiceAt(DAY_SECONDS + 60);
    const users = new Set((await lostRows()).map(({ user }) => user));
    expect(users).toEqual(new Set(streams().map(({ user }) => user)));
  });

  test('is not in the note any more when all of it has come', async () => {
    await overwritten();
    expect(await store.note(OPEN_DECISIONS)).toContain('user-1');
    await store.commit({ rows: upTo(10).map((number) => aDecidedRow(number, { bootId: BOOT })) });
    await lookAt(20);
    expect(await store.note(OPEN_DECISIONS)).toBe('[]');
  });

  test('makes no commit while nothing changes', async () => {
    await overwritten();
    const before = await store.note(OPEN_DECISIONS);
    const { lastSequence } = await store.counts();
    for (const second of [12, 13, 14]) await lookAt(second);
    expect(await store.note(OPEN_DECISIONS)).toBe(before);
    expect(await store.counts()).toMatchObject({ lastSequence });
  });
});

describe('a damaged note of what is open', () => {
  test.each(['garbage', '', 'null', '7', '{}', '[null]', '[7]', '[{}]', '[{"bootId":"b"}]'])(
    '%j is as good as none, and is replaced',
    async (damaged) => {
      await store.commit({ rows: [], notes: { [OPEN_DECISIONS]: damaged } });
      journal([refused(1), refused(2), refused(3)], BOOT, 1);
      await lookAt(1);
      expect(reckoning.state()).toMatchObject({ open: 3 });
      expect(JSON.parse((await store.note(OPEN_DECISIONS)) ?? '')).toMatchObject([
        { bootId: BOOT, range: { first: 1, last: 2 } },
      ]);
      await lookTwiceAt(DAY_SECONDS + 60);
      expect(await gaps()).toEqual([]);
    },
  );

  test('with any value in any place never stops the reckoning', async () => {
    const anything = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.constant([]));
    const maybe = <T>(value: T) => fc.oneof({ arbitrary: fc.constant(value), weight: 4 }, anything);
    const whole = {
      number: 1,
      requestId: requestId(1),
      startedAtUs: STARTED_AT_US,
      decision: 'deny',
    };
    const pending = fc.record(
      {
        bootId: maybe(BOOT),
        range: fc.record({ first: maybe(1), last: maybe(1) }, { requiredKeys: [] }),
        sinceUs: maybe(STARTED_AT_US),
        machineBootId: maybe(MACHINE),
        hasJournal: maybe(true),
        noted: fc.record(
          {
            number: maybe(1),
            requestId: maybe(whole.requestId),
            startedAtUs: maybe(whole.startedAtUs),
            decision: maybe(whole.decision),
            route: maybe('admin'),
            user: maybe('alice'),
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    );
    let day = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(pending, { maxLength: 3 }), async (all) => {
        day += 2;
        const bootId = `boot-${day}`;
        await store.commit({
          rows: [{ ...aDecidedRow(2, { bootId }), requestId: `of-${day}` }],
          notes: { [OPEN_DECISIONS]: JSON.stringify(all).replaceAll(BOOT, bootId) },
        });
        reckoning = begin({ bootId: NEXT_BOOT });
        await lookTwiceAt(day * DAY_SECONDS);
        expect(await gaps()).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

test('it looks once a second, and not more often', async () => {
  journal([allowed(1)]);
  await lookAt(0);
  rmSync(journals(), { recursive: true });
  await lookAt(0.9);
  expect(reckoning.state()).toMatchObject({ open: 1 });
  await lookAt(1);
  expect(reckoning.state()).toMatchObject({ open: 0 });
});

test('where there is no folder of journals, nothing is open', async () => {
  await lookAt(0);
  expect(reckoning.state()).toEqual({ open: 0, overdue: 0 });
});

test('a store that fails is the caller’s to know', async () => {
  journal([allowed(1)]);
  await store.close();
  await expect(lookAt(0)).rejects.toMatchObject({ code: 'ERR_AUDIT_STORE' });
  store = await openStore(join(folder, 'audit.db'));
});

/** Makes a file that can't be removed, also not by root; returns what frees it, where that can be done. */
function pinned(path: string): (() => void) | undefined {
  if (process.getuid?.() !== 0) {
    chmodSync(journals(), 0o500);
    return () => chmodSync(journals(), 0o700);
  }
  const { status } = spawnSync('mount', ['--bind', path, path]);
  return status === 0 ? () => void spawnSync('umount', [path]) : undefined;
}
