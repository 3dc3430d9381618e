// Whether an SQLite store is built as Signet builds it: a trigger could drop rows as they come in, and an
// index that lacks rows hides them from whoever looks for them. It reads; nothing is mended.
import { DatabaseSync } from 'node:sqlite';
import type { Problem } from './database.ts';
import { schemaSql, sqliteDialect } from './schema.ts';

type Part = { readonly type: string; readonly name: string; readonly sql: string };

/** Messages of SQLite's own check that are kept. */
const MAX_MESSAGES = 20;

/** Returns the names of the triggers; a sound store has none. */
export function triggersOf(database: DatabaseSync): string[] {
  const sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger' ORDER BY name";
  return database
    .prepare(sql)
    .all()
    .map(({ name }) => String(name));
}

/** Returns what is not as Signet makes it. */
export function examineSqlite(database: DatabaseSync): readonly Problem[] {
  const there = partsOf(database);
  const chain = chainOf(there);
  return [
    ...differences(there, expectedParts(chain)),
    ...strangers(database, chain),
    ...inconsistencies(database),
  ];
}

// What ANALYZE leaves is no harm: by it SQLite chooses a way, and comes to the same rows.
function partsOf(database: DatabaseSync): Part[] {
  const sql =
    "SELECT type, name, coalesce(sql, '') AS sql FROM sqlite_schema " +
    "WHERE NOT (type = 'table' AND name IN ('sqlite_stat1', 'sqlite_stat4')) ORDER BY type, name";
  return database
    .prepare(sql)
    .all()
    .map(({ type, name, sql: text }) => ({
      type: String(type),
      name: String(name),
      sql: String(text),
    }));
}

// By the tables themselves: nothing else says it in a store without rows.
function chainOf(parts: readonly Part[]): string {
  const rows = parts.find(({ type, name }) => type === 'table' && name === 'audit_rows');
  const [, quoted = ''] = /GENERATED ALWAYS AS \('((?:[^']|'')*)'\)/.exec(rows?.sql ?? '') ?? [];
  return quoted.replaceAll("''", "'");
}

function expectedParts(chain: string): Part[] {
  const model = new DatabaseSync(':memory:');
  try {
    for (const statement of schemaSql(sqliteDialect(chain))) model.exec(statement);
    return partsOf(model);
  } finally {
    model.close();
  }
}

function differences(there: readonly Part[], expected: readonly Part[]): Problem[] {
  const problems: Problem[] = [];
  const left = [...there];
  for (const { type, name, sql } of expected) {
    const at = left.findIndex((part) => part.type === type && part.name === name);
    const [found] = at < 0 ? [] : left.splice(at, 1);
    const what = `The ${type} ${name} is`;
    if (found === undefined) problems.push(problem(type, `${what} missing.`));
    else if (found.sql !== sql) problems.push(problem(type, `${what} not as Signet makes it.`));
  }
  for (const { type, name } of left) {
    problems.push(problem(type, `There is a ${type} ${name}, which Signet never makes.`));
  }
  return problems;
}

function problem(type: string, text: string): Problem {
  return { kind: type === 'index' ? 'index' : 'schema', text };
}

const TABLES = ['persons', 'heads', 'stubs', 'notes', 'boots', 'gaps', 'cursors'] as const;

// A file holds one chain: what is under the name of another is not seen, and none of Signet's.
function strangers(database: DatabaseSync, chain: string): Problem[] {
  return TABLES.filter(
    (table) =>
      database.prepare(`SELECT 1 FROM ${table} WHERE chain <> ? LIMIT 1`).get(chain) !== undefined,
  ).map((table) => ({
    kind: 'schema',
    text: `The table ${table} holds something of another chain than ${chain}, the store's own.`,
  }));
}

function inconsistencies(database: DatabaseSync): Problem[] {
  const rows = database.prepare(`PRAGMA integrity_check(${MAX_MESSAGES})`).all();
  const messages = rows.map((row) => String(Object.values(row)[0])).filter((text) => text !== 'ok');
  return messages.map((text) => ({
    kind: /\bindex\b/.test(text) ? 'index' : 'schema',
    text: `SQLite finds in the file: ${text}.`,
  }));
}
