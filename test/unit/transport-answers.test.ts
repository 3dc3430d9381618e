// How answers are sorted: OTLP's tables (1.x, "Failures"), row by row, and how long is to be waited.
import { describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { answerOfStatus } from '../../sidecar/otlp/grpc-status.ts';
import { answerOfHttp } from '../../sidecar/otlp/http-status.ts';
import {
  MAX_RETRY_AFTER_MS,
  parseRetryAfter,
  readRetryDelay,
} from '../../sidecar/otlp/retry-after.ts';
import { retryInfo } from '../fixtures/retry-info.ts';

const NOW = Date.UTC(2026, 10, 21, 12);

test.each([
  ['CANCELLED', 'retry'],
  ['UNKNOWN', 'unclear'],
  ['INVALID_ARGUMENT', 'refused'],
  ['DEADLINE_EXCEEDED', 'retry'],
  ['NOT_FOUND', 'misdirected'],
  ['ALREADY_EXISTS', 'unclear'],
  ['PERMISSION_DENIED', 'unauthorized'],
  ['RESOURCE_EXHAUSTED', 'unclear'],
  ['FAILED_PRECONDITION', 'unclear'],
  ['ABORTED', 'retry'],
  ['OUT_OF_RANGE', 'retry'],
  ['UNIMPLEMENTED', 'misdirected'],
  ['INTERNAL', 'unclear'],
  ['UNAVAILABLE', 'retry'],
  ['DATA_LOSS', 'retry'],
  ['UNAUTHENTICATED', 'unauthorized'],
] as const)('gRPC’s %s is: %s', (name, kind) => {
  const answer = answerOfStatus(status[name], 'as told');
  expect(answer).toEqual({ kind, problem: `answered ${name}: as told` });
});

test('gRPC’s RESOURCE_EXHAUSTED that says when to come back is to be tried again then', () => {
  const answer = answerOfStatus(status.RESOURCE_EXHAUSTED, '', retryInfo(3, 500_000_000));
  expect(answer).toMatchObject({ kind: 'retry', afterMs: 3500 });
});

test('a status that gRPC does not have is unclear', () => {
  expect(answerOfStatus(99, 'as told').kind).toBe('unclear');
});

test.each([
  [200, 'acknowledged'],
  [202, 'acknowledged'],
  [301, 'misdirected'],
  [304, 'misdirected'],
  [400, 'refused'],
  [401, 'unauthorized'],
  [403, 'unauthorized'],
  [404, 'misdirected'],
  [405, 'misdirected'],
  [407, 'unauthorized'],
  [408, 'unclear'],
  [413, 'refused'],
  [415, 'misdirected'],
  [422, 'refused'],
  [429, 'retry'],
  [500, 'unclear'],
  [501, 'unclear'],
  [502, 'retry'],
  [503, 'retry'],
  [504, 'retry'],
])('HTTP’s %d is: %s', (code, kind) => {
  const answer = answerOfHttp({ status: code, headers: {}, body: Buffer.alloc(0) }, NOW);
  expect(answer.kind).toBe(kind);
});

test('what a destination says is cut, and nothing that a terminal would obey', () => {
  const { problem } = answerOfStatus(status.INTERNAL, `\u001b[2J${'x'.repeat(100_000)}`);
  expect(problem.length).toBeLessThan(400);
  expect(problem).not.toMatch(/\p{Cc}/u);
});

describe('Retry-After', () => {
  test.each([
    [429, 0],
    [503, undefined],
  ])('without it %i asks for %p ms: too many requests is about none of them', (status, afterMs) => {
    const answer = answerOfHttp({ status, headers: {}, body: Buffer.alloc(0) }, NOW);
    expect(answer.kind === 'retry' && answer.afterMs).toBe(afterMs);
  });

  test.each([
    ['7', 7000],
    ['0', 0],
    ['Sat, 21 Nov 2026 12:00:30 GMT', 30_000],
    ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
    ['86400', MAX_RETRY_AFTER_MS],
    ['9'.repeat(400), MAX_RETRY_AFTER_MS],
    ['Fri, 31 Dec 9999 23:59:59 GMT', MAX_RETRY_AFTER_MS],
  ])('of %s', (text, ms) => {
    expect(parseRetryAfter(text, NOW)).toBe(ms);
  });

  test.each([[undefined], [''], ['-1'], ['1.5'], ['soon'], ['2026-11-21'], ['7, 8']])(
    '%s says nothing',
    (text) => {
      expect(parseRetryAfter(text, NOW)).toBeUndefined();
    },
  );
});

describe('RetryInfo', () => {
  test.each([
    [1, 500_000_000, 1500],
    [0, 1, 1],
    [-5, 0, 0],
    [10 ** 12, 0, MAX_RETRY_AFTER_MS],
    [2, -1, 2000],
  ])('of %d s and %d ns is %d ms', (seconds, nanos, ms) => {
    expect(readRetryDelay(retryInfo(seconds, nanos))).toBe(ms);
  });

  test('of any bytes is a time that can be waited, or none', () => {
    const sound = retryInfo(5, 5);
    const spoilt = fc
      .tuple(fc.nat(sound.length - 1), fc.nat(255))
      .map(([at, byte]) =>
        Buffer.concat([sound.subarray(0, at), Buffer.of(byte), sound.subarray(at + 1)]),
      );
    const random = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(spoilt, random), (bytes) => {
        const ms = readRetryDelay(bytes) ?? 0;
        expect(ms >= 0 && ms <= MAX_RETRY_AFTER_MS).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
