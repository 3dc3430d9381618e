// The upper tail of the standard normal distribution, right to about 14 digits also where it is tiny:
// p-values of 1e-30 are compared and printed here. Pure.

/** Where the series gives way to the continued fraction: both are exact to the last digits around it. */
const SERIES_UP_TO = 2.5;
const FRACTION_TERMS = 120;

/** Returns the probability that a standard normal variable is greater than `z`. */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  return z < SERIES_UP_TO ? 0.5 - density * series(z) : density * fraction(z);
}

// Abramowitz and Stegun 26.2.11.
function series(z: number): number {
  let term = z;
  let sum = z;
  for (let odd = 3; term > sum * 1e-17; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return sum;
}

// Abramowitz and Stegun 26.2.14.
function fraction(z: number): number {
  let tail = z;
  for (let term = FRACTION_TERMS; term > 0; term--) tail = z + term / tail;
  return 1 / tail;
}
