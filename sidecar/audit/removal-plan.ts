// What a removal may take: whole segments that are old enough, and that every destination has. Reads only.
import type { Queries } from './database.ts';

export type RemovalOptions = {
  /** Only rows that started before, in microseconds since the epoch. */
  readonly beforeUs: number;
  /** Destinations that are configured, beside those that the store knows. */
  readonly destinations?: readonly string[];
  /** Destinations that need not have the rows: the names, or all of them. */
  readonly notWaitingFor?: readonly string[] | 'all';
};

export type RemovalPlan = {
  readonly beforeUs: number;
  /** The last row to be removed; 0 when there is none. */
  readonly upTo: number;
  /** How many rows that are. */
  readonly rows: number;
  /** Destinations without which more could be removed, and the last row that each has. */
  readonly heldBy: readonly Holder[];
  /** The last row that is old enough, when somebody holds it. */
  readonly couldBeUpTo: number;
  /** Destinations that nobody waits for, and that don't have all of it; the event names them. */
  readonly lacking?: readonly Holder[];
};

export type Holder = { readonly destination: string; readonly has: number };

/** Returns what may be removed of a chain now. */
export async function planRemoval(
  queries: Pick<Queries, 'all'>,
  chain: string,
  options: RemovalOptions,
): Promise<RemovalPlan> {
  const { beforeUs } = options;
  const start = await startOf(queries, chain);
  const young = await firstFrom(queries, chain, beforeUs);
  const couldBeUpTo = await lastHead(queries, chain, young - 1);
  const all = (await holdersOf(queries, chain, options)).filter(({ has }) => has < couldBeUpTo);
  const { notWaitingFor = [] } = options;
  const isWaitedFor = ({ destination }: Holder) =>
    notWaitingFor !== 'all' && !notWaitingFor.includes(destination);
  const heldBy = all.filter(isWaitedFor);
  const least = Math.min(couldBeUpTo, ...heldBy.map(({ has }) => has));
  const upTo = least === couldBeUpTo ? couldBeUpTo : await lastHead(queries, chain, least);
  const lacking = all.filter((each) => !isWaitedFor(each));
  return { beforeUs, upTo, rows: Math.max(0, upTo - start), heldBy, couldBeUpTo, lacking };
}

/** Returns the last row that was removed; 0 when none was. */
export async function startOf(queries: Pick<Queries, 'all'>, chain: string): Promise<number> {
  const [stub] = await queries.all('SELECT sequence FROM stubs WHERE chain = ?', [chain]);
  return Number(stub?.['sequence'] ?? 0);
}

// The `+` keeps the databases from sorting all younger rows by their time first.
async function firstFrom(
  queries: Pick<Queries, 'all'>,
  chain: string,
  fromUs: number,
): Promise<number> {
  const sql =
    'SELECT sequence FROM audit_rows WHERE chain = ? AND +started_at_us >= ? ORDER BY sequence LIMIT 1';
  const [found] = await queries.all(sql, [chain, fromUs]);
  return Number(found?.['sequence'] ?? Infinity);
}

/**
 * Returns the last signed head up to a row, 0 when there is none. One whose row has another hash doesn't
 * count: there, something has to be found out first.
 */
export async function lastHead(
  queries: Pick<Queries, 'all'>,
  chain: string,
  upTo: number,
): Promise<number> {
  const sql =
    'SELECT heads.sequence FROM heads JOIN audit_rows ON audit_rows.chain = heads.chain ' +
    'AND audit_rows.sequence = heads.sequence AND audit_rows.hash = heads.hash ' +
    'WHERE heads.chain = ? AND heads.sequence <= ? ORDER BY heads.sequence DESC LIMIT 1';
  const [found] = await queries.all(sql, [chain, Math.min(upTo, Number.MAX_SAFE_INTEGER)]);
  return Number(found?.['sequence'] ?? 0);
}

async function holdersOf(
  queries: Pick<Queries, 'all'>,
  chain: string,
  { destinations = [] }: RemovalOptions,
): Promise<readonly Holder[]> {
  const sql = 'SELECT destination, sequence FROM cursors WHERE chain = ? ORDER BY destination';
  const has = new Map(destinations.map((name) => [name, 0]));
  for (const { destination, sequence } of await queries.all(sql, [chain])) {
    has.set(String(destination), Number(sequence));
  }
  return [...has].map(([destination, last]) => ({ destination, has: last }));
}
