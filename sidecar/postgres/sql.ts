// SQL as the client takes it, and values as the server sends them. Pure.

/** A value that comes back. Whole numbers within ±2^53; bytes for hashes and keys. */
export type Column = string | number | null | Uint8Array;

/** A row as the database holds it, by column. */
export type Columns = Record<string, Column>;

/** A value that is sent: one of a column, or many of them for `unnest`. */
export type Value = Column | readonly string[] | readonly number[];

/** A statement as the client takes it; one with a name is prepared once for each connection. */
export type Statement = { readonly text: string; readonly name?: string };

/** So many statements are prepared; the server keeps them, so it must not be one for each search. */
const MAX_PREPARED = 128;

/** Returns a function that returns the statement for an SQL text with `?`. */
export function createStatements(): (sql: string) => Statement {
  const known = new Map<string, Statement>();
  return (sql) => {
    const statement = known.get(sql);
    if (statement !== undefined) return statement;
    if (known.size === MAX_PREPARED) return { text: numbered(sql) };
    const fresh = { text: numbered(sql), name: `signet_${known.size + 1}` };
    known.set(sql, fresh);
    return fresh;
  };
}

/** Returns SQL whose `?` are PostgreSQL's `$1`, `$2` …; those in quotes and comments stay. */
export function numbered(sql: string): string {
  let number = 0;
  return sql.replaceAll(QUOTED_OR_MARK, (found) => (found === '?' ? `$${++number}` : found));
}

const QUOTED_OR_MARK = /'[^']*'|"[^"]*"|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g;

/** Returns what makes a value of the text that PostgreSQL sends for one of this type. */
export function parserOf(type: number): (text: string) => Column {
  switch (type) {
    case TYPE.int2:
    case TYPE.int4:
    case TYPE.int8:
    case TYPE.oid:
    case TYPE.float4:
    case TYPE.float8:
    case TYPE.numeric: // what sum() and avg() of whole numbers are
      return toNumber;
    case TYPE.bool:
      return (text) => (text === 't' ? 1 : 0); // SQLite's truth
    case TYPE.bytea:
      return toBytes;
    default:
      return (text) => text;
  }
}

/** Numbers of types: PostgreSQL's `pg_type.dat`. */
const TYPE = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  float4: 700,
  float8: 701,
  numeric: 1700,
} as const;

function toNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new Error(`${text} is beyond the whole numbers that can be told apart (2^53 - 1)`);
  }
  return value;
}

// `bytea_output` may be the older `escape`, where only what isn't printable is written as \ooo.
function toBytes(text: string): Uint8Array {
  if (text.startsWith('\\x')) return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
  const unescaped = text.replaceAll(/\\(\\|[0-7]{3})/g, (_, code: string) =>
    code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 8)),
  );
  return new Uint8Array(Buffer.from(unescaped, 'latin1'));
}
