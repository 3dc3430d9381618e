// What became of each number: the store's account against a naive one, then every rule of judging.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  newAccount,
  settle,
  settleRanges,
  sizeOf,
  without,
  type BootAccount,
  type Range,
} from '../../sidecar/audit/account.ts';
import {
  ALLOWED_MAX_US,
  finished,
  judge,
  OVERDUE_US,
  REFUSAL_MAX_US,
  type JudgedBy,
} from '../../sidecar/decisions/judge.ts';
import {
  endangered,
  MAX_REMEMBERED,
  MERGE_US,
  pendingOf,
  type JournalView,
  type Pending,
} from '../../sidecar/decisions/pending.ts';
import { journalView, noted, upTo } from '../fixtures/noted.ts';
import { STARTED_AT_US } from '../fixtures/rows.ts';

const NOW_US = STARTED_AT_US + 5_000_000;
const SECOND_US = 1_000_000;

function numbersIn(ranges: readonly Range[]): number[] {
  return ranges.flatMap((range) => upTo(sizeOf(range)).map((nth) => range.first + nth - 1));
}

describe('settling', () => {
  const BATCHES = fc.array(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 20 }), {
    maxLength: 8,
  });

  test('whatever comes in whatever order, gaps are what has not come below the highest', () => {
    fc.assert(
      fc.property(BATCHES, (batches) => {
        const came = new Set(batches.flat());
        const highest = Math.max(0, ...came);
        const account = batches.reduce(settle, newAccount('boot-1'));
        expect(account.highest).toBe(highest);
        expect(numbersIn(account.gaps)).toEqual(upTo(highest).filter((n) => !came.has(n)));
      }),
    );
  });

  test('gaps are ascending and never touch one another, so that there are as few as can be', () => {
    fc.assert(
      fc.property(BATCHES, (batches) => {
        const { gaps } = batches.reduce(settle, newAccount('boot-1'));
        for (const [index, { first, last }] of gaps.entries()) {
          expect(last).toBeGreaterThanOrEqual(first);
          expect(first).toBeGreaterThan((gaps[index - 1]?.last ?? -1) + 1);
        }
      }),
    );
  });

  test('the order of batches, and of numbers in them, makes no difference', () => {
    fc.assert(
      fc.property(BATCHES, (batches) => {
        const one = batches.reduce(settle, newAccount('boot-1'));
        expect(settle(newAccount('boot-1'), batches.flat().toReversed())).toEqual(one);
      }),
    );
  });

  test('a range does what all of its numbers would do', () => {
    const range = fc
      .tuple(fc.integer({ min: 1, max: 60 }), fc.nat({ max: 10 }))
      .map(([first, more]) => ({ first, last: first + more }));
    fc.assert(
      fc.property(BATCHES, fc.array(range, { maxLength: 5 }), (batches, ranges) => {
        const account = batches.reduce(settle, newAccount('boot-1'));
        expect(settleRanges(account, ranges)).toEqual(settle(account, numbersIn(ranges)));
      }),
    );
  });

  test('a range of a thousand million numbers costs no more than one', () => {
    const last = 1_000_000_000;
    const account = settleRanges(newAccount('boot-1'), [{ first: 2, last }]);
    expect(account).toEqual({ bootId: 'boot-1', highest: last, gaps: [{ first: 1, last: 1 }] });
  });

  test('a gap that is not touched stays the same object, and nothing at all changes nothing', () => {
    const account = settle(newAccount('boot-1'), [3, 6]);
    expect(settle(account, [4]).gaps[0]).toBe(account.gaps[0]);
    expect(settle(account, [])).toBe(account);
  });
});

test('what is left of ranges is what is in none of those taken', () => {
  const ranges = fc
    .array(fc.integer({ min: 1, max: 40 }), { maxLength: 15 })
    .map((numbers) => settle(newAccount('x'), numbers).gaps);
  fc.assert(
    fc.property(ranges, ranges, (some, taken) => {
      const gone = new Set(numbersIn(taken));
      const left = numbersIn(some).filter((number) => !gone.has(number));
      expect(numbersIn(without(some, taken))).toEqual(left);
    }),
  );
});

/** An account of boot-1 to which these numbers have come. */
function account(...numbers: number[]): BootAccount {
  return settle(newAccount('boot-1'), numbers);
}

function pending(
  accounts: readonly BootAccount[],
  journals: readonly JournalView[],
  kept: readonly Pending[] = [],
  nowUs = NOW_US,
): Pending[] {
  return pendingOf({ accounts, journals, kept, nowUs });
}

describe('what is pending', () => {
  test('a gap, and what the journal has beyond the highest', () => {
    const found = pending([account(1, 3)], [journalView(upTo(5).map((n) => noted(n)))]);
    expect(found.map(({ noted: who }) => who?.number)).toEqual([2, 4, 5]);
    expect(found[0]).toEqual({
      bootId: 'boot-1',
      range: { first: 2, last: 2 },
      noted: noted(2),
      sinceUs: noted(2).startedAtUs,
      machineBootId: 'machine-1',
      hasJournal: true,
    });
  });

  test('all of a boot of which no line has come yet', () => {
    expect(pending([], [journalView([noted(1), noted(2)])])).toHaveLength(2);
  });

  test('nothing where all has come', () => {
    expect(pending([account(1, 2)], [journalView([noted(1), noted(2)])])).toEqual([]);
  });

  test('without a journal: the gaps, as ranges', () => {
    const found = pending([account(5, 9)], []);
    expect(found.map(({ range }) => range)).toEqual([
      { first: 1, last: 4 },
      { first: 6, last: 8 },
    ]);
    expect(found[0]).toMatchObject({ hasJournal: false, machineBootId: '', sinceUs: NOW_US });
  });

  test('overwritten numbers are one range, which had begun when the next known one did', () => {
    const decisions = upTo(9).map((n) => noted(n));
    const [unknown, ...known] = pending([], [journalView(decisions, { oldest: 6 })]);
    expect(unknown).toMatchObject({
      range: { first: 1, last: 5 },
      sinceUs: noted(6).startedAtUs,
    });
    expect(unknown).not.toHaveProperty('noted');
    expect(known.map(({ range }) => range.first)).toEqual([6, 7, 8, 9]);
  });

  test('a torn slot is a number of which nothing is known', () => {
    const found = pending([], [journalView([noted(1), noted(3)])]);
    expect(found.map(({ range, noted: who }) => [range.first, who !== undefined])).toEqual([
      [1, true],
      [2, false],
      [3, true],
    ]);
    expect(found[1]?.sinceUs).toBe(noted(3).startedAtUs);
  });

  test('a journal is not asked about what it has overwritten', () => {
    const view = journalView([noted(500_000)], { oldest: 499_999 });
    const asked: number[] = [];
    const find = (number: number) => {
      asked.push(number);
      return view.find(number);
    };
    expect(pending([], [{ ...view, find }]).map(({ range }) => range)).toEqual([
      { first: 1, last: 499_999 },
      { first: 500_000, last: 500_000 },
    ]);
    expect(Math.min(...asked)).toBe(499_999);
  });

  test('every pending number is in exactly one piece, whatever is known of them', () => {
    const set = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 25 });
    const times = fc.integer({ min: -3, max: 3 });
    fc.assert(
      fc.property(
        set,
        set,
        set,
        fc.nat({ max: 30 }),
        times,
        (came, written, before, oldest, at) => {
          const journal = journalView(
            written.map((n) => noted(n)),
            { oldest },
          );
          const kept = pending([], [journalView(before.map((n) => noted(n)))], [], NOW_US + at);
          const found = pending([account(...came)], [journal], kept);
          const highest = Math.max(0, ...came, ...written);
          expect(numbersIn(found.map(({ range }) => range))).toEqual(
            upTo(highest).filter((n) => !came.includes(n)),
          );
          for (const { range, noted: who } of found) {
            if (who !== undefined) expect(range).toEqual({ first: who.number, last: who.number });
          }
        },
      ),
    );
  });
});

describe('what is remembered of overwritten ones', () => {
  const full = upTo(9).map((n) => noted(n));

  test('who it was, from the last look', () => {
    const kept = pending([], [journalView(full)]);
    const now = pending([account(1, 2, 4)], [journalView(full, { oldest: 7 })], kept);
    expect(now.map(({ noted: who }) => who?.number)).toEqual([3, 5, 6, 7, 8, 9]);
  });

  test('also when the journal has gone, with the boot of the machine', () => {
    const kept = pending([account(5)], [journalView(full, { issued: 5 })]);
    const [first] = pending([account(5)], [], kept);
    expect(first).toMatchObject({ noted: noted(1), machineBootId: 'machine-1', hasJournal: false });
  });

  test('not those that have come since', () => {
    const kept = pending([], [journalView(full)]);
    expect(pending([account(...upTo(9))], [journalView(full, { oldest: 7 })], kept)).toEqual([]);
  });

  test('of an unknown range, since when, however it shrinks', () => {
    const kept = pending([account(9)], [], [], NOW_US - 3 * MERGE_US);
    const found = pending([account(3, 9)], [], kept);
    expect(found.map(({ range, sinceUs }) => [range.first, range.last, sinceUs])).toEqual([
      [1, 2, NOW_US - 3 * MERGE_US],
      [4, 8, NOW_US - 3 * MERGE_US],
    ]);
  });

  test('a range that grows with every look gets old all the same, and stays a few ranges', () => {
    let kept: Pending[] = [];
    const minutes = 10;
    for (let second = 1; second <= minutes * 60; second++) {
      kept = pending([account(second * 100)], [], kept, NOW_US + second * SECOND_US);
    }
    const agesUs = kept.map(({ sinceUs }) => NOW_US + minutes * MERGE_US - sinceUs);
    expect(Math.max(...agesUs)).toBeGreaterThanOrEqual((minutes - 1) * MERGE_US);
    expect(kept.length).toBeLessThanOrEqual(minutes + 1);
  });

  test('no more than the limit: the oldest with who they were, of the others the times', () => {
    const many = upTo(MAX_REMEMBERED + 5).map((n) => noted(n));
    const kept = pending([], [journalView(many)]);
    const found = pending([account(MAX_REMEMBERED + 6)], [], kept, NOW_US + MERGE_US);
    expect(found.filter(({ noted: who }) => who !== undefined)).toHaveLength(MAX_REMEMBERED);
    expect(found.at(-1)).toMatchObject({
      range: { first: MAX_REMEMBERED + 1, last: MAX_REMEMBERED + 5 },
      sinceUs: noted(MAX_REMEMBERED + 5).startedAtUs,
    });
  });

  test('worth keeping outside of the journal are those in its older half, and what it never knew', () => {
    const journal = journalView(full, { slots: 10 });
    const open = pending([], [journal]);
    const other: Pending = { ...(open[8] as Pending), bootId: 'boot-without-journal' };
    const kept = endangered([...open, other], [journal]);
    expect(kept.map(({ range }) => range.first)).toEqual([1, 2, 3, 4, 9]);
  });
});

test('without a log, what is worth keeping is the same from look to look', () => {
  const journals = [40_000, 50_000].map((issued) =>
    journalView(
      upTo(issued).map((n) => noted(n)),
      { oldest: 20_000 },
    ),
  );
  const [before, after] = journals.map((journal) => endangered(pending([], [journal]), [journal]));
  expect(before).toHaveLength(MAX_REMEMBERED);
  expect(after).toEqual(before);
});

describe('judging', () => {
  const ALLOWED = noted(1);

  function judged(
    decision: Parameters<typeof noted>[1],
    by: Partial<JudgedBy> & { ageUs: number },
  ) {
    const nowUs = STARTED_AT_US + by.ageUs;
    const journal = journalView([noted(1, { startedAtUs: STARTED_AT_US, ...decision })]);
    return judgedAll(pending([], [journal], [], nowUs), { nowUs, ...by });
  }

  function judgedAll(some: readonly Pending[], by: Partial<JudgedBy> = {}) {
    return judge(some, {
      hasRow: () => false,
      currentBootId: 'boot-1',
      machineBootId: 'machine-1',
      nowUs: NOW_US,
      isLogAtEnd: true,
      ...by,
    });
  }

  test('one whose request has a row is settled', () => {
    const hasRow = (id: string) => id === ALLOWED.requestId;
    const { settled, open, lost } = judged({}, { ageUs: ALLOWED_MAX_US, hasRow });
    expect(settled).toMatchObject([{ bootId: 'boot-1', range: { first: 1, last: 1 } }]);
    expect([...open, ...lost]).toEqual([]);
  });

  test.each(['deny', 'login', 'none'] as const)('a refusal (%s) is lost after a minute', (what) => {
    expect(judged({ decision: what }, { ageUs: REFUSAL_MAX_US - 1 }).lost).toEqual([]);
    expect(judged({ decision: what }, { ageUs: REFUSAL_MAX_US }).lost).toMatchObject([
      { cause: 'refused-without-line', noted: { user: 'alice', route: 'orders', decision: what } },
    ]);
  });

  test('an allowed one is open for a day, then lost', () => {
    expect(judged({}, { ageUs: ALLOWED_MAX_US - 1 }).open).toHaveLength(1);
    expect(judged({}, { ageUs: ALLOWED_MAX_US }).lost).toMatchObject([{ cause: 'open-too-long' }]);
  });

  test('an allowed one is lost at once when the machine has been restarted', () => {
    const { lost } = judged({}, { ageUs: SECOND_US, machineBootId: 'machine-2' });
    expect(lost).toMatchObject([{ cause: 'machine-restarted' }]);
  });

  test('where either boot of the machine is unknown, none was restarted', () => {
    expect(judged({}, { ageUs: SECOND_US, machineBootId: '' }).lost).toEqual([]);
    const journal = journalView([ALLOWED], { machineBootId: '' });
    expect(judgedAll(pending([], [journal])).lost).toEqual([]);
  });

  test('nothing is lost before the log has been read to its end', () => {
    const by = { isLogAtEnd: false, ageUs: ALLOWED_MAX_US, machineBootId: 'machine-2' };
    expect(judged({ decision: 'deny' }, by)).toMatchObject({
      lost: [],
      open: [{ range: { first: 1 } }],
    });
  });

  test('overwritten ones are judged as allowed ones, as one range', () => {
    const decisions = upTo(9).map((n) => noted(n, { startedAtUs: STARTED_AT_US }));
    const some = pending([account(9)], [journalView(decisions, { oldest: 9 })]);
    const at = (ageUs: number) => judgedAll(some, { nowUs: STARTED_AT_US + ageUs });
    expect(at(ALLOWED_MAX_US - 1).open).toHaveLength(1);
    expect(at(ALLOWED_MAX_US).lost).toMatchObject([
      { range: { first: 1, last: 8 }, cause: 'open-too-long' },
    ]);
  });

  test('gaps of a boot that has ended, and whose journal is gone, are lost', () => {
    const some = pending([account(5)], []);
    expect(judgedAll(some, { currentBootId: 'boot-2' }).lost).toMatchObject([
      { range: { first: 1, last: 4 }, cause: 'journal-gone' },
    ]);
    expect(judgedAll(some).lost).toEqual([]);
    expect(judgedAll(some, { currentBootId: undefined }).lost).toEqual([]);
  });

  test('an allowed one of a boot that has ended is open: the app may still be answering', () => {
    expect(judged({}, { ageUs: SECOND_US, currentBootId: 'boot-2' }).open).toHaveLength(1);
  });

  test('a remembered one is judged by its own time though its journal is gone', () => {
    const kept = pending([account(2)], [journalView([ALLOWED])]);
    const { open } = judgedAll(pending([account(2)], [], kept), { currentBootId: 'boot-2' });
    expect(open).toMatchObject([{ noted: ALLOWED }]);
  });

  test('overdue are all numbers that have been open for more than a minute', () => {
    const decisions = upTo(9).map((n) => noted(n, { startedAtUs: STARTED_AT_US }));
    const some = pending([], [journalView(decisions, { oldest: 7 })]);
    expect(judgedAll(some, { nowUs: STARTED_AT_US + OVERDUE_US }).overdue).toBe(0);
    expect(judgedAll(some, { nowUs: STARTED_AT_US + OVERDUE_US + 1 }).overdue).toBe(9);
  });

  test('what is settled or lost leaves the account, and what is open stays', () => {
    const decisions = [noted(1), noted(2, { decision: 'deny' }), noted(3), noted(4)];
    const before = account(4);
    const { settled, lost, open } = judgedAll(pending([before], [journalView(decisions)]), {
      nowUs: STARTED_AT_US + REFUSAL_MAX_US + SECOND_US,
      hasRow: (id) => id === noted(3).requestId,
    });
    const after = settleRanges(
      before,
      [...settled, ...lost].map(({ range }) => range),
    );
    expect(after.gaps).toEqual([{ first: 1, last: 1 }]);
    expect(open.map(({ range }) => range)).toEqual(after.gaps);
  });

  test('a journal can go when its boot has ended and nothing of it is open', () => {
    const journals = ['boot-1', 'boot-2', 'boot-3'].map((bootId) => ({ bootId }));
    const open = pending([], [journalView([ALLOWED], { bootId: 'boot-2' })]);
    expect(finished(journals, open, 'boot-3')).toEqual([{ bootId: 'boot-1' }]);
  });
});
