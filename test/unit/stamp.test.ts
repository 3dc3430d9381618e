// The stamp: what is sealed comes back, and nothing else does.
import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_ROLES_CHARS, openStamp, sealStamp, stampedIdentity } from '../../sidecar/stamp.ts';
import { identity } from '../fixtures/identities.ts';
import { REQUEST_ID, stamp } from '../fixtures/stamps.ts';

const KEY = createSecretKey(randomBytes(32));
const OTHER = createSecretKey(randomBytes(32));

test('what the gate sealed the recorder opens', () => {
  const sealed = stamp({ userAgent: 'curl/8 "quoted" 😀' });
  expect(openStamp(sealStamp(sealed, KEY), [KEY], REQUEST_ID)).toEqual(sealed);
});

test('any key of the ring opens', () => {
  expect(openStamp(sealStamp(stamp(), OTHER), [KEY, OTHER], REQUEST_ID)).toBeDefined();
});

test('a stamp is printable ASCII without what a log line or a placeholder could trip over', () => {
  expect(sealStamp(stamp({ route: '{x} "y"\n' }), KEY)).toMatch(/^[A-Za-z0-9._-]+$/);
});

describe('case 9: what is not believed', () => {
  const text = sealStamp(stamp(), KEY);

  test('a stamp of another request', () => {
    const other = '11111111-2222-4333-8444-555555555555';
    expect(openStamp(text, [KEY], other)).toBeUndefined();
    expect(openStamp(text, [KEY], undefined)).toBeUndefined();
  });

  test('a seal of a key that is not in the ring', () => {
    expect(openStamp(text, [OTHER], REQUEST_ID)).toBeUndefined();
    expect(openStamp(text, [], REQUEST_ID)).toBeUndefined();
  });

  test('an unknown version, even with a good seal of its own', () => {
    expect(openStamp(text.replace(/^1\./, '2.'), [KEY], REQUEST_ID)).toBeUndefined();
  });

  test('any character changed', () => {
    for (let at = 0; at < text.length; at++) {
      const changed = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
      expect(openStamp(changed, [KEY], REQUEST_ID)).toBeUndefined();
    }
  });

  test('truncated anywhere', () => {
    for (let length = 0; length < text.length; length++) {
      expect(openStamp(text.slice(0, length), [KEY], REQUEST_ID)).toBeUndefined();
    }
  });

  test('arbitrary text: it never throws', () => {
    fc.assert(fc.property(fc.string(), (rest) => openStamp(rest, [KEY], REQUEST_ID) === undefined));
    fc.assert(
      fc.property(fc.string(), (rest) => openStamp(`1.${rest}`, [KEY], REQUEST_ID) === undefined),
    );
  });
});

test('whatever the gate can seal, the recorder opens', () => {
  const worst = '\u{10FFFF}'.repeat(128); // 256 UTF-16 units, four bytes each two of them
  const actor = { subject: worst, issuer: worst };
  const chain = { ...actor, actor: { ...actor, actor: { ...actor, actor } } };
  const caller = identity({
    issuer: `https://${'i'.repeat(2000)}`,
    subject: worst,
    user: worst,
    team: worst,
    roles: Array.from({ length: 200 }, () => '\u{10FFFF}'.repeat(100)),
    actor: chain,
  });
  const sealed = stamp({
    identity: stampedIdentity(caller),
    route: 'r'.repeat(128),
    requirement: 'x'.repeat(512),
    userAgent: '\u0001'.repeat(256),
  });
  expect(openStamp(sealStamp(sealed, KEY), [KEY], REQUEST_ID)).toEqual(sealed);
});

describe('what is sealed of an identity', () => {
  test('no e-mail, no name, no groups, no expiry', () => {
    const sealed = JSON.stringify(
      stampedIdentity(identity({ email: 'a@b.example', name: 'Alice A', groups: ['g1'] })),
    );
    expect(sealed).not.toMatch(/b\.example|Alice A|g1|expires/);
  });

  test('roles stay within what a header holds, and only whole ones', () => {
    const roles = Array.from({ length: 200 }, (_, i) => `role-${i}-${'x'.repeat(90)}`);
    const kept = stampedIdentity(identity({ roles })).roles;
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.join('').length).toBeLessThanOrEqual(MAX_ROLES_CHARS);
    expect(roles).toEqual(expect.arrayContaining([...kept]));
  });
});
