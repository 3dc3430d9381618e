// What a browser keeps for us, it can neither read nor change.
import { createSecretKey, randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seal, unseal } from '../../sidecar/identity/sealed.ts';

const first = createSecretKey(randomBytes(32));
const second = createSecretKey(randomBytes(32));

test('what was sealed is opened, and differs each time', () => {
  expect(unseal(seal({ a: 1 }, 'n', [first]), 'n', [first])).toEqual({ a: 1 });
  expect(seal({ a: 1 }, 'n', [first])).not.toBe(seal({ a: 1 }, 'n', [first]));
});

test('after a rotation the old key still opens, and a key taken out does not', () => {
  const sealed = seal('x', 'n', [first]);
  expect(unseal(sealed, 'n', [second, first])).toBe('x');
  expect(unseal(sealed, 'n', [second])).toBeUndefined();
});

test('the value of one cookie opens in no other', () => {
  expect(unseal(seal('x', 'n', [first]), 'm', [first])).toBeUndefined();
});

test('each changed bit, and each shortening, closes it', () => {
  const bytes = Buffer.from(seal({ user: 'alice' }, 'n', [first]), 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(unseal(changed.toString('base64url'), 'n', [first])).toBeUndefined();
  }
  for (let length = 0; length < bytes.length; length++) {
    const cut = bytes.subarray(0, length).toString('base64url');
    expect(unseal(cut, 'n', [first])).toBeUndefined();
  }
});

test('any text is answered without an error', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      expect(unseal(text, 'n', [first])).toBeUndefined();
    }),
  );
});
