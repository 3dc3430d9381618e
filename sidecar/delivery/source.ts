// Where a delivery takes its rows from: the store, page by page. What a budget chooses of them is in
// budgeted-source.ts.
import type { StoredRow } from '../audit/row.ts';
import type { Outbox } from './outbox.ts';

/** Rows of one page: some 1,500 spans. What is too long for one request is divided (see flight.ts). */
export const PAGE_ROWS = 500;

/** Some rows on their way to a destination. */
export type Parcel = {
  /** Those to be sent, in the order of the store; none where all were left out. */
  readonly rows: readonly StoredRow[];
  /** The store's mark before they were read; nothing where that isn't known of all of them. */
  readonly mark?: string | undefined;
  /** With this parcel all rows up to this sequence are dealt with; several may have the same. */
  readonly upTo: number;
  /** How many spans were left out on the way here, by reason. */
  readonly leftOut?: Readonly<Record<string, number>>;
  /** Nothing is behind it for now: it is worth while to let more gather before the next. */
  readonly isLast?: boolean;
};

export type Source = {
  /** Returns the next rows, after those returned before; undefined when there are none for now. */
  next(): Promise<Parcel | undefined>;
  /** Whether rows are held that will be given later without new ones coming: ask again after a pause. */
  isHolding?(): boolean;
};

export type SourceOptions = {
  /** The last sequence that is dealt with already. */
  readonly after: number;
  /** Which rows are sent; the others only move the cursor. By default all. */
  readonly isWanted?: (row: StoredRow) => boolean;
  readonly pageRows?: number;
};

/** Returns the source that leaves nothing out but what isn't wanted. A fault of the store skips nothing. */
export function createSource(
  outbox: Pick<Outbox, 'rowsAfter' | 'mark'>,
  { after, isWanted = () => true, pageRows = PAGE_ROWS }: SourceOptions,
): Source {
  let at = after;

  async function next(): Promise<Parcel | undefined> {
    const mark = await outbox.mark();
    const rows = await outbox.rowsAfter(at, pageRows);
    const last = rows.at(-1);
    if (last === undefined) return undefined;
    at = last.sequence;
    return { rows: rows.filter(isWanted), mark, upTo: at, isLast: rows.length < pageRows };
  }

  return { next };
}
