import { describe, expect, test } from '@jest/globals';
import {
  ADVISORIES,
  CADDY_FLOOR,
  describeUnadvised,
  describeUnsafe,
  parseCaddyVersion,
  unsafeBecause,
} from '../../sidecar/edge/version.ts';

const parsed = (text: string) => {
  const version = parseCaddyVersion(text);
  if (version === undefined) throw new Error(`no version: ${text}`);
  return version;
};
const firstIds = (text: string) => unsafeBecause(parsed(text)).map(({ ids }) => ids[0]);

describe('a version', () => {
  test.each([
    ['v2.11.4 h1:XKxkMTgNSizEvKG6QHue6cAsFOteU2qA61w2tKkCWi0=', '2.11.4'],
    ['2.6.2', '2.6.2'],
    ['v2.12.0-beta.1 h1:abc=\n', '2.12.0-beta.1'],
    ['2.11.4-1', '2.11.4-1'],
    ['v2.0.0 => github.com/someone/caddy/v2@v2.11.5 h1:abc=', '2.11.5'],
  ])('is read from `%s`', (text, expected) => {
    expect(parsed(text).text).toBe(expected);
  });

  test.each([
    '(devel)',
    'unknown',
    '',
    'caddy',
    'v2.11',
    'v2.12.0 => ../caddy',
    '1b2c3d4 (01 Jan 26)',
  ])('is not read from `%s`', (text) => {
    expect(parseCaddyVersion(text)).toBeUndefined();
  });
});

describe('the floor', () => {
  test.each([CADDY_FLOOR, 'v2.11.4', '2.11.4-1', 'v2.11.5', 'v2.12.0-beta.1', 'v3.0.0'])(
    '%s is safe',
    (text) => {
      expect(unsafeBecause(parsed(text))).toEqual([]);
    },
  );

  test('a Caddy from before 2.11.2 is open to every advisory', () => {
    expect(unsafeBecause(parsed('2.6.2'))).toEqual(ADVISORIES);
    expect(unsafeBecause(parsed('v2.11.1'))).toEqual(ADVISORIES);
  });

  test('2.11.2 and 2.11.3 are open to those that 2.11.4 closed', () => {
    const closedBy2114 = ['GHSA-f59h-q822-g45g', 'GHSA-j8px-rmrx-76h9'];
    expect(firstIds('v2.11.2')).toEqual(closedBy2114);
    expect(firstIds('v2.11.3')).toEqual(closedBy2114);
  });

  test('a beta of the floor, and a commit before it, are below it', () => {
    expect(firstIds('v2.11.4-beta.2')).not.toEqual([]);
    expect(firstIds('v2.11.4-0.20260101000000-abcdef123456')).not.toEqual([]);
  });

  test('no advisory is fixed above the floor', () => {
    expect(
      ADVISORIES.map(({ fixedIn }) => fixedIn)
        .toSorted()
        .at(-1),
    ).toBe(CADDY_FLOOR);
  });

  test('what is said of one that will do names what is better, and against which advisory', () => {
    expect(describeUnadvised('2.11.4')).toMatch(/2\.11\.5 or later .*GHSA-6365-7ppr-5r92/);
    expect(describeUnadvised('2.11.5')).toBeUndefined();
  });

  test('what is said of a version below it names version, floor and each advisory', () => {
    const text = describeUnsafe(parsed('2.11.3'));
    for (const part of ['2.11.3', CADDY_FLOOR, 'GHSA-f59h-q822-g45g', 'CVE-2026-77281']) {
      expect(text).toContain(part);
    }
  });
});
