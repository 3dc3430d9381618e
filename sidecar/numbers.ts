// The numbers of a boot's decisions: without gaps, so that one whose line is lost can be told later.

/** Request ids of at least how many past decisions are remembered. */
export const MAX_RECENT = 4096;

/** A decision's number, from 1, and the number of the earlier one that it takes the place of. */
export type Numbered = { readonly number: number; readonly supersedes?: number };

/** Gives the decision about a request its number. */
export type Numbers = (requestId: string) => Numbered;

/**
 * Returns a function that gives each decision its number. Caddy's HTTP client asks again when a
 * kept-alive connection breaks in mid-decision: one request, two decisions, and the later stamp,
 * the only one that reaches the log, says which number it supersedes.
 */
export function createNumbers(): Numbers {
  let number = 0;
  let recent = new Map<string, number>();
  let older = new Map<string, number>();
  return (requestId) => {
    number += 1;
    const supersedes = recent.get(requestId) ?? older.get(requestId);
    if (recent.size === MAX_RECENT) {
      older = recent;
      recent = new Map();
    }
    recent.set(requestId, number);
    return supersedes === undefined ? { number } : { number, supersedes };
  };
}
