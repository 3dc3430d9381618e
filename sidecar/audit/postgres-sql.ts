// What `Database` says, in the terms of PostgreSQL: what only reads, and how many rows are inserted. Pure.
import type { Value } from './database.ts';

/** Whether a statement surely changes nothing. In doubt it does: that costs only a lock. */
export function isReading(sql: string): boolean {
  return (
    /^\s*(?:select|with)\b/i.test(sql) && !/\b(?:insert|update|delete|merge|into)\b/i.test(sql)
  );
}

/**
 * Returns the one statement that inserts any number of rows, which are its only value. A list of
 * VALUES would be a new statement for each number of rows, takes twice as long, and ends at 65,535
 * values; the types here are the table's own.
 */
export function insertSql(table: string, columns: readonly string[]): string {
  const names = columns.map((name) => `"${name}"`).join(', ');
  return `INSERT INTO "${table}" (${names}) SELECT ${names} FROM json_populate_recordset(NULL::"${table}", ?)`;
}

/** Returns the value for `insertSql`. */
export function rowsAsJson(
  columns: readonly string[],
  rows: readonly (readonly Value[])[],
): string {
  return JSON.stringify(
    rows.map((row) => Object.fromEntries(row.map((value, at) => [columns[at], asJson(value)]))),
  );
}

function asJson(value: Value): string | number | null {
  if (!(value instanceof Uint8Array)) return value;
  const { buffer, byteOffset, byteLength } = value;
  return `\\x${Buffer.from(buffer, byteOffset, byteLength).toString('hex')}`;
}
