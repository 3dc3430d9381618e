// The chain's hashes, byte for byte, and what is signed about them.
import { createHash, createHmac, createSecretKey } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { commitmentOf, genesisOf, rowHash } from '../../sidecar/audit/chain.ts';
import type { Columns } from '../../sidecar/audit/database.ts';
import {
  headFrom,
  headLine,
  isSignedBy,
  MAX_HEAD_LINE_CHARS,
  parseHeadLine,
  signHead,
  signStub,
  stubFrom,
  type Head,
} from '../../sidecar/audit/head.ts';
import { PERSONAL_COLUMNS, PLAIN_COLUMNS } from '../../sidecar/audit/schema.ts';
import {
  keyIdOf,
  parsePublicKey,
  publicKeysOf,
  publicKeyText,
  signingKeys,
} from '../../sidecar/audit/signing-key.ts';
import { CHAIN, FIRST_KEY, INTRUDER_KEY, SECOND_KEY } from '../fixtures/chains.ts';
import { STARTED_AT_US } from '../fixtures/rows.ts';

const KEY_BYTES = Buffer.alloc(32, 7);
const KEY = createSecretKey(KEY_BYTES);

function row(overrides: Columns = {}): Columns {
  const names = [...PLAIN_COLUMNS, ...PERSONAL_COLUMNS];
  return { ...Object.fromEntries(names.map((name) => [name, `a ${name}`])), ...overrides };
}

describe('the hash of a row', () => {
  const previous = genesisOf(CHAIN);
  const commitment = commitmentOf(row(), KEY);
  const whole = rowHash(previous, CHAIN, row(), commitment);

  test('begins with the SHA-256 of the chain', () => {
    const expected = createHash('sha256').update(`signet chain ${CHAIN}`).digest();
    expect(genesisOf(CHAIN)).toEqual(expected);
  });

  test('is the SHA-256 of the one before, and of the plain values and the commitment as JSON', () => {
    const values = PLAIN_COLUMNS.map((name) => `a ${name}`);
    const text = JSON.stringify(['1', CHAIN, ...values, commitment.toString('base64')]);
    expect(whole).toEqual(createHash('sha256').update(previous).update(text).digest());
  });

  test('stays what it was when it was first published', () => {
    const hex = '2c2e94d2af333ad8480a2329936154df57838f19ba3ccc19213d2269a12b4bd2';
    expect(whole.toString('hex')).toBe(hex);
  });

  test.each(PLAIN_COLUMNS)('differs with %s', (name) => {
    expect(rowHash(previous, CHAIN, row({ [name]: null }), commitment)).not.toEqual(whole);
    expect(rowHash(previous, CHAIN, row({ [name]: '' }), commitment)).not.toEqual(whole);
  });

  test('differs with the row before, the chain and the commitment', () => {
    const others = [
      rowHash(whole, CHAIN, row(), commitment),
      rowHash(previous, 'another', row(), commitment),
      rowHash(previous, CHAIN, row(), previous),
    ];
    for (const other of others) expect(other).not.toEqual(whole);
  });

  test('tells a number from its text, and NULL from an empty text', () => {
    const spellings = [1, '1', null, '', 'null', '[1]', '"', '\\'];
    const hashes = spellings.map((value) =>
      rowHash(previous, CHAIN, row({ method: value }), commitment).toString('hex'),
    );
    expect(new Set(hashes).size).toBe(spellings.length);
  });

  test('does not hold a personal value itself', () => {
    expect(rowHash(previous, CHAIN, row({ path: 'other' }), commitment)).toEqual(whole);
  });

  test('is right for texts of any length, one after the other', () => {
    const lengths = fc.array(fc.nat({ max: 40_000 }), { maxLength: 5 });
    fc.assert(
      fc.property(lengths, fc.string({ unit: 'grapheme' }), (sizes, text) => {
        for (const size of sizes) {
          const long = row({ host: text.repeat(1 + size / (text.length + 1)) });
          const values = PLAIN_COLUMNS.map((name) => long[name]);
          const json = JSON.stringify(['1', CHAIN, ...values, commitment.toString('base64')]);
          const expected = createHash('sha256').update(previous).update(json).digest();
          expect(rowHash(previous, CHAIN, long, commitment)).toEqual(expected);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('the commitment to personal values', () => {
  const whole = commitmentOf(row(), KEY);

  test('is an HMAC-SHA-256 of the request id and the values, under the key of the person', () => {
    const values = PERSONAL_COLUMNS.map((name) => `a ${name}`);
    const text = JSON.stringify(['a request_id', ...values]);
    expect(whole).toEqual(createHmac('sha256', KEY_BYTES).update(text).digest());
  });

  test.each([...PERSONAL_COLUMNS, 'request_id'])('differs with %s', (name) => {
    expect(commitmentOf(row({ [name]: null }), KEY)).not.toEqual(whole);
  });

  test('differs with the key', () => {
    expect(commitmentOf(row(), createSecretKey(Buffer.alloc(32, 8)))).not.toEqual(whole);
  });
});

describe('signing keys', () => {
  test('come from a seed as RFC 8032 has it (section 7.1, test 1)', () => {
    const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
    const [key] = signingKeys([Buffer.from(seed, 'hex')]);
    const expected = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
    expect(publicKeyText(key!.publicKey)).toBe(Buffer.from(expected, 'hex').toString('base64url'));
  });

  test('are the same from a secret key object', () => {
    const [key] = signingKeys([createSecretKey(Buffer.alloc(32, 1))]);
    expect(key?.id).toBe(FIRST_KEY.id);
  });

  test('need a seed of 32 bytes', () => {
    expect(() => signingKeys([Buffer.alloc(31)])).toThrow(TypeError);
  });

  test('have the beginning of the hash of their public half as id', () => {
    const raw = Buffer.from(publicKeyText(FIRST_KEY.publicKey), 'base64url');
    const digest = createHash('sha256').update(raw).digest('hex');
    expect(keyIdOf(FIRST_KEY.publicKey)).toBe(digest.slice(0, 16));
  });

  test('have a public half that can be given to an auditor as text', () => {
    const text = publicKeyText(FIRST_KEY.publicKey);
    expect(text).toMatch(/^[\w-]{43}$/);
    expect(parsePublicKey(text)?.equals(FIRST_KEY.publicKey)).toBe(true);
  });

  test.each(['', 'x', `${'A'.repeat(43)}=`, `${'A'.repeat(42)}B`, `${'A'.repeat(42)}+`])(
    'are not read from %j',
    (text) => expect(parsePublicKey(text)).toBeUndefined(),
  );
});

const HEAD = signHead(
  { chain: CHAIN, sequence: 17, hash: 'ab'.repeat(32), signedAtUs: STARTED_AT_US },
  FIRST_KEY,
);
const STUB = signStub(
  { chain: CHAIN, sequence: 17, hash: 'ab'.repeat(32), rows: 17, removedAtUs: STARTED_AT_US },
  FIRST_KEY,
);
const KNOWN = publicKeysOf([FIRST_KEY.publicKey, SECOND_KEY.publicKey]);

describe.each([
  ['head', HEAD],
  ['stub', STUB],
])('a signed %s', (_, signed) => {
  test('is known to be signed', () => {
    expect(isSignedBy(signed, KNOWN)).toBe('signed');
  });

  test('of a key that is not there is neither signed nor forged', () => {
    expect(isSignedBy(signed, publicKeysOf([SECOND_KEY.publicKey]))).toBe('unknown-key');
  });

  test('by another key in the name of ours is forged', () => {
    const other = publicKeysOf([INTRUDER_KEY.publicKey]).get(INTRUDER_KEY.id)!;
    expect(isSignedBy(signed, new Map([[signed.keyId, other]]))).toBe('forged');
  });

  test.each(Object.keys(signed).filter((field) => field !== 'keyId'))(
    'is forged with another %s',
    (field) => {
      for (const value of [0, 18, 'x', '', 'cd'.repeat(32), null, undefined, NaN, {}]) {
        expect(isSignedBy({ ...signed, [field]: value } as Head, KNOWN)).toBe('forged');
      }
    },
  );

  test('is forged with a key id that is none', () => {
    for (const keyId of ['', 'X'.repeat(16), null, 7]) {
      expect(isSignedBy({ ...signed, keyId } as Head, KNOWN)).toBe('forged');
    }
  });
});

test('a stub does not pass for a head, nor a head for a stub', () => {
  const { chain, sequence, hash, keyId, signature } = STUB;
  const posing = { chain, sequence, hash, keyId, signature, signedAtUs: STUB.removedAtUs };
  expect(isSignedBy(posing, KNOWN)).toBe('forged');
  const { signedAtUs, ...head } = HEAD;
  expect(isSignedBy({ ...head, rows: 17, removedAtUs: signedAtUs }, KNOWN)).toBe('forged');
});

describe('a published line', () => {
  const line = headLine(HEAD);
  const fields = JSON.parse(line) as Record<string, unknown>;

  test('is JSON with the time as people write it', () => {
    expect(fields).toEqual({
      chain: CHAIN,
      sequence: 17,
      hash: 'ab'.repeat(32),
      time: '2026-11-20T10:35:14.561234Z',
      key: FIRST_KEY.id,
      signature: HEAD.signature,
    });
  });

  test('comes back as the head that it was made of', () => {
    expect(parseHeadLine(line)).toEqual(HEAD);
  });

  test('may have fields of the log that took it in', () => {
    expect(parseHeadLine(JSON.stringify({ host: 'log-1', ...fields, level: 30 }))).toEqual(HEAD);
  });

  test.each([
    ['sequence', '17'],
    ['sequence', 1.5],
    ['sequence', -1],
    ['hash', 'AB'.repeat(32)],
    ['hash', 'ab'],
    ['time', '2026-11-20T10:35:14.561Z'],
    ['time', '2026-02-30T10:35:14.561234Z'],
    ['time', '2026-11-20T10:35:14.561234+00:00'],
    ['time', STARTED_AT_US],
    ['key', 'x'],
    ['signature', `${HEAD.signature}=`],
    ['signature', HEAD.signature.slice(1)],
    ['chain', 7],
    ['chain', undefined],
  ])('is none with the %s %j', (field, value) => {
    expect(parseHeadLine(JSON.stringify({ ...fields, [field]: value }))).toBeUndefined();
  });

  test.each(['', '{', 'null', '[]', '7', '"x"', '{}'])('is none as %j', (text) =>
    expect(parseHeadLine(text)).toBeUndefined(),
  );

  test('is none when it is longer than any of ours could be', () => {
    expect(parseHeadLine(line.padEnd(MAX_HEAD_LINE_CHARS + 1))).toBeUndefined();
    expect(parseHeadLine(line.padEnd(MAX_HEAD_LINE_CHARS))).toEqual(HEAD);
  });

  test('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => parseHeadLine(text) === undefined));
    fc.assert(fc.property(fc.json(), (text) => parseHeadLine(text) === undefined));
  });
});

describe('what the store holds by column', () => {
  const columns: Columns = {
    chain: CHAIN,
    sequence: 17,
    hash: Buffer.alloc(32, 0xab),
    signed_at_us: STARTED_AT_US,
    rows: 17,
    removed_at_us: STARTED_AT_US,
    key_id: FIRST_KEY.id,
  };

  test('is the head that was signed', () => {
    const signature = Buffer.from(HEAD.signature, 'base64url');
    expect(headFrom({ ...columns, signature })).toEqual(HEAD);
  });

  test('is the stub that was signed', () => {
    const signature = Buffer.from(STUB.signature, 'base64url');
    expect(stubFrom({ ...columns, signature })).toEqual(STUB);
  });

  test('is a head that nobody signed when it is damaged', () => {
    expect(isSignedBy(headFrom({}), KNOWN)).toBe('forged');
    expect(isSignedBy(stubFrom({ ...columns, hash: null, signature: 'x' }), KNOWN)).toBe('forged');
  });
});
