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
  reason: `answered ${400 + sequence}: for ${sequence}`,
});
const noteOf = (...rows: Refusal[]) => {
  const refusals = createRefusals(undefined);
  refusals.add(rows);
  return refusals.toNote();
};

const sequencesIn = (note: string, resent?: string) =>
  openRefusals(note, resent).map(({ sequence }) => sequence);

test('refusals go on from the note before', () => {
  const refusals = createRefusals(noteOf(refusal(1)));
  refusals.add([refusal(2)]);
  expect(openRefusals(refusals.toNote(), undefined)).toMatchObject([
    { sequence: 1, atMs: 1, reason: '401' },
    { sequence: 2, atMs: 2, reason: '402' },
  ]);
});

test('the newest are remembered, and all are counted', () => {
  const note = noteOf(...Array.from({ length: MAX_REFUSALS + 5 }, (_, at) => refusal(at + 1)));
  const open = openRefusals(note, undefined);
  expect([open.length, open[0]?.sequence]).toEqual([MAX_REFUSALS, 6]);
  expect(JSON.parse(note)).toMatchObject({ total: MAX_REFUSALS + 5 });
});

test('a row that comes twice is one, with the last reason', () => {
  const again = { ...refusal(1, 9), reason: 'answered 413' };
  const note = noteOf(refusal(1), refusal(2), again);
  expect(openRefusals(note, undefined)).toMatchObject([
    { sequence: 2 },
    { sequence: 1, atMs: 9, reason: '413' },
  ]);
  expect(JSON.parse(note)).toMatchObject({ total: 2 });
});

test.each([
  ['one: answered INVALID_ARGUMENT: user "alice" of ACME', 'INVALID_ARGUMENT'],
  ['one: answered 400: answered 200 to alice', '400'],
  ["it can't be encoded: alice", "it can't be encoded"],
  ['alice', 'no answer'],
])('of what the destination said, %s, only a code is kept', (reason, code) => {
  const note = noteOf({ ...refusal(1), reason });
  expect(openRefusals(note, undefined)).toMatchObject([{ reason: code }]);
  expect(note).not.toMatch(/alice|ACME/);
});

describe('what was taken since', () => {
  const refused = noteOf(refusal(1), refusal(2), refusal(3));
  const [first, second] = openRefusals(refused, undefined) as [Refusal, Refusal, Refusal];

  test('is off the list', () => {
    const resent = resentText(refused, undefined, [second]);
    expect(sequencesIn(refused, resent)).toEqual([1, 3]);
  });

  test('stays off it when more is taken', () => {
    const resent = resentText(refused, resentText(refused, undefined, [second]), [first]);
    expect(sequencesIn(refused, resent)).toEqual([3]);
  });

  test('is on it again when it is refused again, though the clock was set back', () => {
    const resent = resentText(refused, undefined, [second]);
    const refusals = createRefusals(refused);
    refusals.add([refusal(2, -1000)]);
    expect(sequencesIn(refusals.toNote(), resent)).toEqual([1, 3, 2]);
  });

  test('is forgotten when the refusal is', () => {
    const resent = resentText(refused, undefined, [second]);
    expect(resentText(noteOf(refusal(9)), resent, [])).not.toContain('"sequence":2');
  });
});

test.each([['{'], ['null'], ['[]'], ['{"rows":[1,{"sequence":"x"}],"total":"y"}'], ['7']])(
  'a note that is none, %s, is taken for empty',
  (note) => {
    expect(openRefusals(note, note)).toEqual([]);
    expect(JSON.parse(createRefusals(note).toNote())).toMatchObject({ total: 0, rows: [] });
  },
);
