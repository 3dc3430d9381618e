// A store that the first version wrote is brought forward: nothing of it is lost, and it has a chain.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { commitmentOf, genesisOf, rowHash } from '../../sidecar/audit/chain.ts';
import type { Columns } from '../../sidecar/audit/database.ts';
import { openAuditReader, openAuditStore } from '../../sidecar/audit/open.ts';
import { createSecretKey } from 'node:crypto';
import { aRow, CHECKPOINT, requestId } from '../fixtures/rows.ts';
import { storedRows } from '../fixtures/stored.ts';

/** The tables as version 0.1.0 of the schema made them. */
const VERSION_1 = `
CREATE TABLE audit_rows (
  sequence INTEGER PRIMARY KEY, request_id TEXT NOT NULL UNIQUE, trace_id TEXT, parent_span_id TEXT,
  link TEXT, sampled INTEGER NOT NULL, started_at_us INTEGER NOT NULL, duration_us INTEGER NOT NULL,
  method TEXT NOT NULL, scheme TEXT NOT NULL, host TEXT NOT NULL, path TEXT NOT NULL, query TEXT,
  protocol TEXT NOT NULL, status INTEGER NOT NULL, request_bytes INTEGER NOT NULL,
  response_bytes INTEGER NOT NULL, client_address TEXT NOT NULL, peer_address TEXT NOT NULL,
  user_agent TEXT, decision TEXT NOT NULL, reason TEXT NOT NULL, route TEXT, requirement TEXT,
  issuer TEXT, subject TEXT, user TEXT, team TEXT, roles TEXT, type TEXT, actor TEXT,
  auth_method TEXT, session_hash TEXT, gate_boot_id TEXT, gate_number INTEGER,
  gate_supersedes INTEGER, gate_started_at_us INTEGER, gate_duration_us INTEGER,
  upstream_address TEXT, upstream_started_at_us INTEGER, upstream_duration_us INTEGER,
  upstream_latency_us INTEGER, upstream_retries INTEGER
) STRICT;
CREATE INDEX audit_rows_by_user ON audit_rows (user, started_at_us);
CREATE INDEX audit_rows_by_time ON audit_rows (started_at_us);
CREATE INDEX audit_rows_by_trace ON audit_rows (trace_id) WHERE trace_id IS NOT NULL;
CREATE TABLE set_aside (hash TEXT PRIMARY KEY, reason TEXT NOT NULL, head TEXT NOT NULL, bytes INTEGER NOT NULL) STRICT;
CREATE TABLE log_checkpoint (id INTEGER PRIMARY KEY CHECK (id = 1), checkpoint TEXT NOT NULL) STRICT;
CREATE TABLE cursors (destination TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT;
PRAGMA application_id = ${0x53676e74};
PRAGMA user_version = 1;
`;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-'));
  path = join(folder, 'audit.db');
  const database = new DatabaseSync(path);
  database.exec(VERSION_1);
  const insert = database.prepare(
    'INSERT INTO audit_rows (request_id, sampled, started_at_us, duration_us, method, scheme, host, ' +
      'path, protocol, status, request_bytes, response_bytes, client_address, peer_address, decision, ' +
      'reason, issuer, subject, user, roles, type, auth_method, gate_boot_id, gate_number, ' +
      'gate_started_at_us, gate_duration_us) ' +
      "VALUES (?, 1, ?, 5, 'GET', 'https', 'a', '/x', 'HTTP/1.1', 200, 0, 0, '::1', '::1', 'allow', " +
      "'requirement-met', ?, ?, ?, ?, ?, ?, 'boot-1', ?, 7, 6)",
  );
  for (let number = 1; number <= 20; number++) {
    const who =
      number % 3 === 0
        ? [null, null, null, null, null, null]
        : ['https://i', `s${number % 2}`, `u${number % 2}`, '[]', 'human', 'session'];
    insert.run(requestId(number), number, ...who, number * 2);
  }
  database.exec("INSERT INTO cursors VALUES ('lightstep', 12)");
  database.exec("INSERT INTO set_aside VALUES ('ab', 'not-json', 'x', 1)");
  database.prepare('INSERT INTO log_checkpoint VALUES (1, ?)').run(
    JSON.stringify({
      ...CHECKPOINT,
      file: { ...CHECKPOINT.file, firstLineSha256: '0'.repeat(64) },
      last: { length: 100, sha256: '0'.repeat(64) },
    }),
  );
  database.close();
});
afterEach(() => rmSync(folder, { recursive: true }));

test('every row is there as it was, in its place, and the next one follows it', async () => {
  const store = await openAuditStore({ path });
  await store.commit({ rows: [aRow({}, 99)] });
  await store.close();
  const rows = storedRows(path);
  expect(rows.map(({ sequence }) => sequence)).toEqual(rows.map((_row, index) => index + 1));
  expect(rows).toHaveLength(21);
  expect(rows[0]).toMatchObject({
    kind: 'request',
    requestId: requestId(1),
    identity: { user: 'u1', subject: 's1' },
    gate: { bootId: 'boot-1', number: 2 },
  });
  expect(rows[2]).not.toHaveProperty('identity');
});

test('its rows are chained from the first on', async () => {
  const store = await openAuditStore({ path });
  await store.commit({ rows: [aRow({}, 99)] });
  const { chain } = store;
  await store.close();
  const database = new DatabaseSync(path, { readOnly: true });
  const keys = new Map(
    (database.prepare('SELECT person, key FROM persons').all() as Columns[]).map((each) => [
      each['person'],
      createSecretKey(each['key'] as Uint8Array),
    ]),
  );
  let previous: Uint8Array = genesisOf(chain);
  for (const row of database.prepare('SELECT * FROM audit_rows ORDER BY sequence').iterate()) {
    const columns = row as Columns;
    const key = keys.get(columns['person'] ?? null);
    if (key === undefined) throw new Error('a row of nobody');
    previous = rowHash(previous, chain, columns, commitmentOf(columns, key));
    expect(Buffer.from(columns['hash'] as Uint8Array)).toEqual(Buffer.from(previous));
  }
  database.close();
});

test('the place in the log, the cursors and what was set aside stay; old numbers are not called lost', async () => {
  const store = await openAuditStore({ path });
  expect(await store.checkpoint()).toMatchObject({ offset: CHECKPOINT.offset });
  expect(await store.cursor('lightstep')).toBe(12);
  expect(await store.counts()).toMatchObject({ rows: 20, setAside: 1, lost: 0 });
  expect(await store.accounts()).toEqual([{ bootId: 'boot-1', highest: 40, gaps: [] }]);
  await store.close();
});

test('a reader that can’t bring it forward says who can', async () => {
  await expect(openAuditReader({ path })).rejects.toThrow(
    /older Signet: start `signet serve` once/,
  );
});
