// The statistics of a verdict against values that others have published, and against chance itself.
import { describe, expect, test } from '@jest/globals';
import { binomialLess } from '../../sidecar/deployment/binomial.ts';
import { fisherGreater } from '../../sidecar/deployment/fisher.ts';
import { holmAdjusted } from '../../sidecar/deployment/holm.ts';
import { mannWhitneyGreater } from '../../sidecar/deployment/mann-whitney.ts';
import { normalTail } from '../../sidecar/deployment/normal.ts';
import { overallGreater } from '../../sidecar/deployment/overall.ts';

const fisher = (was: [number, number], is: [number, number]) =>
  fisherGreater({ count: was[0], of: was[1] }, { count: is[0], of: is[1] });

const BINOMIAL = [
  [3, 20, 0.5, 0.0012884140014648438],
  [40, 140, 0.5, 2.0716982159402628e-7],
  [0, 100, 0.25, 3.207202185381504e-13],
  [60, 1000, 0.1, 4.378819902862792e-6],
] as const;

const sorted = (...values: number[]) => Float64Array.from(values).sort();

describe('Fisher’s exact test, one-sided', () => {
  test('the lady tasting tea: p = 0.2429 (R, ?fisher.test, TeaTasting)', () => {
    expect(fisher([1, 4], [3, 4])).toBeCloseTo(0.2429, 4);
  });

  test('convictions of twins: p = 0.0004652 (R, ?fisher.test, Convictions)', () => {
    expect(fisher([2, 17], [10, 13])).toBeCloseTo(0.0004652, 7);
  });

  // By fractions of whole numbers (Python), rounded once at the end.
  test.each([
    [[12, 1000], [40, 1000], 5.225895283367152e-5],
    [[5, 10_000], [8, 500], 2.607197254613617e-8],
    [[100, 20_000], [90, 20_000], 0.7880861312488239],
    [[100, 100_000], [1000, 100_000], 1.521618867695466e-188],
  ] as const)('%j → %j is exact: p = %d', (was, is, p) => {
    expect(fisher([...was], [...is]) / p).toBeCloseTo(1, 8);
  });

  test('nothing on either side is no evidence', () => {
    expect(fisher([0, 1000], [0, 1000])).toBe(1);
  });

  test('millions are no trouble', () => {
    expect(fisher([50_000, 5_000_000], [50_000, 5_000_000])).toBeCloseTo(0.5, 2);
  });
});

describe('the binomial test, one-sided', () => {
  // By fractions of whole numbers (Python).
  test.each(BINOMIAL)('%d of %d at %d: p = %d', (count, of, chance, p) => {
    expect(binomialLess(count, of, chance) / p).toBeCloseTo(1, 8);
  });
});

describe('the test over all routes', () => {
  const stratum = (was: [number, number], is: [number, number]) => ({
    before: { count: was[0], of: was[1] },
    after: { count: is[0], of: is[1] },
  });

  test('of one route is Fisher’s', () => {
    expect(overallGreater([stratum([12, 1000], [40, 1000])]).p).toBe(
      fisher([12, 1000], [40, 1000]),
    );
  });

  // By fractions of whole numbers (Python): the sum over both distributions.
  test('of two routes is exact', () => {
    const { p, increase } = overallGreater([stratum([1, 50], [5, 40]), stratum([2, 30], [6, 60])]);
    expect(p / 0.07218653957949615).toBeCloseTo(1, 8);
    expect(increase).toBeCloseTo(0.07105263157894737, 10);
  });

  // The same sum by floating point (Python): 4,200 errors are too many to be exact.
  test('of very many errors is nearly so', () => {
    const { p } = overallGreater([
      stratum([200, 20_000], [300, 20_000]),
      stratum([1800, 20_000], [1900, 20_000]),
    ]);
    expect(p / 6.705376e-4).toBeCloseTo(1, 1);
  });
});

describe('the normal distribution', () => {
  // As double precision has them (Python's math.erfc).
  test.each([
    [-1, 0.8413447460685429],
    [0, 0.5],
    [1.96, 0.024997895148220435],
    [2.4999, 0.006211418374944594],
    [2.5, 0.006209665325776139],
    [6, 9.865876450377012e-10],
    [30, 4.906713927148764e-198],
  ])('has so much above %d', (z, tail) => {
    expect(normalTail(z) / tail).toBeCloseTo(1, 10);
  });
});

describe('the Mann–Whitney U test, one-sided', () => {
  test('ages at diagnosis: U = 17, p = 0.11135 / 2 (SciPy, mannwhitneyu, asymptotic)', () => {
    const { p, superiority } = mannWhitneyGreater(
      sorted(20, 11, 17, 12),
      sorted(19, 22, 16, 29, 24),
    );
    expect(superiority * 20).toBe(17);
    expect(p).toBeCloseTo(0.11134688653314041 / 2, 12);
  });

  test('ozone in May and August, with ties: W = 127.5, p = 0.0001208 / 2 (R, ?wilcox.test)', () => {
    const may = sorted(
      ...[41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18, 14, 34, 6, 30, 11, 1, 11, 4],
      ...[32, 23, 45, 115, 37],
    );
    const august = sorted(
      ...[39, 9, 16, 78, 35, 66, 122, 89, 110, 44, 28, 65, 22, 59, 23, 31, 44, 21, 9, 45],
      ...[168, 73, 76, 118, 84, 85],
    );
    const { p, superiority } = mannWhitneyGreater(may, august);
    expect(superiority * 26 * 26).toBe(26 * 26 - 127.5);
    expect(p).toBeCloseTo(0.0001208 / 2, 8);
  });

  test('values that are all the same are no evidence', () => {
    const same = new Float64Array(50).fill(7);
    expect(mannWhitneyGreater(same, same)).toEqual({ p: 1, superiority: 0.5 });
  });
});

describe('Holm’s correction', () => {
  test('adjusts as R does: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm")', () => {
    const adjusted = holmAdjusted([0.01, 0.02, 0.03, 0.04, 0.05]);
    expect(adjusted.map((p) => p.toFixed(2))).toEqual(['0.05', '0.08', '0.09', '0.09', '0.09']);
  });

  test('keeps the order of what it is given, and never exceeds 1', () => {
    expect(holmAdjusted([0.9, 0.001, 0.8])).toEqual([1, 0.003, 1]);
  });
});
