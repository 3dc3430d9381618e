// The stamp: what is sealed comes back, and nothing else does.
import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  MAX_ROLES_CHARS,
  openStamp,
  sealStamp,
  stampedIdentity,
  type Stamp,
} from '../../sidecar/stamp.ts';
import { identity } from '../fixtures/identities.ts';
import { REQUEST_ID, sealVersion1, stamp, withSeal } from '../fixtures/stamps.ts';

const KEY = createSecretKey(randomBytes(32));
const OTHER = createSecretKey(randomBytes(32));

test('what the gate sealed the recorder opens', () => {
  const sealed = stamp({ userAgent: 'curl/8 "quoted" 😀' });
  expect(openStamp(sealStamp(sealed, KEY), [KEY], REQUEST_ID)).toEqual(sealed);
});

const ALICE = stampedIdentity(identity());

const SELDOM: Record<string, Partial<Stamp>> = {
  'of nobody': { identity: undefined, decision: 'deny', reason: 'no-credentials' },
  'of a trusted caller’s trace': { traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16) },
  'with a link': { link: { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16) } },
  'with events': { events: [{ event: 'sign-in' }, { event: 'sign-in', details: { again: true } }] },
  'with the sessions of somebody else': {
    events: [{ event: 'session-revoked', of: { identity: ALICE, sessions: ['a'.repeat(16)] } }],
  },
  'that supersedes another': { gate: { ...stamp().gate, number: 7, supersedes: 6 } },
  'that is not sampled': { sampled: false },
  'of nothing but empty texts': { route: '', requirement: '', userAgent: '' },
  'without a requirement': { requirement: undefined },
};

test.each(Object.entries(SELDOM))('a stamp %s comes back whole', (_, changes) => {
  const sealed = stamp(changes);
  expect(openStamp(sealStamp(sealed, KEY), [KEY], REQUEST_ID)).toEqual(sealed);
});

describe('the two versions, as they were once written', () => {
  const key = createSecretKey(Buffer.from(Array.from({ length: 32 }, (_, at) => at)));
  const changes = { identity: undefined, reason: 'public', requirement: 'public' } as const;
  const VERSION_1 =
    '1.eyJyZXF1ZXN0SWQiOiI0ZDAzMjA3NC03YmJjLTRlNWQtOTY0Zi1hMGYxNWEzNGI2ZjYiLCJ0cmFjZUlkIjoiNGQwMzIw' +
    'NzQ3YmJjNGU1ZDk2NGZhMGYxNWEzNGI2ZjYiLCJzYW1wbGVkIjp0cnVlLCJkZWNpc2lvbiI6ImFsbG93IiwicmVhc29uIjoi' +
    'cHVibGljIiwicm91dGUiOiJvcmRlcnMiLCJyZXF1aXJlbWVudCI6InB1YmxpYyIsImdhdGUiOnsiYm9vdElkIjoiYm9vdC0x' +
    'IiwibnVtYmVyIjoxLCJzdGFydGVkQXRVcyI6MTcwMDAwMDAwMDAwMTAwMCwiZHVyYXRpb25VcyI6NjB9fQ' +
    '.7LP6FG7MFQExJ8jwhli0jrRqhmxXyzA9wtv6DPHiu-0';
  const VERSION_2 =
    '2..WyJhbGxvdyIsInB1YmxpYyIsIm9yZGVycyIsInB1YmxpYyIsbnVsbCx0cnVlLCJib290LTEiLDEsMTcwMDAwMDAwMDAw' +
    'MTAwMCw2MF0.FW1VvyXWNFwjU6MTcK5mCjqBYS_nmt8fE-ilotOhBNA';

  test.each([VERSION_1, VERSION_2])('%j opens', (text) =>
    expect(openStamp(text, [key], REQUEST_ID)).toEqual(stamp(changes)),
  );

  test('the gate writes the second', () => {
    expect(sealStamp(stamp(changes), key)).toBe(VERSION_2);
  });

  test('with a caller and all that is seldom, the first opens to what the second opens to', () => {
    const { identity: caller, requirement } = stamp();
    const all = Object.values(SELDOM).reduce((some, more) => ({ ...some, ...more }));
    const sealed = stamp({ ...all, identity: caller, requirement });
    const [first, second] = [sealVersion1, sealStamp].map((seal) =>
      openStamp(seal(sealed, key), [key], REQUEST_ID),
    );
    expect(first).toEqual(sealed);
    expect(second).toEqual(first);
  });
});

test('any key of the ring opens', () => {
  expect(openStamp(sealStamp(stamp(), OTHER), [KEY, OTHER], REQUEST_ID)).toBeDefined();
});

test('a stamp is printable ASCII without what a log line or a placeholder could trip over', () => {
  expect(sealStamp(stamp({ route: '{x} "y"\n' }), KEY)).toMatch(/^[A-Za-z0-9._-]+$/);
});

describe.each([
  ['1', sealVersion1(stamp(), KEY)],
  ['2', sealStamp(stamp(), KEY)],
])('case 9: what is not believed, of version %s', (_, text) => {
  test('a stamp of another request', () => {
    const other = '11111111-2222-4333-8444-555555555555';
    expect(openStamp(text, [KEY], other)).toBeUndefined();
    expect(openStamp(text, [KEY], undefined)).toBeUndefined();
  });

  test('a seal of a key that is not in the ring', () => {
    expect(openStamp(text, [OTHER], REQUEST_ID)).toBeUndefined();
    expect(openStamp(text, [], REQUEST_ID)).toBeUndefined();
  });

  test('the same as another version', () => {
    const others = ['0', '1', '2', '3', '', '11'].map((version) => text.replace(/^./, version));
    for (const other of others.filter((one) => one !== text)) {
      expect(openStamp(other, [KEY], REQUEST_ID)).toBeUndefined();
    }
  });

  test('an unknown version, even with a good seal of its own', () => {
    const other = text.replace(/^./, '3').slice(0, text.lastIndexOf('.'));
    for (const beside of ['', `.${REQUEST_ID}`]) {
      expect(openStamp(withSeal(other, KEY, beside), [KEY], REQUEST_ID)).toBeUndefined();
    }
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
    const begun = text.slice(0, text.lastIndexOf('.') + 1);
    for (const prefix of ['1.', '2.', '2..', begun]) {
      const isRefused = (rest: string) =>
        openStamp(`${prefix}${rest}`, [KEY], REQUEST_ID) === undefined;
      fc.assert(fc.property(fc.string(), isRefused));
    }
  });
});

test('the caller of one stamp does not go with the decision of another', () => {
  const bob = stamp({ identity: stampedIdentity(identity({ user: 'bob' })) });
  const [alices, bobs] = [stamp(), bob].map((one) => sealStamp(one, KEY).split('.'));
  const mixed = ['2', bobs?.[1], alices?.[2], alices?.[3]].join('.');
  expect(openStamp(mixed, [KEY], REQUEST_ID)).toBeUndefined();
});

test('a part of a stamp does not pass for a part of the request id', () => {
  const [version, caller, decided, seal] = sealStamp(stamp(), KEY).split('.');
  const shifted = [version, caller, seal].join('.');
  expect(openStamp(shifted, [KEY], `${decided}.${REQUEST_ID}`)).toBeUndefined();
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
