// All routes together: are there more errors than chance would put after the mark, each route compared
// with itself? What rose everywhere a little is found so, and that traffic moves to a route that always
// had more errors is no rise. Exact (Birch 1964) while errors are few, normal (Mantel–Haenszel) above. Pure.
import { fisherGreater, probability, type Share, type Table } from './fisher.ts';
import { normalTail } from './normal.ts';

/** A route on both sides. */
export type Stratum = { readonly before: Share; readonly after: Share };

/** The test by its name in statistics. */
export const OVERALL_TEST = 'exact test of errors over all routes (Birch), one-sided';

export type OverallTest = {
  readonly p: number;
  /** By how much the share rose, routes weighed by their requests on both sides (Mantel–Haenszel). */
  readonly increase: number;
};

/** Up to so many errors the distribution is computed: it takes as many steps as their square. */
const EXACT_UP_TO = 4000;

/** Returns the test of routes, each of which has requests on both sides. */
export function overallGreater(strata: readonly Stratum[]): OverallTest {
  const increase = increaseOf(strata);
  const [only] = strata;
  if (only !== undefined && strata.length === 1) {
    return { p: fisherGreater(only.before, only.after), increase };
  }
  const tables = strata.map(tableOf).filter(({ marked }) => marked > 0);
  const after = sum(strata.map((each) => each.after.count));
  const marked = sum(tables.map((table) => table.marked));
  return { p: marked <= EXACT_UP_TO ? exact(tables, after) : normal(tables, after), increase };
}

function increaseOf(strata: readonly Stratum[]): number {
  const weights = strata.map(
    ({ before, after }) => (before.of * after.of) / (before.of + after.of),
  );
  const rises = strata.map(
    ({ before, after }) => after.count / after.of - before.count / before.of,
  );
  return sum(rises.map((rise, at) => rise * (weights[at] ?? 0))) / Math.max(sum(weights), 1e-9);
}

function tableOf({ before, after }: Stratum): Table {
  return { marked: before.count + after.count, before: before.of, after: after.of };
}

// The distribution of the sum over routes, one after the other.
function exact(tables: readonly Table[], count: number): number {
  const distribution = tables.reduce<Float64Array>(convolved, Float64Array.of(1));
  return Math.min(1, sum([...distribution.subarray(count)]));
}

function convolved(sums: Float64Array, table: Table): Float64Array {
  const least = Math.max(0, table.marked - table.before);
  const most = Math.min(table.marked, table.after);
  const result = new Float64Array(sums.length + table.marked);
  for (let count = least; count <= most; count++) {
    const likely = probability(table, count);
    for (const [at, before] of sums.entries()) {
      result[at + count] = (result[at + count] ?? 0) + before * likely;
    }
  }
  return result;
}

function normal(tables: readonly Table[], count: number): number {
  const expected = tables.map(({ marked, before, after }) => (marked * after) / (before + after));
  const variances = tables.map(({ marked, before, after }) => {
    const all = before + after;
    return (marked * (all - marked) * before * after) / (all * all * Math.max(1, all - 1));
  });
  const variance = sum(variances);
  return variance === 0 ? 1 : normalTail((count - sum(expected) - 0.5) / Math.sqrt(variance));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
