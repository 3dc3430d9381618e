// What stands between the tables of a PostgreSQL store and whoever reads or writes them: triggers, rules,
// policies, other tables in their place. Its indexes are the server's, and its operator's.
import type { Columns, Problem, Value } from './database.ts';

type Read = (sql: string, values?: readonly Value[]) => Promise<Columns[]>;

const TABLES = [
  'audit_rows',
  'persons',
  'heads',
  'stubs',
  'set_aside',
  'log_checkpoint',
  'cursors',
  'boots',
  'gaps',
  'notes',
  'signet_meta',
];

const OURS =
  `c.relname IN (${TABLES.map((name) => `'${name}'`).join(', ')}) ` +
  'AND pg_catalog.pg_table_is_visible(c.oid)';
const CLASS = 'pg_catalog.pg_class AS c';

// Each gives the name of what was found and the table that it is on.
const LOOKS: readonly (readonly [what: string, sql: string])[] = [
  [
    'the trigger',
    `SELECT t.tgname AS name, c.relname AS "on" FROM pg_catalog.pg_trigger AS t JOIN ${CLASS} ` +
      `ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND ${OURS} ORDER BY 2, 1`,
  ],
  [
    'the rule',
    `SELECT r.rulename AS name, c.relname AS "on" FROM pg_catalog.pg_rewrite AS r JOIN ${CLASS} ` +
      `ON c.oid = r.ev_class WHERE ${OURS} ORDER BY 2, 1`,
  ],
  [
    'row security',
    `SELECT '' AS name, c.relname AS "on" FROM ${CLASS} WHERE c.relrowsecurity AND ${OURS} ORDER BY 2`,
  ],
  [
    'rows of another table,',
    `SELECT i.inhrelid::regclass::text AS name, c.relname AS "on" FROM pg_catalog.pg_inherits AS i ` +
      `JOIN ${CLASS} ON c.oid = i.inhparent WHERE ${OURS} ORDER BY 2, 1`,
  ],
];

const RELATIONS = `SELECT c.relname AS name FROM ${CLASS} WHERE c.relkind = 'r' AND ${OURS}`;

/** Returns what Signet never makes. */
export async function examinePostgres(read: Read): Promise<readonly Problem[]> {
  const problems: string[] = [];
  for (const [what, sql] of LOOKS) {
    for (const found of await read(sql)) {
      const name = `${what} ${String(found['name'])}`.trim();
      problems.push(`On the table ${String(found['on'])} is ${name}, which Signet never makes.`);
    }
  }
  const tables = new Set((await read(RELATIONS)).map(({ name }) => name));
  for (const name of TABLES) {
    if (!tables.has(name)) problems.push(`There is no table ${name}, or something in its place.`);
  }
  return problems.map((text) => ({ kind: 'schema', text }));
}

/** Returns the chains with rows: from one to the next by the primary key, without reading all rows. */
export async function chainsOfRows(read: Read): Promise<string[]> {
  const chains: string[] = [];
  for (;;) {
    const sql = 'SELECT chain FROM audit_rows WHERE chain > ? ORDER BY chain LIMIT 1';
    const [found] = await read(sql, [chains.at(-1) ?? '']);
    if (found === undefined) return chains;
    chains.push(String(found['chain']));
  }
}
