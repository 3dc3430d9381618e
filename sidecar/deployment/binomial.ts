// The exact binomial test, one-sided: are there fewer than there should be? Two counts of what comes at
// constant rates are compared by it: given both together, chance divides them by the lengths. Pure.
import { logChoose } from './fisher.ts';

/** Returns the probability of so few of `of`, or fewer, each of which counts with probability `chance`. */
export function binomialLess(count: number, of: number, chance: number): number {
  // From the likeliest term downwards: these are the largest ones.
  let sum = 0;
  for (let at = count; at >= 0; at--) {
    const term = Math.exp(
      logChoose(of, at) + at * Math.log(chance) + (of - at) * Math.log1p(-chance),
    );
    sum += term;
    if (term < sum * 1e-17) break;
  }
  return Math.min(1, sum);
}
