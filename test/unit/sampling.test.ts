// Which traces are kept: by the trace id, by rules, and what is kept whatever the rules say.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSample, type Sampleable, type Sampling } from '../../sidecar/trace/sampling.ts';
import { SAMPLE_EVERYTHING } from '../fixtures/sampling.ts';

const ALLOWED: Sampleable = { decision: 'allow', reason: 'requirement-met', route: 'orders' };
const UNDECIDED: Sampleable = { decision: 'none', reason: 'unprotected' };
const SENT_TO_SIGN_IN: Sampleable = { decision: 'login', reason: 'no-credentials' };
const HUMAN: Sampleable = { ...ALLOWED, identity: { team: 'payments', type: 'human' } };

/** A trace id whose right-most 56 bits are these. */
const withRandomness = (digits: string) => 'f'.repeat(18) + digits;
/** Kept only where everything is, and kept wherever anything is. */
const LOWEST = withRandomness('0'.repeat(14));
const HIGHEST = withRandomness('f'.repeat(14));

const byRatio = (ratio: number) => createSample({ ratio, rules: [] })(ALLOWED);
const isKept = (sampling: Sampling, request: Sampleable, traceId = LOWEST) =>
  createSample(sampling)(request)(traceId);

describe('by the trace id', () => {
  test('sampled is whose right-most 56 bits reach the threshold, the threshold among them', () => {
    const isSampled = byRatio(0.25);
    expect(isSampled(withRandomness('c0000000000000'))).toBe(true);
    expect(isSampled(withRandomness('bfffffffffffff'))).toBe(false);
  });

  test('a small threshold keeps its leading zeros', () => {
    const isSampled = byRatio(1 - 2 ** -8);
    expect(isSampled(withRandomness('01000000000000'))).toBe(true);
    expect(isSampled(withRandomness('00ffffffffffff'))).toBe(false);
  });

  test('the digits before the right-most 14 count for nothing', () => {
    expect(byRatio(0.5)('f'.repeat(18) + '7fffffffffffff')).toBe(false);
    expect(byRatio(0.5)('0'.repeat(18) + '80000000000000')).toBe(true);
  });

  test('at 1 all are sampled, at 0 none', () => {
    expect(byRatio(1)(LOWEST)).toBe(true);
    expect(byRatio(0)(HIGHEST)).toBe(false);
  });

  test('the smallest ratio that there is keeps one of 2^56', () => {
    expect(byRatio(2 ** -56)(HIGHEST)).toBe(true);
    expect(byRatio(2 ** -56)(withRandomness('fffffffffffffe'))).toBe(false);
  });

  test('what a ratio samples, every larger one samples', () => {
    const ratio = fc.double({ min: 0, max: 1, noNaN: true });
    const id = fc.bigInt({ min: 0n, max: 2n ** 56n - 1n });
    fc.assert(
      fc.property(ratio, ratio, id, (one, other, bits) => {
        const traceId = withRandomness(bits.toString(16).padStart(14, '0'));
        const isSmallers = byRatio(Math.min(one, other))(traceId);
        return !isSmallers || byRatio(Math.max(one, other))(traceId);
      }),
    );
  });

  test('of many traces about as many are sampled as the ratio says', () => {
    const isSampled = byRatio(0.1);
    const ids = Array.from({ length: 4096 }, (_, at) =>
      withRandomness(at.toString(16).padStart(3, '0').padEnd(14, '0')),
    );
    expect(ids.filter((id) => isSampled(id)).length / ids.length).toBeCloseTo(0.1, 3);
  });
});

describe('whatever the ratio', () => {
  const byNone = createSample({ ratio: 0, rules: [{ route: ['orders'], ratio: 0 }] });

  test.each<[string, Sampleable]>([
    ['who was denied', { decision: 'deny', reason: 'no-credentials', route: 'orders' }],
    ['a forged cookie', { decision: 'login', reason: 'session-unknown', route: 'orders' }],
    ['a token that does not hold', { decision: 'login', reason: 'token-signature' }],
    ['what the gate would not read', { decision: 'none', reason: 'gate-refused' }],
  ])('refusals are sampled, even where the caller said no: %s', (_, refused) => {
    const isSampled = byNone(refused);
    expect([isSampled(LOWEST), isSampled(LOWEST, false)]).toEqual([true, true]);
  });

  test('who came with nothing and is sent to sign in is not refused', () => {
    expect(byNone(SENT_TO_SIGN_IN)(HIGHEST)).toBe(false);
  });

  test.each([0, 0.5, 1])('at %d a trace that goes on is what its caller said', (ratio) => {
    expect([byRatio(ratio)(LOWEST, true), byRatio(ratio)(HIGHEST, false)]).toEqual([true, false]);
  });
});

describe('rules', () => {
  const none: Sampling = { ratio: 0, rules: [] };
  const keeping = (rule: Omit<Sampling['rules'][number], 'ratio'>): Sampling => ({
    ...none,
    rules: [{ ...rule, ratio: 1 }],
  });

  test.each([
    ['route', { route: ['admin', 'orders'] }, { route: ['admin'] }],
    ['team', { team: ['search', 'payments'] }, { team: ['search'] }],
    ['type', { type: ['human'] }, { type: ['agent', 'service'] }],
    ['decision', { decision: ['allow'] }, { decision: ['login', 'none'] }],
  ] as const)('one of a %s is for requests of that one only', (_, fitting, other) => {
    expect(isKept(keeping(fitting), HUMAN)).toBe(true);
    expect(isKept(keeping(other), HUMAN)).toBe(false);
  });

  test('all that a rule names must fit', () => {
    expect(isKept(keeping({ route: ['orders'], team: ['search'] }), HUMAN)).toBe(false);
  });

  test('one that names a team or a type is not for nobody', () => {
    expect(isKept(keeping({ team: ['payments'] }), ALLOWED)).toBe(false);
    expect(isKept(keeping({ type: ['human'] }), ALLOWED)).toBe(false);
  });

  test('one that names a route is not for a request without', () => {
    expect(isKept(keeping({ route: ['orders'] }), UNDECIDED)).toBe(false);
  });

  test('the first that fits is the one, and the ratio is for whom none fits', () => {
    const sampling: Sampling = {
      ratio: 1,
      rules: [
        { route: ['orders'], ratio: 0 },
        { team: ['payments'], ratio: 1 },
      ],
    };
    expect(isKept(sampling, HUMAN, HIGHEST)).toBe(false);
    expect(isKept(sampling, { ...HUMAN, route: 'admin' })).toBe(true);
    expect(isKept({ ...sampling, ratio: 0 }, { ...SENT_TO_SIGN_IN, route: 'admin' })).toBe(false);
  });

  test('by default everything is sampled', () => {
    expect(isKept(SAMPLE_EVERYTHING, UNDECIDED)).toBe(true);
  });
});
