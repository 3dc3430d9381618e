// What `signet spans` says of volume and budgets, as text and as JSON.
import { describe, expect, test } from '@jest/globals';
import { createVolume } from '../../sidecar/delivery/volume.ts';
import { forecast } from '../../sidecar/delivery/forecast.ts';
import type { VolumePeriod } from '../../sidecar/report/format-volume.ts';
import type { VolumePart } from '../../sidecar/report/span-volume.ts';
import { groupVolume } from '../../sidecar/report/volume-groups.ts';
import { destinationsText, destinationVolumes } from '../../sidecar/commands/spans-destinations.ts';
import { jsonOf, textOf } from '../../sidecar/commands/spans-volume.ts';

const DAY_US = 86_400_000_000;
const UNTIL_US = Date.parse('2026-11-21T00:00:00Z') * 1000;
const TWO_DAYS: VolumePeriod = {
  sinceUs: UNTIL_US - 7 * DAY_US,
  untilUs: UNTIL_US,
  fromUs: UNTIL_US - 2 * DAY_US,
  days: 2,
};
const BOTH = ['team', 'route'] as const;

const aPart = (changes: Partial<VolumePart> = {}): VolumePart => ({
  team: 'payments',
  route: 'orders',
  worth: 'other',
  hour: 10,
  requests: 10,
  spans: 30,
  ...changes,
});

const volumeOf = (parts: readonly VolumePart[], limit = 20) => ({
  period: TWO_DAYS,
  table: groupVolume(parts, BOTH, limit),
  destinations: [],
});

describe('a volume', () => {
  test('is summed up by team and route, the most spans first', () => {
    const parts = [
      aPart(),
      aPart({ worth: 'error', spans: 5 }),
      aPart({ route: 'find', spans: 99 }),
      { worth: 'other', hour: 1, requests: 1, spans: 1 },
    ];
    expect(groupVolume(parts, BOTH, 20).groups).toEqual([
      { team: 'payments', route: 'find', requests: 10, spans: 99 },
      { team: 'payments', route: 'orders', requests: 20, spans: 35 },
      { requests: 1, spans: 1 },
    ]);
  });

  test('is summed up by one of them, where that is asked', () => {
    const parts = [aPart(), aPart({ route: 'find' })];
    expect(groupVolume(parts, ['team'], 20).groups).toEqual([
      { team: 'payments', requests: 20, spans: 60 },
    ]);
  });

  test('beyond the limit is one sum, and nothing is missing of all', () => {
    const parts = ['a', 'b', 'c'].map((team, index) => aPart({ team, spans: 30 - index }));
    const { groups, rest, all } = groupVolume(parts, BOTH, 1);
    expect(groups.map(({ team }) => team)).toEqual(['a']);
    expect({ rest, all }).toEqual({
      rest: { groups: 2, requests: 20, spans: 57 },
      all: { requests: 30, spans: 87 },
    });
  });

  test('as a table has shares, and is projected from the days of which there are rows', () => {
    const text = textOf(
      volumeOf([aPart({ spans: 3000 }), aPart({ team: 'ops', spans: 1000 })]),
      BOTH,
      false,
    );
    const [period, header, first, second, all] = text.split('\n').map((line) => line.trim());
    expect(period).toBe('2026-11-14T00:00Z to 2026-11-21T00:00Z: 2 days with rows');
    expect(header?.split(/ {2,}/)).toEqual([
      'TEAM',
      'ROUTE',
      'REQUESTS',
      'SPANS',
      'SHARE',
      'SPANS/DAY',
      '/30 DAYS',
    ]);
    expect(first?.split(/ {2,}/)).toEqual([
      'payments',
      'orders',
      '10',
      '3,000',
      '75.0 %',
      '1,500',
      '45,000',
    ]);
    expect(second?.split(/ {2,}/)).toEqual([
      'ops',
      'orders',
      '10',
      '1,000',
      '25.0 %',
      '500',
      '15,000',
    ]);
    expect(all?.split(/ {2,}/)).toEqual(['all', '20', '4,000', '100.0 %', '2,000', '60,000']);
  });

  test('of less than a day says nothing of a day, and that it does not', () => {
    const period = { ...TWO_DAYS, days: 0.25 };
    const [head, , row] = textOf({ ...volumeOf([aPart()]), period }, BOTH, false).split('\n');
    expect(head).toContain('6 hours with rows; less than a day, so nothing is said of a day');
    expect(row?.trim().split(/ {2,}/)).toEqual([
      'payments',
      'orders',
      '10',
      '30',
      '100.0 %',
      '—',
      '—',
    ]);
    const json = jsonOf({ ...volumeOf([aPart()]), period });
    const nothing = { spansPerDay: null, spansPer30Days: null };
    expect(JSON.parse(json)).toMatchObject({ spans: 30, ...nothing, groups: [nothing] });
  });

  test('shows what a name would do to a terminal', () => {
    const part = aPart({ team: 'a\u001b[31m' });
    expect(textOf(volumeOf([part]), BOTH, false)).toContain('a\\x1b[31m');
    expect(jsonOf(volumeOf([part]))).not.toContain('\u001b');
  });

  test('of nothing is nothing', () => {
    expect(JSON.parse(jsonOf({ ...volumeOf([]), period: { ...TWO_DAYS, days: 0 } }))).toMatchObject(
      {
        requests: 0,
        spans: 0,
        spansPerDay: null,
        groups: [],
      },
    );
  });
});

describe('a forecast', () => {
  const evenly = (spans: number) => Array.from({ length: 24 }, () => ({ other: spans }));

  test('within the budget stops nothing', () => {
    expect(forecast(evenly(100), { spansPerDay: 3000 })).toMatchObject({
      wantedPerDay: 2400,
      sentPerDay: 2400,
      stops: [],
    });
  });

  test("says from which hour on nothing is left for 'other': after 80 % of the day's budget", () => {
    const { stops, sentPerDay } = forecast(evenly(100), { spansPerDay: 1000 });
    expect({ stops, sentPerDay }).toEqual({
      stops: [{ worth: 'other', fromHour: 8 }],
      sentPerDay: 800,
    });
  });

  test('gives up the cheaper first', () => {
    const hours = Array.from({ length: 24 }, () => ({ error: 40, slow: 30, other: 30 }));
    const { stops } = forecast(hours, { spansPerDay: 1000 });
    expect(stops.map(({ worth }) => worth)).toEqual(['other', 'slow', 'error']);
  });

  test('of one hour the cheaper was given up first', () => {
    const burst = { error: 400, refusal: 400, slow: 400, other: 400 };
    const { stops } = forecast([burst, ...evenly(0).slice(1)], { spansPerDay: 300 });
    expect(stops.map(({ worth }) => worth)).toEqual(['other', 'slow', 'refusal', 'error']);
  });

  test('a budget of the second lets an hour through at most 3,600 times', () => {
    const hours = [{ other: 7200 }, ...evenly(0).slice(1)];
    const told = forecast(hours, { spansPerSecond: 1 });
    expect(told).toMatchObject({ sentPerDay: 3600, busiestPerSecond: 2, stops: [] });
  });
});

describe('a destination', () => {
  const note = () => {
    const volume = createVolume(undefined);
    const at = (day: number) => UNTIL_US / 1000 - day * 86_400_000;
    volume.add(at(1), 100, { 'budget-second:other': 7, rejected: 1 });
    volume.add(at(2), 200, { 'budget-second:other': 5 });
    volume.add(at(20), 999, { refused: 9 });
    return volume.toNote();
  };
  const traces = ['traces'] as const;
  const textFor = (...given: Parameters<typeof destinationVolumes>) =>
    destinationsText(destinationVolumes(...given));

  test('is told with what it got, and what was left out and why, in those days', () => {
    const notes = new Map([['one', note()]]);
    expect(textFor(notes, [{ name: 'one', signals: traces }], [], TWO_DAYS)).toBe(
      'one: 300 spans sent; left out: budget-second:other 12, rejected 1\n',
    );
  });

  test('that is configured no more is told as long as there is something to tell', () => {
    const notes = new Map([
      ['old', note()],
      ['none', '{}'],
      ['one/logs', note()],
    ]);
    expect(textFor(notes, [{ name: 'one', signals: ['logs'] }], [], TWO_DAYS)).toBe(
      'old (gets no spans any more): 300 spans sent; left out: budget-second:other 12, rejected 1\n',
    );
  });

  test('with a budget is told what that would make of such a day', () => {
    const parts = Array.from({ length: 24 }, (_, hour) => aPart({ hour, spans: 2 * 3600 }));
    const budget = { spansPerDay: 43_200, spansPerSecond: 2 };
    const told = textFor(new Map(), [{ name: 'one', signals: traces, budget }], parts, TWO_DAYS);
    expect(told.split('\n').slice(1)).toEqual([
      "  a day like these makes 200 % of its budget of 43,200 spans a day: 'other' is left out from between 09:00 and 10:00 UTC on",
      '  the busiest hour makes 1 spans/s on average, its budget is 2 spans/s',
      '',
    ]);
  });

  test('an hour that came twice in the time counts once for a day', () => {
    const period = { ...TWO_DAYS, fromUs: UNTIL_US - 1.5 * DAY_US, days: 1.5 };
    // In the time from noon to midnight of the next day: the afternoon twice, the morning once.
    const parts = [aPart({ hour: 3, spans: 100 }), aPart({ hour: 15, spans: 200 })];
    const one = { name: 'one', signals: traces, budget: { spansPerDay: 1000 } };
    const [told] = destinationVolumes(new Map(), [one], parts, period);
    expect(told?.forecast?.wantedPerDay).toBe(200);
  });

  test('of less than a day of rows nothing is foretold', () => {
    const one = { name: 'one', signals: traces, budget: { spansPerDay: 1 } };
    const period = { ...TWO_DAYS, days: 0.9 };
    expect(destinationVolumes(new Map(), [one], [aPart()], period)[0]).not.toHaveProperty(
      'forecast',
    );
  });
});
