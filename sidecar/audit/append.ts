// Adds rows to the end of a chain: each once, each with the hash that holds it in its place. What is
// hashed, and how, is in chain.ts.
import { genesisOf, hashOfNew } from './chain.ts';
import { toColumns, type RowColumns } from './columns.ts';
import type { Queries, Value } from './database.ts';
import { createPersons } from './persons.ts';
import type { Row } from './row.ts';
import { ROW_COLUMNS } from './schema.ts';

/** The end of a chain. Sequence 0 and the chain's own hash where there never was a row. */
export type Last = { readonly sequence: number; readonly hash: Uint8Array };

/** A row that is new, and what is stored of it: by column, and in the order of ROW_COLUMNS. */
export type Added = New & { readonly values: readonly Value[] };

type New = { readonly row: Row; readonly columns: RowColumns };

export type Append = {
  /** Returns those of the rows that are new, in their order; they are in the store then. */
  rows(queries: Queries, rows: readonly Row[]): Promise<readonly Added[]>;
  /** A transaction was undone. */
  forget(): void;
};

const HASH_AT = ROW_COLUMNS.indexOf('hash');

/** Returns what appends to one chain. Call it within a transaction. */
export function createAppend(chain: string): Append {
  const persons = createPersons(chain);

  async function rows(queries: Queries, given: readonly Row[]): Promise<readonly Added[]> {
    if (given.length === 0) return [];
    await persons.refresh(queries);
    const fresh = await newOnes(queries, given);
    let { sequence, hash } = await lastOf(queries, chain);
    const added: Added[] = [];
    for (const { row, columns } of fresh) {
      const { person, key } = persons.known(columns) ?? (await persons.of(queries, columns));
      columns.sequence = sequence += 1;
      columns.person = person;
      const values = Object.values(columns);
      columns.hash = values[HASH_AT] = hash = hashOfNew(hash, chain, values, key);
      added.push({ row, columns, values });
    }
    await queries.insert(
      'audit_rows',
      ROW_COLUMNS,
      added.map(({ values }) => values),
    );
    return added;
  }

  return { rows, forget: () => persons.forget() };
}

/** Returns the end of the chain: its last row, or where everything up to there was removed, the stub. */
export async function lastOf(queries: Queries, chain: string): Promise<Last> {
  const rowSql =
    'SELECT sequence, hash FROM audit_rows WHERE chain = ? ORDER BY sequence DESC LIMIT 1';
  const stubSql = 'SELECT sequence, hash FROM stubs WHERE chain = ?';
  const [found] = await queries.all(rowSql, [chain]);
  const last = found ?? (await queries.all(stubSql, [chain]))[0];
  if (last === undefined) return { sequence: 0, hash: genesisOf(chain) };
  return { sequence: Number(last['sequence']), hash: last['hash'] as Uint8Array };
}

/** Returns which of these ids have a row. */
export async function knownIds(
  queries: Queries,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for (let from = 0; from < ids.length; from += MAX_ASKED) {
    const some = padded(ids.slice(from, from + MAX_ASKED));
    const marks = some.map(() => '?').join(', ');
    const sql = `SELECT request_id FROM audit_rows WHERE request_id IN (${marks})`;
    for (const { request_id: id } of await queries.all(sql, some)) known.add(String(id));
  }
  return known;
}

// By the id as it is stored: what can't be stored is not what tells two rows apart.
async function newOnes(queries: Queries, rows: readonly Row[]): Promise<readonly New[]> {
  const all = rows.map((row) => ({ row, columns: toColumns(row) }));
  const idOf = ({ columns }: New) => String(columns.request_id);
  const seen = new Set(await knownIds(queries, all.map(idOf)));
  return all.filter((each) => !seen.has(idOf(each)) && seen.add(idOf(each)));
}

/** Ids that are asked for at once. */
const MAX_ASKED = 512;

// To a power of two, so that there are ten statements to prepare, and not one for each number.
function padded(ids: readonly string[]): string[] {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, ids.length)));
  return [...ids, ...Array.from({ length: size - ids.length }, () => ids[0] ?? '')];
}
