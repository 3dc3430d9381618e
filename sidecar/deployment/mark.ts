// A mark: the moment at which another version of what stands behind Caddy took over. An event in the
// chain like any other, so that it can't be moved afterwards. What is made of marks is in verdict.ts.
import { createAppend } from '../audit/append.ts';
import type { Database, Queries } from '../audit/database.ts';
import { isoTime } from '../audit/format-text.ts';
import type { EventRow } from '../audit/row.ts';

export type Mark = {
  /** Unique in a store. */
  readonly id: string;
  readonly note?: string;
  /** Microseconds since the epoch. */
  readonly atUs: number;
};

/** What marking came to. */
export type Marked =
  | { readonly kind: 'marked'; readonly mark: Mark }
  /** It is there already, and the newest or at this very time: a pipeline tries again. */
  | { readonly kind: 'known'; readonly mark: Mark }
  /** An earlier deployment has this id; it was followed by another. */
  | { readonly kind: 'taken'; readonly mark: Mark; readonly newest: Mark };

export const MAX_ID_CHARS = 128;
export const MAX_NOTE_CHARS = 500;

/** What `isMarkId` takes, in words. */
export const MARK_IDS = `1 to ${MAX_ID_CHARS} printable ASCII characters without a space`;

const MARKS =
  "SELECT details, started_at_us FROM audit_rows WHERE event IS NOT NULL AND event = 'deployment-marked' " +
  'ORDER BY started_at_us, sequence';

/** Returns whether a text can name a deployment. */
export function isMarkId(text: string): boolean {
  return text.length <= MAX_ID_CHARS && /^[!-~]+$/.test(text);
}

/** Returns whether a text can be a note: one line, without what a terminal would obey. */
export function isNote(text: string): boolean {
  return text.length <= MAX_NOTE_CHARS && !/\p{C}|\p{Zl}|\p{Zp}/u.test(text);
}

/** Returns all marks of a store, by their times. */
export async function marksIn(queries: Pick<Queries, 'all'>): Promise<readonly Mark[]> {
  const found = await queries.all(MARKS, []);
  return found.map(({ details, started_at_us: atUs }) => {
    const { id, note } = JSON.parse(String(details)) as Pick<Mark, 'id' | 'note'>;
    return { id, ...(note !== undefined && { note }), atUs: Number(atUs) };
  });
}

/** Puts a mark into a chain, once, beside a recorder that writes or without one. */
export async function recordMark(
  database: Database,
  chain: string,
  mark: Mark,
  nowUs: number,
): Promise<Marked> {
  const work = async (queries: Queries): Promise<Marked> => {
    const marks = await marksIn(queries);
    const known = marks.find(({ id }) => id === mark.id);
    const newest = marks.at(-1);
    if (known !== undefined && newest !== undefined) {
      return known === newest || known.atUs === mark.atUs
        ? { kind: 'known', mark: known }
        : { kind: 'taken', mark: known, newest };
    }
    await createAppend(chain).rows(queries, [eventOf(mark, nowUs)]);
    return { kind: 'marked', mark };
  };
  // Durable: what was said to be marked must be there after a power cut, too.
  return database.transaction(work, { isDurable: true });
}

// Of the store, not of a chain: several sidecars before one app share a database and its marks.
function eventOf({ id, note, atUs }: Mark, nowUs: number): EventRow {
  return {
    kind: 'event',
    requestId: `deployment-marked:${id}`,
    event: 'deployment-marked',
    details: {
      id,
      ...(note !== undefined && { note }),
      ...(atUs !== nowUs && { recordedAt: isoTime(nowUs) }),
    },
    startedAtUs: atUs,
  };
}
