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
import { makeFirstStore } from '../fixtures/first-store.ts';
import { aRow, CHECKPOINT, requestId } from '../fixtures/rows.ts';
import { storedRows } from '../fixtures/stored.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-'));
  path = join(folder, 'audit.db');
  const database = makeFirstStore(path);
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
