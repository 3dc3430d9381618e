// Holm's correction (Holm 1979): of many tests, one comes out by chance now and then. Pure.

/**
 * Returns the p-values adjusted, in their order: to take those for significant that are at most alpha
 * errs once in any of them with at most that probability, however the tests depend on each other.
 */
export function holmAdjusted(ps: readonly number[]): number[] {
  const ascending = ps.map((p, at) => ({ p, at })).toSorted((one, other) => one.p - other.p);
  const adjusted = Array.from(ps, () => 1);
  let least = 0;
  for (const [rank, { p, at }] of ascending.entries()) {
    least = Math.min(1, Math.max(least, p * (ps.length - rank)));
    adjusted[at] = least;
  }
  return adjusted;
}
