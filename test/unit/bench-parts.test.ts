// What the benchmark of the parts makes of its rounds, and what it measures them with.
import { describe, expect, test } from '@jest/globals';
import { openStamp } from '../../sidecar/stamp.ts';
import { readEntries } from '../../sidecar/accesslog/entries.ts';
import { linesOf, personOf, STAMP_KEY, USER_AGENT } from '../bench/parts-inputs.ts';
import { headersOf, KINDS, requestBytes } from '../bench/parts-kinds.ts';
import { figureOf, measured } from '../bench/parts-measure.ts';
import { partsTable } from '../bench/parts-table.ts';
import { yardstickLines } from '../bench/parts-yardstick.ts';

const GIVEN = { cookies: ['__Host-signet=abc'], tokens: ['a.b.c'] };

describe('a figure', () => {
  test('is the median of the rounds, per item, with the fastest and the slowest', () => {
    const rounds = [9, 1, 3].map((us) => ({ items: 10, us: us * 10 }));
    expect(figureOf('open', rounds)).toEqual({
      name: 'open',
      value: 3,
      unit: 'µs CPU',
      spread: [1, 9],
    });
  });

  test('leaves out the first round, and repeats a batch that is too short to be measured', async () => {
    let batches = 0;
    const options = { short: true, onProgress: () => {} };
    const { spread } = await measured('spin', options, 1, () => {
      batches += 1;
      spin(batches === 1 ? 200 : 5);
    });
    expect(batches).toBeGreaterThan(4);
    expect(spread?.[1]).toBeLessThan(150_000);
  });

  test('stands in the table with its rounds and its note', () => {
    const figure = { name: 'open', value: 3.456, unit: 'µs CPU', note: 'all' };
    expect(partsTable([{ ...figure, spread: [1, 112.4] }]).split('\n')[2]).toBe(
      '| open | 3.46 | µs CPU | 1.00 to 112 | all |',
    );
  });
});

function spin(ms: number): void {
  const { user, system } = process.cpuUsage();
  const spentUs = () => {
    const now = process.cpuUsage();
    return now.user + now.system - user - system;
  };
  while (spentUs() < ms * 1000);
}

describe('what the parts are measured with', () => {
  test('is a line that the recorder takes, with a stamp that it believes', () => {
    const [line = ''] = linesOf(1, 7);
    const [read] = readEntries(Buffer.from(line), Date.now() * 1000).entries;
    const stamp = openStamp(read?.entry.stamp ?? '', [STAMP_KEY], read?.entry.uuid);
    expect(stamp).toMatchObject({
      identity: { user: personOf(7).user, sessionHash: personOf(7).sessionHash },
      userAgent: USER_AGENT,
    });
  });

  test('is a yardstick of 900 bytes', () => {
    const lines = yardstickLines(20).map((line) => Buffer.byteLength(line));
    expect(new Set(lines)).toEqual(new Set([900]));
  });

  test('is a User-Agent of 110 characters', () => {
    expect(USER_AGENT).toHaveLength(110);
  });

  test('is a request with an id of its own', () => {
    const [kind] = KINDS;
    if (kind === undefined) throw new Error('there are no kinds');
    const ids = [1, 1, 2].map((number) => headersOf(kind, GIVEN, number)['x-request-id']);
    expect(new Set(ids).size).toBe(3);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-964f-[0-9a-f]{12}$/);
  });

  test('is a whole HTTP request', () => {
    const kind = KINDS.find(({ name }) => name === 'session cookie');
    if (kind === undefined) throw new Error('there is no such kind');
    const text = requestBytes(kind, GIVEN, 0).toString();
    expect(text).toMatch(/^GET \/verify\?require=any&route=orders HTTP\/1\.1\r\n/);
    expect(text).toContain('\r\ncookie: theme=dark; __Host-signet=abc\r\n');
    expect(text).toMatch(/\r\n\r\n$/);
  });
});
