// What a destination refused, as the notes in the store keep it.
import { describe, expect, test } from '@jest/globals';
import {
  createRefusals,
  MAX_REFUSALS,
  openRefusals,
  resentText,
  type Refusal,
} from '../../sidecar/delivery/refusals.ts';

const refusal = (sequence: number, atMs = sequence): Refusal => ({
  sequence,
  atMs,
  reason: `for ${sequence}`,
});
const noteOf = (...rows: Refusal[]) => {
  const refusals = createRefusals(undefined);
  refusals.add(rows);
  return refusals.toNote();
};

test('refusals go on from the note before', () => {
  const refusals = createRefusals(noteOf(refusal(1)));
  refusals.add([refusal(2)]);
  expect(openRefusals(refusals.toNote(), undefined)).toEqual([refusal(1), refusal(2)]);
});

test('the newest are remembered, and all are counted', () => {
  const note = noteOf(...Array.from({ length: MAX_REFUSALS + 5 }, (_, at) => refusal(at + 1)));
  const open = openRefusals(note, undefined);
  expect([open.length, open[0]?.sequence]).toEqual([MAX_REFUSALS, 6]);
  expect(JSON.parse(note)).toMatchObject({ total: MAX_REFUSALS + 5 });
});

test('a row that comes twice is one, with the last reason', () => {
  const again = { ...refusal(1, 9), reason: 'again' };
  const note = noteOf(refusal(1), refusal(2), again);
  expect(openRefusals(note, undefined)).toEqual([refusal(2), again]);
  expect(JSON.parse(note)).toMatchObject({ total: 2 });
});

test('a reason is cut, and nothing in it is obeyed by a terminal', () => {
  const note = noteOf({ ...refusal(1), reason: `\u001b[2J${'x'.repeat(1000)}` });
  const reason = openRefusals(note, undefined)[0]?.reason ?? '';
  expect(reason.length).toBeGreaterThan(100);
  expect(reason.length).toBeLessThan(300);
  expect(reason).not.toMatch(/\p{Cc}/u);
});

describe('what was taken since', () => {
  const refused = noteOf(refusal(1), refusal(2), refusal(3));

  test('is off the list', () => {
    const resent = resentText(refused, undefined, [refusal(2)]);
    expect(openRefusals(refused, resent)).toEqual([refusal(1), refusal(3)]);
  });

  test('stays off it when more is taken', () => {
    const resent = resentText(refused, resentText(refused, undefined, [refusal(2)]), [refusal(1)]);
    expect(openRefusals(refused, resent)).toEqual([refusal(3)]);
  });

  test('is on it again when it is refused again', () => {
    const resent = resentText(refused, undefined, [refusal(2)]);
    const again = refusal(2, 1000);
    expect(openRefusals(noteOf(refusal(1), again), resent)).toEqual([refusal(1), again]);
  });

  test('is forgotten when the refusal is', () => {
    const resent = resentText(refused, undefined, [refusal(2)]);
    expect(resentText(noteOf(refusal(9)), resent, [])).not.toContain('"sequence":2');
  });
});

test.each([['{'], ['null'], ['[]'], ['{"rows":[1,{"sequence":"x"}],"total":"y"}'], ['7']])(
  'a note that is none, %s, is taken for empty',
  (note) => {
    expect(openRefusals(note, note)).toEqual([]);
    expect(JSON.parse(createRefusals(note).toNote())).toEqual({ total: 0, rows: [] });
  },
);
