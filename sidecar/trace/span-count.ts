// How many spans a row makes, without making them: what a budget is charged, row by row.
import type { RequestRow } from '../audit/row.ts';
import { worthOf } from './worth.ts';

/** Returns what counts the spans that `createSpansOf(slowUs)` makes of a row. */
export function createSpanCount(slowUs: number): (row: RequestRow) => number {
  return (row) => {
    if (row.sampled) return 1 + Number(row.gate !== undefined) + Number(row.upstream !== undefined);
    const worth = worthOf(row, slowUs);
    return worth === 'error' || worth === 'slow' ? 1 : 0;
  };
}
