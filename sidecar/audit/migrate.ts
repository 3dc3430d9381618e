// Brings an SQLite store of an older version forward, whole or not at all: rows of version 1 had no
// chain, and get one in the order in which they were stored.
import { createSecretKey, randomBytes, randomUUID, type KeyObject } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { commitmentOf, genesisOf, rowHash } from './chain.ts';
import type { Columns, Value } from './database.ts';
import { ROW_COLUMNS, SCHEMA_VERSION, schemaSql, sqliteDialect } from './schema.ts';

const KEY_BYTES = 32;

/** Tables of version 1 that come back with other columns. */
const REPLACED = ['audit_rows', 'set_aside', 'log_checkpoint', 'cursors'] as const;

const COPIES = [
  'INSERT INTO set_aside (hash, reason, head, bytes) SELECT hash, reason, head, bytes FROM old_set_aside',
  'INSERT INTO log_checkpoint (checkpoint) SELECT checkpoint FROM old_log_checkpoint',
  'INSERT INTO cursors (destination, sequence) SELECT destination, sequence FROM old_cursors',
  // Numbers below the highest were not accounted for then: they are not called lost now.
  'INSERT INTO boots (boot_id, highest) SELECT gate_boot_id, max(gate_number) FROM old_audit_rows ' +
    'WHERE gate_boot_id IS NOT NULL GROUP BY gate_boot_id',
];

/** Makes a store of version 1 one of the present version. */
export function migrate(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const table of REPLACED) database.exec(`ALTER TABLE ${table} RENAME TO old_${table}`);
    for (const name of ['user', 'time', 'trace']) database.exec(`DROP INDEX audit_rows_by_${name}`);
    const chain = randomUUID();
    for (const statement of schemaSql(sqliteDialect(chain))) database.exec(statement);
    chainRows(database, chain);
    for (const statement of COPIES) database.exec(statement);
    for (const table of REPLACED) database.exec(`DROP TABLE old_${table}`);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function chainRows(database: DatabaseSync, chain: string): void {
  const insert = database.prepare(
    `INSERT INTO audit_rows (${ROW_COLUMNS.map((name) => `"${name}"`).join(', ')}) ` +
      `VALUES (${ROW_COLUMNS.map(() => '?').join(', ')})`,
  );
  const personOf = createPersons(database);
  let previous: Uint8Array = genesisOf(chain);
  let sequence = 0;
  for (const old of database.prepare('SELECT * FROM old_audit_rows ORDER BY sequence').iterate()) {
    const { person, key } = personOf(old as Columns);
    sequence += 1;
    const columns: Columns = { ...NEW, ...withoutNul(old as Columns), sequence, person };
    const hash = rowHash(previous, chain, columns, commitmentOf(columns, key));
    const whole: Columns = { ...columns, hash };
    insert.run(...ROW_COLUMNS.map((name) => whole[name] ?? null));
    previous = hash;
  }
}

/** What version 1 did not have. */
const NEW: Columns = Object.fromEntries([
  ...ROW_COLUMNS.map((name) => [name, null] as const),
  ['kind', 'request'],
  ['skew_us', 0],
]);

function withoutNul(columns: Columns): Columns {
  const entries = Object.entries(columns).map(([name, value]): [string, Value] => [
    name,
    typeof value === 'string' ? value.replaceAll('\0', '\u2400') : value,
  ]);
  return Object.fromEntries(entries);
}

function createPersons(database: DatabaseSync) {
  const insert = database.prepare(
    'INSERT INTO persons (person, issuer, subject, "user", key) VALUES (?, ?, ?, ?, ?)',
  );
  const note = database.prepare(
    "INSERT INTO notes (name, value) VALUES ('next-person', ?) " +
      'ON CONFLICT (chain, name) DO UPDATE SET value = excluded.value',
  );
  const known = new Map<string, { person: number; key: KeyObject }>();
  let next = 1;
  return ({ issuer, subject, user }: Columns) => {
    const name = JSON.stringify([issuer ?? '', subject ?? '', user ?? '']);
    const found = known.get(name);
    if (found !== undefined) return found;
    const person = user === null ? 0 : next++;
    const bytes = randomBytes(KEY_BYTES);
    insert.run(person, issuer ?? '', subject ?? '', user ?? '', bytes);
    note.run(String(next));
    const made = { person, key: createSecretKey(bytes) };
    known.set(name, made);
    return made;
  };
}
