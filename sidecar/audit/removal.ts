// The removal of old rows as the recorder does it: over its own connection, in acts so small that a batch of
// lines waits for none of them. When that is done, and how long rows are kept, is in retention.ts.
import { cursorsOf } from './cursors.ts';
import type { Database, Queries } from './database.ts';
import { heldUp, type HoldUp } from './removal-held.ts';
import { lastHead, startOf, type Holder, type RemovalPlan } from './removal-plan.ts';
import { removeSlice, type Removed, type RemoveOptions } from './remove.ts';

/** How far rows are older than a time: all of them up to here; and whether what follows is not, or not there. */
export type Aged = { readonly upTo: number; readonly isEnd: boolean };

/** The two times that count, by the rows that are older. */
export type Ages = {
  /** All rows up to here are old enough, and all up to there have waited long enough, too. */
  readonly oldUpTo: number;
  readonly overdueUpTo: number;
  /** Of `oldUpTo`, in microseconds since the epoch: for the event. */
  readonly beforeUs: number;
};

/** All of it may reject with store faults. */
export type Removal = {
  /** Returns the last row that was removed; 0 when none was. */
  start(): Promise<number>;
  /** Looks at up to `rows` rows behind `after`, whether they began before a time. */
  age(after: number, beforeUs: number, rows: number): Promise<Aged>;
  /** Returns when the first row behind a sequence began, in microseconds since the epoch. */
  beganUs(after: number): Promise<number | undefined>;
  /** Returns the row behind `after` that holds up those after it, which began before a time. */
  heldUp(after: number, beforeUs: number): Promise<HoldUp | undefined>;
  /** Returns when the newest row began. */
  newestUs(): Promise<number | undefined>;
  /** Returns what may go: what these destinations have, and what has waited long enough for them. */
  plan(ages: Ages, destinations: readonly string[]): Promise<RemovalPlan>;
  /**
   * Of more lines set aside than `most`, takes up to `lines` away; returns how many. Which ones is left to
   * chance, by their hashes: nothing says when they came.
   */
  trimSetAside(most: number, lines: number): Promise<number>;
  /** Removes the next rows of a plan. */
  slice(plan: RemovalPlan, options: RemoveOptions): Promise<Removed>;
};

/** Returns the removal of one chain. */
export function createRemoval(database: Database, chain: string): Removal {
  return {
    start: () => startOf(database, chain),
    age: (after, beforeUs, rows) => age(database, chain, { after, beforeUs, rows }),
    beganUs: (after) => beganUs(database, chain, after),
    heldUp: (after, beforeUs) => heldUp(database, chain, after, beforeUs),
    newestUs: () => newestUs(database, chain),
    plan: (ages, destinations) => planOf(database, chain, ages, destinations),
    trimSetAside: (most, lines) => trimSetAside(database, chain, most, lines),
    slice: (plan, options) => removeSlice(database, chain, plan, options),
  };
}

type Reader = Pick<Queries, 'all'>;

const NEXT = 'FROM audit_rows WHERE chain = ? AND sequence > ? ORDER BY sequence LIMIT 1';
// The `+` keeps the databases from looking for young rows by the index on their times.
const FIRST_YOUNG =
  'SELECT sequence FROM audit_rows WHERE chain = ? AND sequence > ? AND sequence <= ? ' +
  'AND +started_at_us >= ? ORDER BY sequence LIMIT 1';

type Page = { readonly after: number; readonly beforeUs: number; readonly rows: number };

async function age(reader: Reader, chain: string, page: Page): Promise<Aged> {
  const { after, beforeUs, rows } = page;
  // Where rows are missing, the page begins behind them.
  const [next] = await reader.all(`SELECT sequence ${NEXT}`, [chain, after]);
  if (next === undefined) return { upTo: after, isEnd: true };
  const from = Number(next['sequence']) - 1;
  const [young] = await reader.all(FIRST_YOUNG, [chain, from, from + rows, beforeUs]);
  if (young === undefined)
    return { upTo: await lastUpTo(reader, chain, from + rows), isEnd: false };
  return { upTo: Number(young['sequence']) - 1, isEnd: true };
}

async function lastUpTo(reader: Reader, chain: string, upTo: number): Promise<number> {
  const sql =
    'SELECT sequence FROM audit_rows WHERE chain = ? AND sequence <= ? ORDER BY sequence DESC LIMIT 1';
  const [found] = await reader.all(sql, [chain, upTo]);
  return Number(found?.['sequence'] ?? 0);
}

async function beganUs(reader: Reader, chain: string, after: number): Promise<number | undefined> {
  const [found] = await reader.all(`SELECT started_at_us ${NEXT}`, [chain, after]);
  return found === undefined ? undefined : Number(found['started_at_us']);
}

async function newestUs(reader: Reader, chain: string): Promise<number | undefined> {
  const sql = 'SELECT started_at_us FROM audit_rows WHERE chain = ? ORDER BY sequence DESC LIMIT 1';
  const [found] = await reader.all(sql, [chain]);
  return found === undefined ? undefined : Number(found['started_at_us']);
}

async function trimSetAside(
  database: Pick<Database, 'all' | 'run'>,
  chain: string,
  most: number,
  lines: number,
): Promise<number> {
  const beyond = 'SELECT hash FROM set_aside WHERE chain = ? ORDER BY hash LIMIT 1 OFFSET ?';
  if ((await database.all(beyond, [chain, most])).length === 0) return 0;
  const sql =
    'DELETE FROM set_aside WHERE chain = ? AND hash IN ' +
    '(SELECT hash FROM set_aside WHERE chain = ? ORDER BY hash LIMIT ?)';
  return database.run(sql, [chain, chain, lines]);
}

async function planOf(
  reader: Reader,
  chain: string,
  { oldUpTo, overdueUpTo, beforeUs }: Ages,
  destinations: readonly string[],
): Promise<RemovalPlan> {
  const start = await startOf(reader, chain);
  const couldBeUpTo = await lastHead(reader, chain, oldUpTo);
  const mustUpTo = await lastHead(reader, chain, overdueUpTo);
  const holders = await holdersOf(reader, chain, destinations);
  const behind = holders.filter(({ has }) => has < couldBeUpTo);
  const least = Math.min(...behind.map(({ has }) => has));
  const allHave = behind.length === 0 ? couldBeUpTo : await lastHead(reader, chain, least);
  const upTo = Math.max(start, allHave, mustUpTo);
  const lacking = behind.filter(({ has }) => has < upTo);
  const heldBy = upTo < couldBeUpTo ? behind : [];
  return { beforeUs, upTo, rows: upTo - start, heldBy, couldBeUpTo, lacking };
}

// Only those that are configured: one that was taken away has nobody who would send to it.
async function holdersOf(
  reader: Reader,
  chain: string,
  destinations: readonly string[],
): Promise<readonly Holder[]> {
  const has = await cursorsOf(reader, chain);
  return destinations.map((destination) => ({ destination, has: has.get(destination) ?? 0 }));
}
