// The span volume that the databases count is the one that the rows make, request by request.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RequestRow } from '../../sidecar/audit/row.ts';
import {
  firstRequestUs,
  spanVolume,
  type VolumeQuestion,
} from '../../sidecar/report/span-volume.ts';
import { createSpanCount } from '../../sidecar/trace/span-count.ts';
import { worthOf } from '../../sidecar/trace/worth.ts';
import { askedKinds, openAsked, type Asked } from '../fixtures/asked.ts';
import { SLOW_US } from '../fixtures/budgets.ts';
import { CHAIN } from '../fixtures/databases.ts';
import { aFullRow, anEvent, aRow, STARTED_AT_US } from '../fixtures/rows.ts';

const HOUR_US = 3_600_000_000;
const ALL: VolumeQuestion = { sinceUs: 0, untilUs: Number.MAX_SAFE_INTEGER, slowUs: SLOW_US };
const { gate, upstream, identity } = aFullRow();

/** Whatever may matter for a row's worth and its spans, made into many rows. */
const requests = fc.array(
  fc.record({
    status: fc.constantFrom(0, 101, 200, 302, 403, 404, 499, 500, 502),
    decision: fc.constantFrom('allow', 'login', 'deny', 'none'),
    reason: fc.constantFrom(
      ...(['requirement-met', 'stamp-invalid', 'unprotected'] as const),
      ...(['no-credentials', 'session-unknown', 'gate-refused'] as const),
    ),
    kind: fc.constantFrom('request', 'unexplained'),
    durationUs: fc.constantFrom(0, SLOW_US - 1, SLOW_US, 10 * SLOW_US),
    sampled: fc.boolean(),
    hour: fc.nat(40),
    has: fc.constantFrom('nothing', 'gate', 'upstream', 'both'),
    team: fc.constantFrom(undefined, 'payments', 'search'),
    route: fc.constantFrom(undefined, 'orders', 'admin'),
  }),
  { minLength: 1, maxLength: 40 },
);
type Drawn = typeof requests extends fc.Arbitrary<readonly (infer T)[]> ? T : never;

describe.each(askedKinds())('%s', (name, kind) => {
  if (kind.missing !== undefined) {
    test.skip(`not tried here: ${kind.missing}`, () => {});
    return;
  }

  let asked: Asked;
  let chain: string;
  let made = 0;
  beforeAll(() => kind.start());
  afterAll(() => kind.stop());
  beforeEach(async () => {
    asked = await openAsked(kind);
    chain = asked.store.chain;
  });
  afterEach(() => asked.close());

  function rowOf({ hour, has, team, route, ...fields }: Drawn): RequestRow {
    const { identity: _identity, route: _route, ...row } = aRow(fields, ++made);
    return {
      ...row,
      startedAtUs: STARTED_AT_US + hour * HOUR_US,
      ...((has === 'gate' || has === 'both') && gate && { gate: { ...gate, number: made } }),
      ...((has === 'upstream' || has === 'both') && upstream && { upstream }),
      ...(team !== undefined && identity && { identity: { ...identity, team } }),
      ...(route !== undefined && { route }),
    };
  }

  test('counts of each team, route, worth and hour what its rows make', async () => {
    const count = createSpanCount(SLOW_US);
    const told: RequestRow[] = [];
    const keyOf = (...parts: unknown[]) => JSON.stringify(parts.map((part) => part ?? null));
    await fc.assert(
      fc.asyncProperty(requests, async (drawn) => {
        const rows = drawn.map(rowOf);
        told.push(...rows);
        await asked.commit(...rows);
        const expected = new Map<string, { requests: number; spans: number }>();
        for (const row of told) {
          const hour = Math.floor(row.startedAtUs / HOUR_US) % 24;
          const key = keyOf(row.identity?.team, row.route, worthOf(row, SLOW_US), hour);
          const before = expected.get(key) ?? { requests: 0, spans: 0 };
          expected.set(key, {
            requests: before.requests + 1,
            spans: before.spans + count(row),
          });
        }
        const found = (await spanVolume(asked.reader, chain, ALL)).map(
          ({ team, route, worth, hour, ...sums }) =>
            [keyOf(team, route, worth, hour), sums] as const,
        );
        expect(new Map(found)).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });

  const spansWith = async (ratio: number) =>
    (await spanVolume(asked.reader, chain, { ...ALL, ratio })).reduce(
      (sum, { spans }) => sum + spans,
      0,
    );

  test('a ratio is counted as if it had been in force, whatever was sampled', async () => {
    await asked.commit(
      ...Array.from({ length: 100 }, (_, number) =>
        aRow({ sampled: number < 50, ...(gate && { gate: { ...gate, number } }) }, number),
      ),
    );
    expect([await spansWith(1), await spansWith(0.1), await spansWith(0)]).toEqual([200, 20, 0]);
  });

  test('at any ratio refusals are all there, and errors and slow requests have one span at least', async () => {
    await asked.commit(
      aRow({ decision: 'deny', reason: 'team-not-allowed', status: 403, ...(gate && { gate }) }, 1),
      aRow({ status: 502, ...(upstream && { upstream }) }, 2),
      aRow({ durationUs: SLOW_US }, 3),
      aRow({}, 4),
      aRow({ decision: 'login', reason: 'session-unknown', ...(gate && { gate }) }, 5),
      aRow({ decision: 'none', reason: 'gate-refused' }, 6),
      aRow({ decision: 'login', reason: 'no-credentials' }, 7),
    );
    expect(await spansWith(0)).toBe(2 + 1 + 1 + 2 + 1);
  });

  test('begins with the one time and ends before the other; events are no requests', async () => {
    await asked.commit(
      anEvent({ startedAtUs: STARTED_AT_US - 5 }),
      ...[0, 1, 2, 3].map((us) => aRow({ startedAtUs: STARTED_AT_US + us }, us)),
    );
    const question = { ...ALL, sinceUs: STARTED_AT_US + 1, untilUs: STARTED_AT_US + 3 };
    expect(await spanVolume(asked.reader, chain, question)).toMatchObject([{ requests: 2 }]);
    expect(await firstRequestUs(asked.reader, chain)).toBe(STARTED_AT_US);
  });

  if (name !== 'PostgreSQL') return;
  test('other chains of the database are not counted', async () => {
    const other = await asked.another(CHAIN.replace(/1$/, '2'));
    await other.commit({ rows: [aRow({}, 1)] });
    expect(await spanVolume(asked.reader, chain, ALL)).toEqual([]);
    expect(await firstRequestUs(asked.reader, chain)).toBeUndefined();
  });
});
