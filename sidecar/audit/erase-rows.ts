// Erases the personal values of one person's rows, and leaves the commitments to them in their place.
import type { KeyObject } from 'node:crypto';
import { commitmentOf } from './chain.ts';
import type { Queries, Value } from './database.ts';
import { PERSONAL_COLUMNS } from './schema.ts';

export type KeyedPerson = {
  readonly person: number;
  readonly user: string;
  readonly key: KeyObject;
};

/** Rows that are read at once. */
const PAGE_ROWS = 1_000;
/** Rows of one statement: with a server each one is a way there and back. */
const STATEMENT_ROWS = 100;

const PERSONAL = PERSONAL_COLUMNS.map((name) => `"${name}"`);

// By the user and the time, on whom there is an index. A row that was erased has no user any more.
const PAGE =
  `SELECT sequence, request_id, started_at_us, ${PERSONAL.join(', ')} FROM audit_rows ` +
  'WHERE chain = ? AND "user" = ? AND started_at_us >= ? AND person = ? ' +
  `ORDER BY started_at_us LIMIT ${PAGE_ROWS}`;

/** Returns how many rows they were. Call it within a transaction. */
export async function eraseRows(
  queries: Queries,
  chain: string,
  { person, user, key }: KeyedPerson,
): Promise<number> {
  let erased = 0;
  for (let fromUs = Number.MIN_SAFE_INTEGER; ;) {
    const rows = await queries.all(PAGE, [chain, user, fromUs, person]);
    if (rows.length === 0) return erased;
    fromUs = Number(rows.at(-1)?.['started_at_us']);
    const commitments = rows.map((row) => ({
      sequence: Number(row['sequence']),
      commitment: commitmentOf(row, key),
    }));
    for (let from = 0; from < rows.length; from += STATEMENT_ROWS) {
      await replaceAll(queries, chain, commitments.slice(from, from + STATEMENT_ROWS));
    }
    erased += rows.length;
  }
}

type Commitment = { readonly sequence: number; readonly commitment: Uint8Array };

// The first WHEN is never true: it tells PostgreSQL of what type the values are.
function statementFor(count: number): string {
  const cases = ' WHEN ? THEN ?'.repeat(count);
  const marks = Array.from({ length: count }, () => '?').join(', ');
  return (
    `UPDATE audit_rows SET commitment = CASE sequence WHEN 0 THEN commitment${cases} END, ` +
    `${PERSONAL.map((name) => `${name} = NULL`).join(', ')} ` +
    `WHERE chain = ? AND sequence IN (${marks})`
  );
}

async function replaceAll(
  queries: Queries,
  chain: string,
  some: readonly Commitment[],
): Promise<void> {
  const cases: Value[] = some.flatMap(({ sequence, commitment }) => [sequence, commitment]);
  const sequences = some.map(({ sequence }) => sequence);
  await queries.run(statementFor(some.length), [...cases, chain, ...sequences]);
}
