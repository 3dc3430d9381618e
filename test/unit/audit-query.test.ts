// What can be asked of the audit, in the words of the command line: times, lists, keys, ids. That the
// right rows answer is in audit-query-rows.test.ts.
import { describe, expect, test } from '@jest/globals';
import { parseQuestion, type FilterOptions } from '../../sidecar/report/filter.ts';
import { parseId } from '../../sidecar/report/find.ts';
import { formatPageKey, parsePageKey } from '../../sidecar/report/page-key.ts';
import { requestId, STARTED_AT_US } from '../fixtures/rows.ts';

const NOW_US = STARTED_AT_US;
const HOUR_US = 3_600_000_000;

describe('times', () => {
  const since = (text: string) => parseQuestion({ since: text }, NOW_US).sinceUs;

  test.each([
    ['90s', 90_000_000],
    ['15m', 900_000_000],
    ['1h', HOUR_US],
    ['7d', 7 * 24 * HOUR_US],
  ])('%s is so long before now', (text, backUs) => {
    expect(since(text)).toBe(NOW_US - backUs);
  });

  test.each([
    ['2026-11-20T10:35:14Z', 1_795_170_914_000_000],
    ['2026-11-20T11:35:14.5+01:00', 1_795_170_914_500_000],
    ['2026-11-20 10:35Z', 1_795_170_900_000_000],
  ])('%s is what it says', (text, us) => {
    expect(since(text)).toBe(us);
  });

  test('a date, and a time without a zone, are local', () => {
    expect(since('2026-11-20')).toBe(new Date(2026, 10, 20).getTime() * 1000);
    expect(since('2026-11-20T08:30')).toBe(new Date(2026, 10, 20, 8, 30).getTime() * 1000);
  });
});

describe('options', () => {
  test('take their values several times, with commas, or both, each once', () => {
    const options = { user: ['alice,bob', 'carol,alice'], decision: ['deny', 'login'] };
    expect(parseQuestion(options, NOW_US)).toEqual({
      user: ['alice', 'bob', 'carol'],
      decision: ['deny', 'login'],
    });
  });

  test('know a status by its number and by its class', () => {
    expect(parseQuestion({ status: ['404,5XX', '0'] }, NOW_US).status).toEqual([
      { from: 404, to: 404 },
      { from: 500, to: 599 },
      { from: 0, to: 0 },
    ]);
  });

  test('know how long a request took', () => {
    const slowerThanUs = (slowerThan: string) => parseQuestion({ slowerThan }, NOW_US).slowerThanUs;
    expect(['250ms', '1.5s', '2m', '0ms'].map(slowerThanUs)).toEqual([
      250_000, 1_500_000, 120_000_000, 0,
    ]);
    for (const wrong of ['2', '-1s', '1d', 's', '1.2345s']) {
      expect(() => slowerThanUs(wrong)).toThrow(
        /--slower-than: read .*; allowed is a time like 250ms/,
      );
    }
  });

  test('know a host and a method in any case', () => {
    const question = parseQuestion({ host: ['App.Example.com'], method: ['get'] }, NOW_US);
    expect(question).toEqual({ host: ['app.example.com'], method: ['GET'] });
  });

  test('that are wrong are told all at once: what was read, what is allowed', () => {
    const wrong: FilterOptions = {
      type: ['robot'],
      decision: ['allow,perhaps'],
      reason: ['because'],
      kind: ['rows'],
      event: ['party'],
      status: ['6xx', '20'],
      since: 'yesterday',
      limit: '0',
      after: '17',
      by: 'moon',
      user: ['alice,'],
    };
    expect(linesOf(wrong)).toEqual([
      '--user: read ""; allowed is a name',
      '--type: read "robot"; allowed is human, service, agent',
      '--decision: read "perhaps"; allowed is allow, login, deny, none',
      expect.stringMatching(/^--reason: read "because"; allowed is public, requirement-met, /),
      '--kind: read "rows"; allowed is request, unexplained, lost, event',
      expect.stringMatching(/^--event: read "party"; allowed is sign-in, /),
      '--status: read "6xx"; allowed is a number (404) or a class (4xx)',
      '--status: read "20"; allowed is a number (404) or a class (4xx)',
      expect.stringMatching(/^--since: read "yesterday"; allowed is a time like/),
      '--limit: read "0"; allowed is a number from 1',
      expect.stringMatching(/^--after: read "17"; allowed is the key .* or start/),
      '--by: read "moon"; allowed is user, team, route, type, decision',
      expect.stringMatching(/^--after: read "17"; allowed is a page, and --by has none/),
    ]);
  });

  test.each(['2026-13-40', '1795170914', '1w', '-1h', ''])('refuse %j as a time', (until) => {
    expect(linesOf({ until })).toHaveLength(1);
  });

  test.each<[FilterOptions, RegExp]>([
    [{ since: '1h', until: '2h' }, /^--until: read "2h"; allowed is a time after --since 1h$/],
    [{ by: 'team', after: 'start' }, /^--after: .* --by has none$/],
    [{ by: 'team', follow: true }, /^--by: .* --follow goes on$/],
    [{ after: 'start', follow: true }, /^--after: .* --follow has none$/],
  ])('refuse %j: it makes no sense together', (options, mistake) => {
    expect(linesOf(options)).toEqual([expect.stringMatching(mistake)]);
  });
});

describe('the key of a page', () => {
  test.each([requestId(7), `sign-in:${requestId(7)}`, `line-${'0a'.repeat(32)}`])(
    'of %s comes back as it was told',
    (id) => {
      const place = { startedAtUs: STARTED_AT_US, requestId: id };
      expect(parsePageKey(formatPageKey(place))).toEqual(place);
    },
  );

  test('can be read: the microseconds, and the request', () => {
    const place = { startedAtUs: STARTED_AT_US, requestId: requestId(7) };
    expect(formatPageKey(place)).toBe(`${STARTED_AT_US}-${requestId(7)}`);
  });

  test('`start` lies in front of every row', () => {
    expect(parsePageKey('start')).toEqual({ startedAtUs: 0, requestId: '' });
  });

  test.each(['', '17', 'alice', '17-', `99999999999999999-${requestId(1)}`, '17-a b', '-1-a'])(
    '%j is none',
    (text) => expect(parsePageKey(text)).toBeUndefined(),
  );
});

describe('an id', () => {
  const id = requestId(2);

  test.each([id, id.toUpperCase(), id.replaceAll('-', ''), ` ${id}\n`])(
    '%j is a request or a trace',
    (text) => expect(parseId(text)).toBe(id.replaceAll('-', '')),
  );

  test.each([
    `line-${'0a'.repeat(32)}`,
    `sign-in:${id}`,
    'decision-lost:Boot-1:17',
    'decision-lost:Boot-1:17-20',
    'recorder-gap:1795170914561234',
  ])('%j is one as it stands', (text) => expect(parseId(text)).toBe(text));

  test.each([
    '',
    'alice',
    '4d032074',
    `${id}0`,
    'line-xyz',
    '%',
    'party:1',
    'sign-in:',
    'sign-in:a b',
  ])('%j is none', (text) => expect(parseId(text)).toBeUndefined());
});

function linesOf(options: FilterOptions): string[] {
  try {
    parseQuestion(options, NOW_US);
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
}
