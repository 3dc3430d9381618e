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
  /** What it deployed; absent where that is everything. */
  readonly routes?: readonly string[];
  /** Microseconds since the epoch. */
  readonly atUs: number;
};

/** What marking came to. */
export type Marked =
  | { readonly kind: 'marked'; readonly mark: Mark }
  /** It is there already: a pipeline tries again. */
  | { readonly kind: 'known'; readonly mark: Mark; readonly next?: Mark }
  /** Another deployment has this id: one of other routes, or one that another followed long ago. */
  | { readonly kind: 'taken'; readonly mark: Mark; readonly next?: Mark };

/** So long after it a mark may be tried again, though another has followed. */
export const RETRY_US = 3_600_000_000;

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

/** Returns whether a text can be a route of a mark: a comma divides them. */
export function isRouteName(text: string): boolean {
  return text !== '' && !text.includes(',') && isNote(text);
}

/** Returns whether two deployments, or what is asked for, have a route in common; none means all. */
export function shareRoutes(one?: readonly string[], other?: readonly string[]): boolean {
  return one === undefined || other === undefined || one.some((route) => other.includes(route));
}

/** Returns whether a text can be a note: one line, without what a terminal would obey. */
export function isNote(text: string): boolean {
  return text.length <= MAX_NOTE_CHARS && !/\p{C}|\p{Zl}|\p{Zp}/u.test(text);
}

/** Returns all marks of a store, by their times. */
export async function marksIn(queries: Pick<Queries, 'all'>): Promise<readonly Mark[]> {
  const found = await queries.all(MARKS, []);
  return found.map(({ details, started_at_us: atUs }) =>
    markOf(JSON.parse(String(details)) as Details, Number(atUs)),
  );
}

type Details = { readonly id: string; readonly note?: string; readonly routes?: string };

function markOf({ id, note, routes }: Details, atUs: number): Mark {
  return {
    id,
    ...(note !== undefined && { note }),
    ...(routes !== undefined && { routes: routes.split(',') }),
    atUs,
  };
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
    const at = marks.findIndex(({ id }) => id === mark.id);
    const known = marks[at];
    if (known !== undefined) return again(known, mark, marks.slice(at + 1), nowUs);
    await createAppend(chain).rows(queries, [eventOf(mark, nowUs)]);
    return { kind: 'marked', mark };
  };
  // Durable: what was said to be marked must be there after a power cut, too.
  return database.transaction(work, { isDurable: true });
}

// A retry comes soon, and a new deployment under an old id late: to take that for a retry would judge it
// by the traffic of then.
function again(known: Mark, mark: Mark, later: readonly Mark[], nowUs: number): Marked {
  const next = later.find(({ routes }) => shareRoutes(routes, known.routes));
  const isSame = routesText(known) === routesText(mark);
  const isRetry = next === undefined || known.atUs === mark.atUs || nowUs - known.atUs <= RETRY_US;
  const found = { mark: known, ...(next !== undefined && { next }) };
  return { kind: isSame && isRetry ? 'known' : 'taken', ...found };
}

function routesText({ routes }: Mark): string | undefined {
  return routes?.toSorted().join(',');
}

// Of the store, not of a chain: several sidecars before one app share a database and its marks.
function eventOf(mark: Mark, nowUs: number): EventRow {
  const { id, note, atUs } = mark;
  const routes = routesText(mark);
  return {
    kind: 'event',
    requestId: `deployment-marked:${id}`,
    event: 'deployment-marked',
    details: {
      id,
      ...(note !== undefined && { note }),
      ...(routes !== undefined && { routes }),
      ...(atUs !== nowUs && { recordedAt: isoTime(nowUs) }),
    },
    startedAtUs: atUs,
  };
}
