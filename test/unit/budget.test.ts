// What a budget chooses: never more than it allows, the dearest first, and the same whoever asks, when,
// and in however many pieces. All that is not sent is counted.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { byValue, createSecond, withinDay, type Candidate } from '../../sidecar/delivery/budget.ts';
import { CLOSE_MS } from '../../sidecar/delivery/budgeted-source.ts';
import type { Parcel } from '../../sidecar/delivery/source.ts';
import { createSpanCount } from '../../sidecar/trace/span-count.ts';
import { createSpansOf, WORTHS } from '../../sidecar/trace/worth.ts';
import {
  aBudgeted,
  aToldRow,
  leftOutOf,
  sequencesOf,
  SLOW_US,
  spansOf,
  type Told,
} from '../fixtures/budgets.ts';
import { anEvent } from '../fixtures/rows.ts';

const KINDS = ['error', 'refusal', 'slow', 'other', 'unsampled'] as const;

const candidates = fc
  .array(
    fc.record({
      worth: fc.constantFrom(...WORTHS),
      random: fc.nat(20),
      spans: fc.integer({ min: 1, max: 3 }),
    }),
    { maxLength: 60 },
  )
  .map((told) =>
    told.map(({ worth, random, spans }, sequence): Candidate => ({
      sequence,
      worth,
      spans,
      traceId: 'a'.repeat(18) + random.toString(16).padStart(14, '0'),
    })),
  );

const told = fc.record({
  atMs: fc.nat(4000),
  kind: fc.constantFrom(...KINDS),
  random: fc.nat(50),
  spans: fc.integer({ min: 1, max: 3 }),
});
const requests = fc.array(told, { maxLength: 80 });
/** In the order of their ends, as Caddy writes them. */
const ordered = requests.map((all) => all.toSorted((one, other) => one.atMs - other.atMs));

const rowsOf = (all: readonly Told[]) => all.map((each, index) => aToldRow(each, index + 1));
const sum = (numbers: Iterable<number>) => [...numbers].reduce((one, other) => one + other, 0);
const kindOf = (all: readonly Told[], sequence: number) => all[sequence - 1]?.kind ?? 'other';

function choiceOf(given: readonly Candidate[], spans: number) {
  const second = createSecond(spans);
  for (const candidate of given) second.add(candidate);
  return second.choice();
}

test('a second has its dearest, as many as fit, up to the first that does not', () => {
  fc.assert(
    fc.property(candidates, fc.nat(40), (given, spans) => {
      const dearest = given.toSorted(byValue);
      const isWithin = (_: Candidate, index: number) =>
        sum(dearest.slice(0, index + 1).map((each) => each.spans)) <= spans;
      expect(choiceOf(given, spans).chosen).toEqual(dearest.filter(isWithin));
    }),
  );
});

test('the order in which candidates come changes nothing', () => {
  fc.assert(
    fc.property(candidates, fc.nat(40), (given, spans) => {
      expect(choiceOf(given.toReversed(), spans)).toEqual(choiceOf(given, spans));
    }),
  );
});

test('of equal worth those with the highest random part stay, as with ratio sampling', () => {
  const given = [1, 9, 5].map((random, sequence) => ({
    sequence,
    worth: 'other' as const,
    spans: 1,
    // The left part says nothing: it is not random in every trace id.
    traceId: (9 - random).toString().repeat(18) + random.toString(16).padStart(14, '0'),
  }));
  expect(choiceOf(given, 2).chosen.map(({ sequence }) => sequence)).toEqual([1, 2]);
});

test.each([
  ['other', 80],
  ['slow', 90],
  ['refusal', 95],
  ['error', 100],
] as const)('of a day of 100 spans, %s get up to %i', (worth, share) => {
  const given = Array.from({ length: 120 }, (_, sequence) => ({
    sequence,
    worth,
    spans: 1,
    traceId: 'a'.repeat(32),
  }));
  const { chosen, leftOut } = withinDay(given, 100, 0);
  expect(chosen).toHaveLength(share);
  expect(leftOut).toEqual({ [`budget-day:${worth}`]: 120 - share });
});

test('no second sends more than its budget', async () => {
  await fc.assert(
    fc.asyncProperty(ordered, fc.integer({ min: 1, max: 20 }), async (all, spansPerSecond) => {
      const budgeted = aBudgeted({ spansPerSecond });
      const rows = rowsOf(all);
      budgeted.commit(...rows);
      const sent = new Set(sequencesOf(await givenToTheEnd(budgeted)));
      for (const second of [0, 1, 2, 3, 4]) {
        const its = rows.filter(
          (row, index) =>
            sent.has(row.sequence) && Math.floor((all[index]?.atMs ?? 0) / 1000) === second,
        );
        expect(spansOf({ rows: its })).toBeLessThanOrEqual(spansPerSecond);
      }
    }),
  );
});

test('errors go before refusals, refusals before slow ones, those before the rest', async () => {
  await fc.assert(
    fc.asyncProperty(requests, fc.integer({ min: 1, max: 20 }), async (all, spansPerSecond) => {
      const inOneSecond = all.map((each) => ({ ...each, atMs: each.atMs % 1000, spans: 1 }));
      const budgeted = aBudgeted({ spansPerSecond });
      budgeted.commit(...rowsOf(inOneSecond));
      const parcels = await givenToTheEnd(budgeted);
      const sent = new Set(sequencesOf(parcels));
      const worthsSent = [...sent].map((sequence) => KINDS.indexOf(kindOf(all, sequence)));
      const worthsLeft = all
        .map(({ kind }) => KINDS.indexOf(kind))
        .filter((kind, index) => kind < KINDS.indexOf('unsampled') && !sent.has(index + 1));
      expect(Math.max(-1, ...worthsSent)).toBeLessThanOrEqual(Math.min(9, ...worthsLeft));
    }),
  );
});

test('the choice is the same in however many pieces the rows come to the store', async () => {
  await fc.assert(
    fc.asyncProperty(requests, fc.array(fc.nat(20)), async (all, cuts) => {
      const atOnce = aBudgeted({ spansPerSecond: 7 });
      atOnce.commit(...rowsOf(all));
      const inPieces = aBudgeted({ spansPerSecond: 7 });
      const parcels: Parcel[] = [];
      const rest = rowsOf(all);
      for (const cut of cuts) {
        inPieces.commit(...rest.splice(0, cut));
        parcels.push(...(await inPieces.given()));
      }
      inPieces.commit(...rest);
      parcels.push(...(await givenToTheEnd(inPieces)));
      const expected = await givenToTheEnd(atOnce);
      expect(sequencesOf(parcels)).toEqual(sequencesOf(expected));
      expect(leftOutOf(parcels)).toEqual(leftOutOf(expected));
    }),
  );
});

test('whoever begins again at a cursor makes the same choice', async () => {
  await fc.assert(
    fc.asyncProperty(requests, fc.nat(), async (all, drawn) => {
      const budgeted = aBudgeted({ spansPerSecond: 7 });
      budgeted.commit(...rowsOf(all));
      const first = await givenToTheEnd(budgeted);
      const cursors = [0, ...first.map(({ upTo }) => upTo)];
      const cursor = cursors[drawn % cursors.length] ?? 0;
      budgeted.restart(cursor);
      const again = sequencesOf(await givenToTheEnd(budgeted));
      expect(again).toEqual(sequencesOf(first).filter((sequence) => sequence > cursor));
    }),
  );
});

test('every row is sent, or counted, or made no spans; the cursor gets behind all of them', async () => {
  const budget = fc.record(
    {
      spansPerSecond: fc.integer({ min: 1, max: 20 }),
      spansPerDay: fc.integer({ min: 1, max: 90 }),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(requests, budget, async (all, limits) => {
      const budgeted = aBudgeted(limits);
      const rows = rowsOf(all);
      budgeted.commit(...rows);
      const parcels = await givenToTheEnd(budgeted);
      const sent = sequencesOf(parcels);
      expect(new Set(sent).size).toBe(sent.length);
      const spans = sum(parcels.map(spansOf)) + sum(Object.values(leftOutOf(parcels)));
      expect(spans).toBe(spansOf({ rows }));
      expect(parcels.at(-1)?.upTo ?? 0).toBe(rows.length);
    }),
  );
});

test('the cursor never passes a row that may still be sent', async () => {
  await fc.assert(
    fc.asyncProperty(requests, async (all) => {
      const budgeted = aBudgeted({ spansPerSecond: 7 });
      let cursor = 0;
      for (const row of rowsOf(all)) {
        budgeted.commit(row);
        for (const parcel of await budgeted.given()) {
          expect(parcel.upTo).toBeGreaterThanOrEqual(cursor);
          for (const { sequence } of parcel.rows) expect(sequence).toBeGreaterThan(cursor);
          cursor = parcel.upTo;
        }
      }
    }),
  );
});

test('a second of more rows than a parcel takes leaves the cursor where it was until its last parcel', async () => {
  const budgeted = aBudgeted({ spansPerSecond: 1200 });
  const rows = rowsOf(Array.from({ length: 2000 }, () => ({ atMs: 0 })));
  budgeted.commit(...rows, aToldRow({ atMs: 1000 }, 2001));
  const parcels = await budgeted.given();
  expect(parcels.map(({ rows: { length }, upTo }) => [length, upTo])).toEqual([
    [500, 0],
    [500, 0],
    [200, 2000],
  ]);
});

test('a second is held until a row of a later one comes', async () => {
  const budgeted = aBudgeted({ spansPerSecond: 1 });
  budgeted.commit(aToldRow({ atMs: 10, random: 1 }, 1), aToldRow({ atMs: 20, random: 2 }, 2));
  expect(await budgeted.given()).toEqual([]);
  expect(budgeted.isHolding()).toBe(true);
  budgeted.commit(aToldRow({ atMs: 1000 }, 3));
  expect(sequencesOf(await budgeted.given())).toEqual([2]);
});

test('without later rows a second is closed by the clock', async () => {
  const budgeted = aBudgeted({ spansPerSecond: 1 });
  budgeted.commit(aToldRow({ atMs: 10 }, 1));
  budgeted.pass(500);
  expect(await budgeted.given()).toEqual([]);
  budgeted.pass(499 + CLOSE_MS);
  expect(await budgeted.given()).toEqual([]);
  budgeted.pass(1);
  expect(sequencesOf(await budgeted.given())).toEqual([1]);
  expect(budgeted.isHolding()).toBe(false);
});

test('while a recorder catches up, a second that is long over waits for its last rows', async () => {
  const budgeted = aBudgeted({ spansPerSecond: 1 });
  budgeted.pass(3_600_000);
  budgeted.commit(aToldRow({ atMs: 10 }, 1));
  expect(await budgeted.given()).toEqual([]);
  budgeted.commit(aToldRow({ atMs: 20, kind: 'error' }, 2), aToldRow({ atMs: 1000 }, 3));
  expect(sequencesOf(await budgeted.given())).toEqual([2]);
});

test('stragglers of a closed second get what is left of it', async () => {
  const budgeted = aBudgeted({ spansPerSecond: 3 });
  budgeted.commit(aToldRow({ atMs: 10 }, 1), aToldRow({ atMs: 20 }, 2));
  await givenToTheEnd(budgeted);
  budgeted.commit(aToldRow({ atMs: 30 }, 3), aToldRow({ atMs: 40, kind: 'error' }, 4));
  const parcels = await givenToTheEnd(budgeted);
  expect(sequencesOf(parcels)).toEqual([4]);
  expect(leftOutOf(parcels)).toEqual({ 'budget-second:other': 1 });
});

test('while there is more to read, the clock closes nothing', async () => {
  const budgeted = aBudgeted({ spansPerSecond: 1 });
  budgeted.commit(aToldRow({ atMs: 10 }, 1));
  await budgeted.given();
  budgeted.pass(60_000);
  const unsampled = Array.from({ length: 500 }, () => ({ atMs: 20, kind: 'unsampled' }) as const);
  budgeted.commit(...unsampled.map((each, index) => aToldRow(each, index + 2)));
  budgeted.commit(aToldRow({ atMs: 30, kind: 'error' }, 502));
  expect(sequencesOf(await givenToTheEnd(budgeted))).toEqual([502]);
});

test('a request that ended just before one that is in front of it shares the budget of its second', async () => {
  const budgeted = aBudgeted({ spansPerSecond: 1 });
  budgeted.commit(aToldRow({ atMs: 1001 }, 1), aToldRow({ atMs: 999 }, 2));
  budgeted.commit(aToldRow({ atMs: 1002 }, 3));
  expect(sequencesOf(await givenToTheEnd(budgeted))).toEqual([3]);
});

test('a clock that was set back by an hour does not make one second of that hour', async () => {
  const budgeted = aBudgeted({ spansPerSecond: 1 });
  const hour = Array.from({ length: 10 }, (_, second) => ({ atMs: second * 1000 }));
  budgeted.commit(aToldRow({ atMs: 3_600_000 }, 1));
  budgeted.commit(...hour.map((each, index) => aToldRow(each, index + 2)));
  expect(sequencesOf(await givenToTheEnd(budgeted))).toHaveLength(11);
});

test('events and what is not sampled cost nothing, and the cursor goes on', async () => {
  const budgeted = aBudgeted({ spansPerSecond: 1 });
  budgeted.commit(aToldRow({ atMs: 10, kind: 'unsampled' }, 1), {
    ...anEvent(),
    sequence: 2,
    hash: 'ab'.repeat(32),
  });
  expect(await budgeted.given()).toEqual([{ rows: [], upTo: 2, leftOut: {}, isLast: true }]);
});

test('a budget of the day alone holds nothing back', async () => {
  const budgeted = aBudgeted({ spansPerDay: 10 });
  budgeted.commit(aToldRow({ atMs: 10 }, 1), aToldRow({ atMs: 2000 }, 2));
  const parcels = await budgeted.given();
  expect(parcels.map(({ rows, upTo }) => [rows.length, upTo])).toEqual([[2, 2]]);
});

test('a restart does not give the day its budget anew', async () => {
  const budgeted = aBudgeted({ spansPerDay: 10 });
  budgeted.commit(...rowsOf(Array.from({ length: 6 }, () => ({ atMs: 0 }))));
  budgeted.acknowledge(await budgeted.given());
  budgeted.restart(6);
  budgeted.commit(...[7, 8, 9, 10].map((sequence) => aToldRow({ atMs: 0 }, sequence)));
  expect(sequencesOf(await budgeted.given())).toHaveLength(2);
});

test('what is on its way counts for the day before it is acknowledged', async () => {
  const budgeted = aBudgeted({ spansPerDay: 10 });
  budgeted.commit(...rowsOf(Array.from({ length: 6 }, () => ({ atMs: 0 }))));
  await budgeted.given();
  budgeted.commit(...[7, 8, 9, 10].map((sequence) => aToldRow({ atMs: 0 }, sequence)));
  expect(sequencesOf(await budgeted.given())).toHaveLength(2);
});

test('the day of a budget is that of sending, in UTC, and the next one begins anew', async () => {
  const budgeted = aBudgeted({ spansPerDay: 10 });
  budgeted.commit(...rowsOf(Array.from({ length: 20 }, () => ({ atMs: 0 }))));
  expect(sequencesOf(await budgeted.given())).toHaveLength(8);
  budgeted.pass(86_400_000);
  budgeted.commit(aToldRow({ atMs: 0 }, 21));
  expect(sequencesOf(await budgeted.given())).toEqual([21]);
});

test('the spans of a row are counted as they are made', () => {
  const count = createSpanCount(SLOW_US);
  const make = createSpansOf(SLOW_US);
  fc.assert(
    fc.property(told, fc.boolean(), (request, sampled) => {
      const row = { ...aToldRow(request, 1), sampled };
      expect(count(row)).toBe(make(row).length);
    }),
  );
});

/** All that a source gives, with its last second closed by the clock. */
async function givenToTheEnd(budgeted: ReturnType<typeof aBudgeted>): Promise<Parcel[]> {
  const parcels = await budgeted.given();
  budgeted.pass(60_000);
  return [...parcels, ...(await budgeted.given())];
}
