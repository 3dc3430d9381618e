// Rows that go by themselves, on both databases: which, when, and what is told of those that nobody got. Time
// passes by handing on other times.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { StoredRow } from '../../sidecar/audit/row.ts';
import {
  createRetention,
  FIRST_LOOK_MS,
  LOOK_EVERY_MS,
  MAX_SET_ASIDE,
  type Retention,
} from '../../sidecar/retention/retention.ts';
import { databaseKinds } from '../fixtures/databases.ts';
import { KEY, openRecord, type Record } from '../fixtures/records.ts';
import { aRow, STARTED_AT_US } from '../fixtures/rows.ts';

const DAY_MS = 86_400_000;
const DAY_US = DAY_MS * 1000;
const KEPT_DAYS = 100;
const UNDELIVERED_DAYS = 30;

/** A day after the first row's, in microseconds. */
const day = (number: number) => STARTED_AT_US + number * DAY_US;

describe.each(Object.entries(databaseKinds()))('%s', (_name, kind) => {
  if (kind.missing !== undefined) {
    test.skip(`not tried here: ${kind.missing}`, () => {});
    return;
  }

  let place: string;
  let record: Record;
  let nowUs: number;
  let steadyMs: number;
  let uptimeUs: number;
  beforeAll(() => kind.start());
  afterAll(() => kind.stop());
  beforeEach(async () => {
    place = await kind.make();
    record = await openRecord(place);
    [nowUs, steadyMs, uptimeUs] = [day(0), 0, 0];
  });
  afterEach(() => record.close());

  /** Commits rows of these days, each the end of a segment of two. */
  async function segments(...days: readonly number[]): Promise<void> {
    for (const each of days) {
      const rowOf = (half: number) =>
        aRow({ startedAtUs: day(each) + half * 1000 }, each * 2 + half + 1);
      await record.commit(rowOf(0), rowOf(1));
      await record.sign();
    }
  }

  const start = (
    destinations: readonly string[] = [],
    retention: { rowsMs?: number; undeliveredMs: number } = {
      rowsMs: KEPT_DAYS * DAY_MS,
      undeliveredMs: UNDELIVERED_DAYS * DAY_MS,
    },
  ): Retention => {
    const clocks = { clock: () => nowUs, steadyMs: () => steadyMs, uptimeUs: () => uptimeUs };
    return createRetention({ store: record.store, key: KEY, retention, destinations, ...clocks });
  };

  /** Lets it look, on that day and no sooner than it is, and do all that it finds. */
  async function lookAt(retention: Retention, days: number): Promise<void> {
    uptimeUs += Math.max(0, day(days) - nowUs);
    await lookBy(retention, days);
  }

  /** Lets it look by a clock that was set to that day. */
  async function lookBy(retention: Retention, days: number): Promise<void> {
    nowUs = day(days);
    steadyMs += FIRST_LOOK_MS + LOOK_EVERY_MS;
    for (let acts = 0; acts < 12; acts++) await retention.step();
  }

  const rows = (): Promise<StoredRow[]> => record.store.rowsAfter(0, 1000);
  const sequences = async () => (await rows()).map(({ sequence }) => sequence);

  /** Looks on many days, as a clock that goes on does. */
  async function liveUntil(retention: Retention, days: number): Promise<void> {
    for (let at = 0; at < days; at += 9) await lookAt(retention, at);
    await lookAt(retention, days);
  }

  test('rows go when they are old enough, in whole segments, and verification passes', async () => {
    await segments(0, 1, 2, 50);
    await liveUntil(start(), 101.5);
    expect((await sequences())[0]).toBe(5);
    expect((await record.verify()).findings).toEqual([]);
  });

  test('nothing happens in the first minutes, and between two looks', async () => {
    await segments(0, 1);
    const retention = start();
    steadyMs = FIRST_LOOK_MS - 1;
    nowUs = day(9);
    for (let acts = 0; acts < 20; acts++) await retention.step();
    expect(await record.store.note('retention-clock')).toBeUndefined();
    steadyMs = FIRST_LOOK_MS;
    for (let acts = 0; acts < 20; acts++) await retention.step();
    const seen = await record.store.note('retention-clock');
    nowUs = day(10);
    steadyMs += LOOK_EVERY_MS - 1;
    for (let acts = 0; acts < 20; acts++) await retention.step();
    expect(await record.store.note('retention-clock')).toBe(seen);
  });

  test('for ever is for ever, and there is nothing to tell of', async () => {
    await segments(0, 1);
    const retention = start([], { undeliveredMs: 0 });
    await liveUntil(retention, 500);
    expect(await sequences()).toHaveLength(4);
    expect(retention.state()).toBeUndefined();
  });

  test('rows that are younger than an hour stay, however short they are kept', async () => {
    await segments(0);
    const retention = start([], { rowsMs: 1000, undeliveredMs: 0 });
    await lookAt(retention, 0.5 / 24);
    expect(await sequences()).toEqual([1, 2]);
    await lookAt(retention, 2 / 24);
    expect((await rows()).map(({ kind: what }) => what)).toEqual(['event']);
  });

  test('what a destination doesn’t have waits for it, and it is said who and how many', async () => {
    await segments(0, 1, 2, 3);
    await record.store.moveCursor('slow', 3);
    const retention = start(['slow']);
    await liveUntil(retention, 110);
    expect((await sequences())[0]).toBe(3);
    expect(retention.state()).toMatchObject({
      status: 'waiting',
      removedUpTo: 2,
      waiting: { slow: { rows: 5 } },
      problem: expect.stringMatching(/wait for slow \(5 rows, since /) as unknown,
    });
  });

  test('they go as soon as it has them', async () => {
    await segments(0, 1, 2, 3, 90);
    const retention = start(['slow']);
    await liveUntil(retention, 110);
    await record.store.moveCursor('slow', 10);
    await lookAt(retention, 110);
    expect((await sequences())[0]).toBe(9);
    expect(retention.state()).toEqual({ status: 'keeping', removedUpTo: 8 });
  });

  test('when they have waited long enough they go all the same, and it is told who lacks how many', async () => {
    await segments(0, 1, 2, 60);
    await record.store.moveCursor('slow', 3);
    const retention = start(['slow', 'new']);
    await liveUntil(retention, 131.5);
    const left = await rows();
    expect(left[0]?.sequence).toBe(5);
    expect(left.at(-1)).toMatchObject({
      event: 'rows-removed',
      details: { upTo: 4, undelivered: 'slow: 1, new: 4' },
    });
    expect(retention.state()).toMatchObject({
      status: 'undelivered',
      problem: expect.stringContaining('slow (1 rows)') as unknown,
    });
    expect((await record.verify()).findings).toEqual([]);
  });

  test('that is told for a day, also by a recorder that begins anew', async () => {
    await segments(0, 1, 60);
    const retention = start(['gone']);
    await liveUntil(retention, 131.5);
    const told = retention.state();
    expect(told?.status).toBe('undelivered');
    const anew = start(['gone']);
    steadyMs = 0;
    await anew.step();
    expect(anew.state()).toMatchObject({ status: 'undelivered', problem: told?.problem });
    await lookAt(anew, 131.9);
    expect(anew.state()?.status).toBe('undelivered');
    await lookAt(anew, 132.6);
    expect(anew.state()?.status).not.toBe('undelivered');
  });

  test('what a destination gets while rows go is not told as undelivered', async () => {
    await segments(0, 1);
    const { removal } = record.store;
    const ages = { oldUpTo: 4, overdueUpTo: 4, beforeUs: day(9) };
    const plan = await removal.plan(ages, ['back', 'gone']);
    const slice = () => removal.slice(plan, { key: KEY, nowUs: day(9), sliceRows: 2 });
    await slice();
    await record.store.moveCursor('back', 4);
    const undelivered = [
      ['back', 2],
      ['gone', 4],
    ];
    expect([...((await slice()).undelivered ?? [])]).toEqual(undelivered);
    expect((await rows()).at(-1)).toMatchObject({ details: { undelivered: 'back: 2, gone: 4' } });
  });

  test('the command’s event tells who lacks how many, too', async () => {
    await segments(0, 1);
    await record.store.moveCursor('slow', 1);
    await record.remove({ beforeUs: day(9), notWaitingFor: 'all' });
    expect((await rows()).at(-1)).toMatchObject({ details: { rows: 4, undelivered: 'slow: 3' } });
  });

  test('a destination that was taken out of the configuration holds up nobody', async () => {
    await segments(0, 1);
    await record.store.moveCursor('gone', 0);
    await liveUntil(start(), 110);
    expect((await rows()).map(({ kind: what }) => what)).toEqual(['event']);
  });

  test('a clock that jumps years ahead removes nothing, and it is told', async () => {
    await segments(0, 1, 2);
    const retention = start();
    await lookAt(retention, 3);
    await lookBy(retention, 1000);
    expect(await sequences()).toHaveLength(6);
    expect(retention.state()).toMatchObject({
      status: 'clock',
      problem: expect.stringMatching(/the clock has jumped ahead by 997 days/) as unknown,
    });
  });

  test('nor does it after a restart; and when it is set back all is well', async () => {
    await segments(0, 1, 2);
    await lookAt(start(), 3);
    await lookBy(start(), 1000);
    await lookAt(start(), 1001);
    expect(await sequences()).toHaveLength(6);
    const retention = start();
    await lookAt(retention, 4);
    expect(retention.state()).toEqual({ status: 'keeping', removedUpTo: 0 });
    await liveUntil(retention, 101.5);
    expect((await sequences())[0]).toBe(5);
  });

  test('one that is years ahead is not believed because it steps back a little', async () => {
    await segments(0, 1, 2);
    const retention = start();
    await lookAt(retention, 3);
    await lookBy(retention, 374);
    await lookBy(retention, 360);
    expect(await sequences()).toHaveLength(6);
    expect(retention.state()?.status).toBe('clock');
  });

  test('hourly steps that are each small add up to nothing', async () => {
    await segments(0, 1, 2);
    const retention = start();
    await lookAt(retention, 3);
    for (let steps = 1; steps < 40; steps++) {
      uptimeUs += DAY_US / 24;
      await lookBy(retention, 3 + steps * 9.9);
    }
    expect(await sequences()).toHaveLength(6);
    expect(retention.state()?.status).toBe('clock');
  });

  test('a recorder that begins anew tells of a doubt at once', async () => {
    await segments(0);
    await lookAt(start(), 3);
    await lookBy(start(), 1000);
    const anew = start();
    steadyMs = 0;
    await anew.step();
    expect(anew.state()?.status).toBe('clock');
  });

  test('a clock that is set back removes no more than it says, whatever was old by it before', async () => {
    await segments(0, 20, 40);
    const retention = start(['slow']);
    await liveUntil(retention, 121);
    await record.store.moveCursor('slow', 6);
    await lookAt(retention, 50);
    expect(await sequences()).toHaveLength(6);
    await liveUntil(retention, 121);
    expect((await sequences())[0]).toBe(5);
  });

  test('one row of a clock that was ahead keeps those after it, and no more', async () => {
    await segments(0, 1);
    await record.commit(aRow({ startedAtUs: day(300) }, 1000));
    await record.sign();
    await segments(3);
    const retention = start();
    await liveUntil(retention, 102.5);
    expect(retention.state()?.status).toBe('keeping');
    await liveUntil(retention, 150);
    expect((await sequences())[0]).toBe(5);
    expect(retention.state()).toMatchObject({
      status: 'held-up',
      problem: expect.stringMatching(/^row 5 of .* holds up older ones after it/) as unknown,
    });
  });

  test('of lines set aside no more than the most are kept, also where rows are kept for ever', async () => {
    const lines = Array.from({ length: MAX_SET_ASIDE + 700 }, (_, number) => {
      const hash = number.toString(16).padStart(64, '0');
      return { hash, reason: 'not-json', head: '', bytes: 1 } as const;
    });
    await record.database.transaction((queries) =>
      queries.insert(
        'set_aside',
        ['hash', 'reason', 'head', 'bytes'],
        lines.map(({ hash, reason, head, bytes }) => [hash, reason, head, bytes]),
      ),
    );
    await lookAt(start([], { undeliveredMs: 0 }), 1);
    const [left] = await record.database.all('SELECT count(*) AS "lines" FROM set_aside');
    expect(Number(left?.['lines'])).toBeLessThanOrEqual(MAX_SET_ASIDE);
    expect(Number(left?.['lines'])).toBeGreaterThan(MAX_SET_ASIDE - 500);
  });

  test('a fault of the store is told and ends nothing', async () => {
    await segments(0, 1);
    const retention = start();
    await record.close();
    await lookAt(retention, 0);
    expect(retention.state()).toMatchObject({
      status: 'failing',
      problem: expect.stringMatching(/^old rows can't be removed: /) as unknown,
    });
    record = await openRecord(place);
  });

  test('whatever else fails is told as well, and ends nothing', async () => {
    const clocks = { clock: () => nowUs, steadyMs: () => steadyMs };
    const uptime = () => {
      throw new RangeError('no uptime here');
    };
    const retention = createRetention({
      ...{ store: record.store, key: KEY, destinations: [], ...clocks, uptimeUs: uptime },
      retention: { rowsMs: DAY_MS, undeliveredMs: 0 },
    });
    await lookAt(retention, 0);
    expect(retention.state()).toMatchObject({
      status: 'failing',
      problem: "old rows can't be removed: no uptime here; it is tried again",
    });
  });

  test('rows come in between two acts, and the chain stays whole', async () => {
    await segments(...Array.from({ length: 40 }, (_, index) => index));
    const retention = start();
    for (let at = 0; at < 120; at += 9) await lookAt(retention, at);
    nowUs = day(121);
    steadyMs += LOOK_EVERY_MS;
    for (let acts = 0; acts < 30; acts++) {
      await retention.step();
      await record.commit(aRow({ startedAtUs: nowUs + acts }, 5000 + acts));
    }
    await record.sign();
    expect((await sequences())[0]).toBe(43);
    expect((await record.verify()).findings).toEqual([]);
  });
});
