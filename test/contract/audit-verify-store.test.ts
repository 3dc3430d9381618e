// What a verification reads of a real database: values that no row can have, and whether the database is
// built as Signet builds it. What is judged, and how, is in test/unit/audit-verify.test.ts.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { chainsIn } from '../../sidecar/verify/verify-chains.ts';
import { openAuditReader, openAuditStore } from '../../sidecar/audit/open.ts';
import { databaseKinds } from '../fixtures/databases.ts';
import { isPostgresHere, startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { openRecord, type Record as Recorded } from '../fixtures/records.ts';
import { batchOf, placeAt } from '../fixtures/stores.ts';
import { aRow } from '../fixtures/rows.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

describe.each(Object.entries(databaseKinds()))('%s', (_name, kind) => {
  if (kind.missing !== undefined) {
    test.skip(`not tried here: ${kind.missing}`, () => {});
    return;
  }

  let place: string;
  let record: Recorded;
  beforeAll(() => kind.start());
  afterAll(() => kind.stop());
  beforeEach(async () => {
    place = await kind.make();
    record = await openRecord(place);
    await record.commit(...[1, 2, 3, 4].map((number) => aRow({}, number)));
    await record.sign();
  });
  afterEach(() => record.close());

  const set = (sql: string) => record.database.run(sql);
  const BEYOND = '9007199254740993'; // 2^53 + 1

  test.each(['started_at_us', 'person', 'status'])(
    'a %s beyond 2^53 is a finding about its row alone',
    async (column) => {
      await set(`UPDATE audit_rows SET ${column} = ${BEYOND} WHERE sequence = 2`);
      const { findings, rows } = await record.verify();
      expect(findings).toMatchObject([{ kind: 'changed', sequence: 2 }]);
      expect(findings[0]?.text).toContain('can’t be read');
      expect(rows).toBe(4);
    },
  );

  test('a sequence beyond 2^53 is a row that was inserted, and one that is missing', async () => {
    await set(`UPDATE audit_rows SET sequence = ${BEYOND} WHERE sequence = 2`);
    const kinds = (await record.verify()).findings.map((finding) => finding.kind);
    expect(kinds).toEqual(['inserted', 'missing']);
  });

  test.each(['sequence', 'signed_at_us'])(
    'a head with a %s beyond 2^53 is forged',
    async (column) => {
      await set(`UPDATE heads SET ${column} = ${BEYOND}`);
      const { findings } = await record.verify();
      expect(findings).toMatchObject([{ kind: 'head-forged' }]);
    },
  );

  test('a stub with numbers beyond 2^53 is forged', async () => {
    await record.remove({ beforeUs: Number.MAX_SAFE_INTEGER });
    await set(`UPDATE stubs SET sequence = ${BEYOND}, rows = ${BEYOND}`);
    expect((await record.verify()).findings).toContainEqual(
      expect.objectContaining({ kind: 'stub-forged' }),
    );
  });

  test('a chain is found by whatever is left of it', async () => {
    const reader = await openAuditReader(placeAt(place));
    for (const table of ['notes', 'audit_rows', 'persons']) {
      await set(`DELETE FROM ${table}`);
      expect([table, await chainsIn(reader)]).toEqual([table, [record.chain]]);
    }
    await set('DELETE FROM heads');
    expect(await chainsIn(reader)).toEqual([]);
    await reader.close();
  });

  test('a row whose person has another name in the list is a finding', async () => {
    await set(`UPDATE persons SET "user" = 'mallory' WHERE person = 1`);
    expect((await record.verify()).findings).toMatchObject([
      { kind: 'person', sequence: 1, to: 4 },
    ]);
    await expect(record.forget('mallory')).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
  });
});

describe('an SQLite file', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signet-examine-'));
    path = join(folder, 'audit.db');
    const store = await openAuditStore({ path });
    await store.commit(batchOf(1, 2, 3));
    await store.close();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function problemsAfter(sql: string): Promise<string[]> {
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
    const reader = await openAuditReader({ path });
    try {
      return (await reader.examine()).map(({ kind, text }) => `${kind}: ${text}`);
    } finally {
      await reader.close();
    }
  }

  test.each([
    ['as it was made', ''],
    ['that ANALYZE was run on', 'ANALYZE'],
    ['that was written anew', 'VACUUM'],
  ])('%s has nothing that Signet doesn’t make', async (_, sql) => {
    expect(await problemsAfter(sql)).toEqual([]);
  });

  test.each([
    ['CREATE TRIGGER t AFTER INSERT ON notes BEGIN SELECT 1; END', /^schema: .* trigger t, which/],
    ['CREATE TABLE other (a)', /^schema: .* table other, which/],
    ['CREATE VIEW other AS SELECT 1', /^schema: .* view other, which/],
    ['CREATE INDEX other ON notes (value)', /^index: .* index other, which/],
    ['DROP INDEX audit_rows_by_team', /^index: The index audit_rows_by_team is missing/],
    ['ALTER TABLE gaps ADD COLUMN more TEXT', /^schema: The table gaps is not as Signet makes it/],
    [
      "INSERT INTO cursors VALUES ('x', 'y', 1)",
      /^schema: The table cursors holds something of another/,
    ],
  ])('%s is found', async (sql, text) => {
    expect(await problemsAfter(sql)).toEqual([expect.stringMatching(text)]);
  });
});

describe('a PostgreSQL database', () => {
  if (!isPostgresHere()) {
    test.skip('not tried here: no initdb, neither in PATH nor of Debian', () => {});
    return;
  }
  let server: Postgres;
  let url: string;
  let made = 0;
  beforeAll(async () => void (server = await startPostgres()));
  afterAll(() => server.stop());
  beforeEach(async () => {
    url = await server.url(`examine_${++made}`);
    await (await openRecord(url)).close();
  });

  async function problemsAfter(...statements: string[]): Promise<string[]> {
    for (const sql of statements) await server.query(url, sql);
    const reader = await openAuditReader({ url });
    try {
      return (await reader.examine()).map(({ kind, text }) => `${kind}: ${text}`);
    } finally {
      await reader.close();
    }
  }

  const FUNCTION =
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'";

  test('as it was made has nothing that Signet doesn’t make', async () => {
    expect(await problemsAfter()).toEqual([]);
  });

  test.each<[RegExp, string[]]>([
    [
      /table audit_rows is the trigger t,/,
      [FUNCTION, 'CREATE TRIGGER t BEFORE INSERT ON audit_rows FOR EACH ROW EXECUTE FUNCTION f()'],
    ],
    [/table heads is the rule r,/, ['CREATE RULE r AS ON DELETE TO heads DO INSTEAD NOTHING']],
    [/table persons is row security,/, ['ALTER TABLE persons ENABLE ROW LEVEL SECURITY']],
    [/rows of another table, more,/, ['CREATE TABLE more () INHERITS (audit_rows)']],
    [
      /no table gaps, or something/,
      ['ALTER TABLE gaps RENAME TO kept', 'CREATE VIEW gaps AS SELECT * FROM kept LIMIT 0'],
    ],
  ])('%s is found', async (text, statements) => {
    expect(await problemsAfter(...statements)).toContainEqual(expect.stringMatching(text));
  });
});
