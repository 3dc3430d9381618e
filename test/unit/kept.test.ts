// Parts that go on when what they are made of has not changed.
import { expect, test } from '@jest/globals';
import { createKept } from '../../sidecar/kept.ts';
import { secret } from '../../sidecar/secret.ts';

function parts() {
  const closed: number[] = [];
  let made = 0;
  const kept = createKept(
    (_options: unknown) => (made += 1),
    (part) => closed.push(part),
  );
  return { ...kept, closed };
}

test('the same options, secrets by their text, are the same part', () => {
  const { of, settle, closed } = parts();
  of({ issuer: 'a', secret: secret('x'), scopes: ['openid'] });
  settle('keep');
  expect(of({ scopes: ['openid'], issuer: 'a', secret: secret('x') })).toBe(1);
  settle('keep');
  expect(closed).toEqual([]);
});

test('another secret is another part; once it is kept, the one before is closed', () => {
  const { of, settle, closed } = parts();
  of({ secret: secret('x') });
  settle('keep');
  expect(of({ secret: secret('y') })).toBe(2);
  expect(closed).toEqual([]);
  settle('keep');
  expect(closed).toEqual([1]);
});

test('one that is dropped is closed, and the one before holds', () => {
  const { of, settle, closed } = parts();
  of('a');
  settle('keep');
  of('b');
  settle('drop');
  expect(closed).toEqual([2]);
  expect(of('a')).toBe(1);
});

test('closing closes what there is, what was prepared as well', () => {
  const { of, settle, close, closed } = parts();
  of('a');
  settle('keep');
  of('b');
  close();
  expect(closed.toSorted()).toEqual([1, 2]);
});
