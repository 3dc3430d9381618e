// What is kept of a line that becomes no row: its beginning, without who asked.
import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { readEntries } from '../../sidecar/accesslog/entries.ts';
import { redactHead } from '../../sidecar/accesslog/redact-head.ts';
import { setAsideLine } from '../../sidecar/accesslog/set-aside.ts';
import { sealStamp } from '../../sidecar/stamp.ts';
import { slowestOf } from '../fuzz/linear-time.ts';
import { aCaddyLine, lineBytes } from '../fixtures/lines.ts';
import { stamp } from '../fixtures/stamps.ts';

const SEALED = sealStamp(stamp(), createSecretKey(randomBytes(32)));
const LINE = lineBytes(aCaddyLine({ stamp: SEALED, user_id: 'alice' }));

/** Whether a text holds somebody's name, as it is or somewhere in base64url. */
function namesAlice(text: string): boolean {
  const decoded = [0, 1, 2, 3].flatMap((skip) =>
    text
      .split(/[^\w-]+/)
      .map((run) => Buffer.from(run.slice(skip), 'base64url').toString('latin1')),
  );
  return [text, ...decoded].some((some) => some.includes('alice'));
}

describe('the head of a line that is set aside', () => {
  test('has neither the stamp nor the user', () => {
    const { head } = setAsideLine(LINE, 'duplicate-key');
    expect(namesAlice(LINE.toString())).toBe(true);
    expect(namesAlice(head)).toBe(false);
    expect(head).toContain('"user_id":"REDACTED"');
    expect(head).toContain('"stamp":"REDACTED"');
    expect(head).toContain('"route":"orders"');
  });

  test('has them neither when the line was cut, wherever that was', () => {
    for (let length = 1; length < LINE.length; length++) {
      const { setAside } = readEntries(LINE.subarray(0, length), Number.MAX_SAFE_INTEGER);
      expect(setAside.map(({ head }) => head).filter(namesAlice)).toEqual([]);
    }
  });

  test('has them neither when the stamp lies across its end', () => {
    for (const filler of [3000, 3500, 3900, 4000, 4080]) {
      const line = lineBytes({ filler: '~'.repeat(filler), stamp: SEALED, user_id: 'alice' });
      expect(namesAlice(setAsideLine(line, 'not-access').head)).toBe(false);
    }
  });

  test('has no stamp when the beginning of the line is missing, wherever in the stamp', () => {
    const text = `${SEALED}","proxied_ms":"1795175142362"`;
    for (let from = 0; from < SEALED.length; from++) {
      expect(namesAlice(redactHead(text.slice(from)))).toBe(false);
    }
  });

  test('keeps the hash and the length of the line as it is', () => {
    expect(setAsideLine(LINE, 'not-access')).toMatchObject({
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      bytes: LINE.length,
    });
  });
});

describe('REDACTED stands for', () => {
  test.each([
    ['{"stamp":"a"}', '{"stamp":"REDACTED"}'],
    ['{"stamp" :\t"a","x":"b"}', '{"stamp" :\t"REDACTED","x":"b"}'],
    ['{"st\\u0061mp":"a"}', '{"st\\u0061mp":"REDACTED"}'],
    ['{"\\u0075ser\\u005Fid":"a"}', '{"\\u0075ser\\u005Fid":"REDACTED"}'],
    ['{"user_id":"a\\"b","x":1}', '{"user_id":"REDACTED","x":1}'],
    ['{"user_id":"a\\\\","x":1}', '{"user_id":"REDACTED","x":1}'],
    ['{"user_id":"cut', '{"user_id":"REDACTED'],
    ['{"user_id":"cut\\', '{"user_id":"REDACTED\\'],
    ['{"user_id":"two\nlines"}', '{"user_id":"REDACTED"}'],
    ['odd " quote {"user_id":"a"}', 'odd " quote {"user_id":"REDACTED"}'],
    [`x ${'aB3-_.'.repeat(17)} y`, 'x REDACTED y'],
  ])('%j', (text, redacted) => {
    expect(redactHead(text)).toBe(redacted);
  });

  test.each([
    '{"stamps":"a","user_ids":"b","users":"c"}',
    '{"status":200,"uuid":"a2ce9bbc-dac2-444a-a3f9-265760ec1f3d"}',
    'a'.repeat(99),
    '{"stamp":17}',
    '',
  ])('nothing in %j', (text) => {
    expect(redactHead(text)).toBe(text);
  });
});

test('a head is redacted in a time that grows as the text does', () => {
  const unitsOf = [
    '"stamp"',
    '"stamp":"',
    '"stamp" ',
    '"stamp":"\\',
    '"\\u0073',
    '"user_id"\t',
    '\\"',
    '"',
    ' ',
    'a',
    '.',
    `${'a'.repeat(99)} `,
  ];
  const worst = slowestOf((see) => unitsOf.forEach((unit) => see('redactHead', redactHead, unit)));
  expect(worst).toBeDefined();
});
