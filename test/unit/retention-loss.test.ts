// What a recorder that begins anew knows of rows that went undelivered.
import { expect, test } from '@jest/globals';
import { parseLoss } from '../../sidecar/retention/loss.ts';

test.each([undefined, '', 'nonsense', '[]', 'null', '{"atUs":1}', '{"atUs":"1","text":"x"}'])(
  'a note that says nothing (%j) is none',
  (note) => {
    expect(parseLoss(note)).toBeUndefined();
  },
);

test('a note says what was written into it', () => {
  const loss = { atUs: 1, text: 'rows were removed' };
  expect(parseLoss(JSON.stringify(loss))).toEqual(loss);
});
