// What a request is worth, and which spans a row makes when its trace wasn't sampled.
import { describe, expect, test } from '@jest/globals';
import type { RequestRow } from '../../sidecar/audit/row.ts';
import { spansOf } from '../../sidecar/trace/spans.ts';
import { createSpansOf, worthOf, WORTHS } from '../../sidecar/trace/worth.ts';
import { aFullRow, aRow } from '../fixtures/rows.ts';

const SLOW_US = 2_000_000;
const slow = { durationUs: SLOW_US };
const refused = { decision: 'deny', reason: 'no-credentials', status: 401 } as const;

describe('worth', () => {
  test.each<[string, Partial<RequestRow>, string]>([
    ['an answer of 500', { status: 500 }, 'error'],
    ['one that no decision explains', { kind: 'unexplained' }, 'error'],
    ['one whose stamp does not hold', { decision: 'none', reason: 'stamp-invalid' }, 'error'],
    ['a refusal', refused, 'refusal'],
    ['a forged cookie of a browser', { decision: 'login', reason: 'session-unknown' }, 'refusal'],
    ['what the gate would not read', { decision: 'none', reason: 'gate-refused' }, 'refusal'],
    ['one without credentials', { decision: 'login', reason: 'no-credentials' }, 'other'],
    ['one that took as long as is slow', slow, 'slow'],
    ['one that took a microsecond less', { durationUs: SLOW_US - 1 }, 'other'],
    ['a WebSocket that was open for long', { ...slow, status: 101 }, 'other'],
    ['the app’s own 403', { status: 403 }, 'other'],
    ['a client that left', { status: 0 }, 'other'],
  ])('%s', (_, changes, worth) => expect(worthOf(aRow(changes), SLOW_US)).toBe(worth));

  test('what is several is the dearest of them', () => {
    expect(worthOf(aRow({ ...refused, ...slow, status: 503 }), SLOW_US)).toBe('error');
    expect(worthOf(aRow({ ...refused, ...slow }), SLOW_US)).toBe('refusal');
    expect(WORTHS).toEqual(['error', 'refusal', 'slow', 'other']);
  });
});

describe('spans', () => {
  const spans = createSpansOf(SLOW_US);
  const unsampled = (changes: Partial<RequestRow>) =>
    spans({ ...aFullRow(), sampled: false, ...changes });

  test('a sampled row makes all of its spans, without a mark, whatever it is worth', () => {
    const failed = { ...aFullRow(), status: 500 };
    expect(spans(failed)).toEqual(spansOf(failed));
    expect(spans(failed)).toHaveLength(3);
  });

  test.each([
    ['error', { status: 502 }],
    ['slow', slow],
  ])(
    'one that was not sampled, but is %s, makes its ingress span, which says so',
    (why, changes) => {
      const [ingress] = spansOf({ ...aFullRow(), ...changes });
      expect(unsampled(changes)).toEqual([
        {
          ...ingress,
          isSampled: false,
          attributes: { ...ingress?.attributes, 'signet.sampled_late': why },
        },
      ]);
    },
  );

  test('another that was not sampled makes none', () => {
    expect(unsampled({})).toEqual([]);
  });
});
