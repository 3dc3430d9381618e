// The smallest input that still fails: as much is left out of it as can be.

/** Returns the shortest input found that `isFailing`, of at most so many tries. */
export function shrink(
  input: Buffer,
  isFailing: (input: Buffer) => boolean,
  maxTries = 5000,
): Buffer {
  let smallest = input;
  let tries = 0;
  for (let size = smallest.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from < smallest.length && tries < maxTries; tries++) {
      const shorter = Buffer.concat([smallest.subarray(0, from), smallest.subarray(from + size)]);
      if (isFailing(shorter)) smallest = shorter;
      else from += size;
    }
  }
  return smallest;
}

/** The same of a text, by its code units; what fails may say so later. */
export async function shrinkText(
  input: string,
  isFailing: (input: string) => Promise<boolean>,
  maxTries = 5000,
): Promise<string> {
  let smallest = input;
  let tries = 0;
  for (let size = smallest.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from < smallest.length && tries < maxTries; tries++) {
      const shorter = smallest.slice(0, from) + smallest.slice(from + size);
      if (await isFailing(shorter)) smallest = shorter;
      else from += size;
    }
  }
  return smallest;
}
