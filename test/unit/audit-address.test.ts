import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createAddressRule, createSalts, type AddressKind } from '../../sidecar/audit/address.ts';

const DAY_US = 86_400_000_000;
/** 2026-11-20T00:00:00Z, as a day and in microseconds. */
const TODAY = 20_777;
const TODAY_US = TODAY * DAY_US;

/** Salts whose clock can be moved; it begins at noon of `TODAY`. */
function saltsAt(stored?: string) {
  const time = { us: TODAY_US + DAY_US / 2 };
  const salts = createSalts(stored, randomBytes, () => time.us);
  return { salts, time, rule: createAddressRule('hash', salts) };
}

const ruleOf = (kind: AddressKind) => createAddressRule(kind, saltsAt().salts);
const truncated = (address: string) => ruleOf('truncate')(address, TODAY_US);

describe('keep', () => {
  test.each(['192.0.2.7', '2001:DB8::7', 'fe80::1%eth0', '', '@'])('%j stays as it is', (text) => {
    expect(ruleOf('keep')(text, TODAY_US)).toBe(text);
  });
});

describe('truncate', () => {
  test.each([
    ['192.0.2.7', '192.0.2.0'],
    ['255.255.255.255', '255.255.255.0'],
    ['0.0.0.0', '0.0.0.0'],
  ])('IPv4 loses its last byte: %s → %s', (address, kept) => {
    expect(truncated(address)).toBe(kept);
  });

  test.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::'],
    ['2001:0DB8:0001::7', '2001:db8:1::'],
    ['2001:db8::7', '2001:db8::'],
    ['::1', '::'],
    ['::1:2:3:4:5:6', '0:0:1::'],
    ['64:ff9b::192.0.2.7', '64:ff9b::'],
  ])('IPv6 keeps its first 48 bits: %s → %s', (address, kept) => {
    expect(truncated(address)).toBe(new URL(`http://[${kept}]`).hostname.slice(1, -1));
  });

  test.each(['::ffff:192.0.2.7', '::FFFF:c000:0207', '0:0:0:0:0:ffff:c000:207'])(
    'IPv4 within IPv6 is IPv4: %s',
    (address) => expect(truncated(address)).toBe('192.0.2.0'),
  );

  test('an IPv4 address within a 6to4 prefix loses its last byte, too', () => {
    expect(truncated('2002:c000:0207:1::5')).toBe('2002:c000:200::');
  });

  test.each([
    ['fe80::1:2%eth0', 'fe80::'],
    ['fe80::1%25 any text', 'fe80::'],
  ])('a zone is dropped: %s', (address, kept) => expect(truncated(address)).toBe(kept));
});

test.each([
  '',
  '@',
  'alice',
  '192.0.2',
  '192.0.2.256',
  '192.0.2.07',
  '192.0.2.7:443',
  '0x7f.1',
  ':',
  ':::',
  '1:2:3:4:5:6:7:8:9',
  '12345::',
  '[::1]',
  '::1]@evil',
  '%eth0',
  '192.0.2.7\n',
  `${'1:'.repeat(100)}:`,
])('what is no address leaves nothing: %j', (text) => {
  expect([truncated(text), ruleOf('hash')(text, TODAY_US)]).toEqual(['', '']);
});

describe('hash', () => {
  test('is 16 characters of an HMAC-SHA-256 under the salt of the day', () => {
    const { salts, rule } = saltsAt();
    const digest = createHmac('sha256', salts.of(TODAY)).update('192.0.2.7').digest('base64url');
    expect(rule('192.0.2.7', TODAY_US)).toBe(`h:${digest.slice(0, 16)}`);
  });

  test('the same address is the same text on one UTC day, however it is written', () => {
    const { rule } = saltsAt();
    const hashed = rule('2001:db8::7', TODAY_US);
    expect(rule('2001:0DB8:0::7%eth0', TODAY_US + DAY_US - 1)).toBe(hashed);
    expect(rule('::ffff:192.0.2.7', TODAY_US)).toBe(rule('192.0.2.7', TODAY_US));
  });

  test('the same address is another text on another day', () => {
    const { rule } = saltsAt();
    expect(rule('192.0.2.7', TODAY_US - 1)).not.toBe(rule('192.0.2.7', TODAY_US));
  });

  test('two addresses are two texts', () => {
    const { rule } = saltsAt();
    expect(rule('192.0.2.7', TODAY_US)).not.toBe(rule('192.0.2.8', TODAY_US));
  });
});

describe('salts', () => {
  test('the same address is the same text after a restart', () => {
    const before = saltsAt();
    const hashed = before.rule('192.0.2.7', TODAY_US);
    expect(saltsAt(before.salts.toStore()).rule('192.0.2.7', TODAY_US)).toBe(hashed);
  });

  test('the text to keep is there when a salt was made, and once', () => {
    const { salts } = saltsAt();
    expect(salts.toStore()).toBeUndefined();
    salts.of(TODAY);
    expect(salts.toStore()).toMatch(new RegExp(`^{"${TODAY}":"[\\w-]{43}"}$`));
    salts.of(TODAY);
    expect(salts.toStore()).toBeUndefined();
  });

  test('a salt is there on its day and on the next', () => {
    const { salts, time } = saltsAt();
    const salt = salts.of(TODAY);
    time.us = TODAY_US + 2 * DAY_US - 1;
    expect(salts.of(TODAY)).toBe(salt);
  });

  test('a salt is dropped when the second day after it begins, even if no line comes', () => {
    const { salts, time } = saltsAt();
    salts.of(TODAY);
    salts.toStore();
    time.us = TODAY_US + 2 * DAY_US;
    expect(salts.toStore()).toBe('{}');
  });

  test('a salt that was stored too long ago is not used again', () => {
    const before = saltsAt();
    const hashed = before.rule('192.0.2.7', TODAY_US);
    const after = saltsAt(before.salts.toStore());
    after.time.us = TODAY_US + 2 * DAY_US;
    expect(after.rule('192.0.2.7', TODAY_US)).not.toBe(hashed);
    expect(after.salts.toStore()).toBe('{}');
  });

  test('lines of an old day that are read together share a salt, which is never stored', () => {
    const { salts, rule } = saltsAt();
    const long = TODAY_US - 30 * DAY_US;
    expect(rule('192.0.2.7', long)).toBe(rule('192.0.2.7', long + 1));
    expect(salts.toStore()).toBeUndefined();
  });

  test('the salt of an old day goes with the day on which it was made', () => {
    const { rule, time } = saltsAt();
    const long = TODAY_US - 30 * DAY_US;
    const hashed = rule('192.0.2.7', long);
    time.us += DAY_US;
    expect(rule('192.0.2.7', long)).not.toBe(hashed);
  });

  test('a clock that was in the future for a moment leaves no salt of then', () => {
    const { salts, time } = saltsAt();
    time.us = TODAY_US + 4000 * DAY_US;
    salts.of(TODAY + 4000);
    time.us = TODAY_US;
    const salt = salts.of(TODAY);
    expect(salts.of(TODAY)).toBe(salt);
    expect(Object.keys(JSON.parse(salts.toStore() ?? '{}') as object)).toEqual([String(TODAY)]);
  });

  const salt = randomBytes(32).toString('base64url');
  test.each([
    ['no JSON', '{"20777":'],
    ['null', 'null'],
    ['a number', '7'],
    ['not of a day', `{"today":"${salt}"}`],
    ['too short', `{"${TODAY}":"AAAA"}`],
    ['another text', `{"${TODAY}":"${salt.slice(1)}!"}`],
    ['no text', `{"${TODAY}":7}`],
    ['one of two that is damaged', `{"${TODAY}":"${salt}","20778":""}`],
  ])('a stored text that is %s is replaced by new salts', (_what, stored) => {
    const { salts } = saltsAt(stored);
    expect(salts.toStore()).toBe('{}');
    const hashed = createAddressRule('hash', salts)('192.0.2.7', TODAY_US);
    expect(saltsAt(salts.toStore()).rule('192.0.2.7', TODAY_US)).toBe(hashed);
  });
});
