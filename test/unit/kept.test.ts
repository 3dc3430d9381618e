// Parts that go on when what they are made of has not changed.
import { expect, test } from '@jest/globals';
import { createKept } from '../../sidecar/reload/kept.ts';
import { secret } from '../../sidecar/secret.ts';

function parts() {
  const closed: number[] = [];
  let made = 0;
  const kept = createKept(
    (_options: unknown) => (made += 1),
    (part) => closed.push(part),
  );
  return { kept, closed };
}

test('the same options, secrets by their text, are the same part', () => {
  const { kept, closed } = parts();
  kept.of({ issuer: 'a', secret: secret('x'), scopes: ['openid'] });
  kept.settle('keep');
  expect(kept.of({ scopes: ['openid'], issuer: 'a', secret: secret('x') })).toBe(1);
  kept.settle('keep');
  expect(closed).toEqual([]);
});

test('another secret is another part; once it is kept, the one before is closed', () => {
  const { kept, closed } = parts();
  kept.of({ secret: secret('x') });
  kept.settle('keep');
  expect(kept.of({ secret: secret('y') })).toBe(2);
  expect(closed).toEqual([]);
  kept.settle('keep');
  expect(closed).toEqual([1]);
});

test('one that is dropped is closed, and the one before holds', () => {
  const { kept, closed } = parts();
  kept.of('a');
  kept.settle('keep');
  kept.of('b');
  kept.settle('drop');
  expect(closed).toEqual([2]);
  expect(kept.of('a')).toBe(1);
});

test('closing closes what there is, what was prepared as well', () => {
  const { kept, closed } = parts();
  kept.of('a');
  kept.settle('keep');
  kept.of('b');
  kept.close();
  expect(closed.toSorted((a, b) => a - b)).toEqual([1, 2]);
});
