// The commands that prove or change the record, as processes on a real state folder; and the record after
// any order of what can be done to it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { verifyCommand } from '../../sidecar/report/command-verify.ts';
import { headLine, type Head } from '../../sidecar/audit/head.ts';
import { rewrite } from '../../sidecar/audit/remains.ts';
import type { EventRow, Row, RowIdentity } from '../../sidecar/audit/row.ts';
import { publicKeyText, signingKeys, type SigningKey } from '../../sidecar/audit/signing-key.ts';
import { deriveKeys, loadKeyRing } from '../../sidecar/config/keys.ts';
import { runSignet } from '../fixtures/cli.ts';
import { CHAIN, databaseKinds } from '../fixtures/databases.ts';
import { isPostgresHere, startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { createRandom, testSeeds } from '../fixtures/random.ts';
import { openRecord, type Record as Recorded } from '../fixtures/records.ts';
import { anEvent, aRow, requestId, STARTED_AT_US } from '../fixtures/rows.ts';

const ALICE = aRow().identity as RowIdentity;
const BOB: RowIdentity = { ...ALICE, subject: 'b-2', user: 'bob' };

describe('a state folder', () => {
  let folder: string;
  let store: string;
  let record: Recorded;
  let key: SigningKey;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signet-verify-'));
    store = join(folder, 'audit.db');
    record = await openRecord(store);
    [key] = signingKeys(deriveKeys(loadKeyRing({ stateFolder: folder }), 'chain')) as [SigningKey];
    await record.commit(...[1, 2, 3, 4].map((number) => aRow({ path: `/${number}` }, number)));
  });
  afterEach(async () => {
    await record.close();
    rmSync(folder, { recursive: true });
  });

  /** Signs as the sidecar does, and publishes where it does. */
  async function publish(): Promise<Head> {
    const head = (await record.store.sign(key, STARTED_AT_US)) as Head;
    writeFileSync(join(folder, 'heads.jsonl'), `${headLine(head)}\n`, { flag: 'a' });
    return head;
  }

  const signet = (...args: string[]) => runSignet(args, { SIGNET_STATE: folder });
  const verify = (...args: string[]) => signet('audit', 'verify', ...args);
  const jsonOf = (out: string) => JSON.parse(out) as Record<string, unknown>;
  const newest = async () => (await record.store.rowsAfter(0, 1000)).at(-1);

  /** Does what somebody does who can write to the file. */
  function tamper(sql: string): void {
    const database = new DatabaseSync(store);
    database.exec(sql);
    database.close();
  }

  test('that is as it was is verified: 0, with a summary that names the public key', async () => {
    const head = await publish();
    const { code, out } = await verify();
    expect(code).toBe(0);
    expect(out).toContain('Verified: nothing was found.');
    expect(out).toContain('rows: 4, from 1 to 4');
    expect(out).toContain(`signed: up to row 4`);
    expect(out).toContain(`key ${head.keyId}: `);
    expect(out).toContain(publicKeyText(key.publicKey));
  });

  test('as JSON it is one object for programs', async () => {
    await publish();
    const { code, out } = await verify('--format', 'json');
    expect(code).toBe(0);
    expect(jsonOf(out)).toMatchObject({
      verified: true,
      chain: record.chain,
      rows: 4,
      from: 1,
      to: 4,
      unsigned: 0,
      lastHead: { sequence: 4 },
      keys: [{ id: key.id, known: true, publicKey: publicKeyText(key.publicKey) }],
      findings: [],
    });
  });

  test('in which a value was changed is not: 1, and the row is named', async () => {
    await publish();
    tamper('UPDATE audit_rows SET status = 500 WHERE sequence = 2');
    const { code, out } = await verify();
    expect(code).toBe(1);
    expect(out).toMatch(/! changed: Row 2/);
  });

  test('from which the end was cut is found out by a head that was published', async () => {
    await publish();
    tamper('DELETE FROM audit_rows WHERE sequence > 2; DELETE FROM heads');
    const { code, out } = await verify('--format', 'json');
    expect(code).toBe(1);
    expect(jsonOf(out)).toMatchObject({ findings: [{ kind: 'cut', sequence: 3, to: 4 }] });
  });

  test('takes heads that were kept elsewhere, and names damaged lines', async () => {
    const head = await publish();
    rmSync(join(folder, 'heads.jsonl'));
    tamper('DELETE FROM audit_rows WHERE sequence > 2; DELETE FROM heads');
    const kept = join(folder, 'kept');
    writeFileSync(kept, `${headLine(head)}\n\nnonsense\n`);
    expect((await verify()).out).not.toContain('cut');
    const { code, out, err } = await verify('--heads', kept);
    expect(code).toBe(1);
    expect(out).toContain('! cut:');
    expect(err).toContain(`${kept}:3 holds no head`);
  });

  test('a file of heads that isn’t there is an error, not a pass', async () => {
    const { code, err } = await verify('--heads', join(folder, 'none'));
    expect(code).toBe(74);
    expect(err).toContain('There is no file');
  });

  test('is verified without its key ring by the public key, and only that one counts', async () => {
    await publish();
    rmSync(join(folder, 'keys'));
    const withKey = await verify('--public-key', publicKeyText(key.publicKey));
    expect(withKey).toMatchObject({ code: 0 });
    const [other] = signingKeys([Buffer.alloc(32, 1)]) as [SigningKey];
    const withOther = await verify('--public-key', publicKeyText(other.publicKey));
    expect(withOther.code).toBe(1);
    expect(withOther.out).toContain('! key-unknown');
  });

  test('without key ring and public key says so, and makes no ring', async () => {
    await publish();
    rmSync(join(folder, 'keys'));
    const { code, err } = await verify();
    expect(code).toBe(1);
    expect(err).toContain('no key ring');
    expect(() => readFileSync(join(folder, 'keys'))).toThrow();
  });

  test('keeps in mind that it was verified', async () => {
    await publish();
    await verify();
    expect(await newest()).toMatchObject({
      event: 'verification-run',
      details: { rows: 4, findings: 0, upTo: 4 },
    });
    expect((await verify()).code).toBe(0);
  });

  test('is left as it is with --no-record', async () => {
    await verify('--no-record');
    expect(await newest()).toMatchObject({ sequence: 4 });
  });

  test('whose end can’t be written on is verified all the same, and it is said', async () => {
    await publish();
    tamper("UPDATE audit_rows SET hash = x'00' WHERE sequence = 4");
    tamper("CREATE TRIGGER no BEFORE INSERT ON audit_rows BEGIN SELECT RAISE(ABORT, 'no'); END");
    const { code, err, out } = await verify();
    expect(code).toBe(1);
    expect(out).toContain('! changed: Row 4');
    expect(err).toContain('could not be recorded');
  });

  test('is found before the subcommand as well', async () => {
    await publish();
    const { code } = await runSignet(['audit', '--state', folder, 'verify']);
    expect(code).toBe(0);
  });

  test.each([
    [['verify', '--public-key', 'x']],
    [['verify', '--chain', 'x']],
    [['forget']],
    [['remove']],
    [['remove', '--before', 'then']],
    [['remove', '--before', '5m']],
    [['open', '--nonsense']],
  ])('%j is refused with 2', async (args) => {
    expect(await signet('audit', ...args)).toMatchObject({ code: 2, out: '' });
  });

  test.each([
    [['verify']],
    [['forget', '--user', 'x']],
    [['remove', '--before', '9d']],
    [['open']],
  ])('%j where there is no store says so with 66, and makes none', async (args) => {
    const state = join(folder, 'elsewhere');
    const { code, err } = await runSignet(['audit', ...args, '--state', state]);
    expect(code).toBe(66);
    expect(err).toContain('There is no audit store');
    expect(() => readFileSync(join(state, 'audit.db'))).toThrow();
  });

  const forget = () => signet('audit', 'forget', '--user', 'bob');

  test('whose chain is not listed any more is verified all the same', async () => {
    await publish();
    tamper("UPDATE notes SET chain = 'x'; UPDATE audit_rows SET status = 500 WHERE sequence = 2");
    const { code, out } = await verify();
    expect(code).toBe(1);
    expect(out).toContain(`Chain ${record.chain}`);
    expect(out).toMatch(/! changed: Row 2/);
  });

  test('with another store in its place: the heads are of a chain that is missing', async () => {
    const head = await publish();
    const elsewhere = join(folder, 'elsewhere', 'audit.db');
    const other = await openRecord(elsewhere);
    await other.commit(aRow({ startedAtUs: Date.now() * 1000 }, 9));
    await other.close();
    const place = ['--state', join(folder, 'elsewhere'), '--heads', join(folder, 'heads.jsonl')];
    const { code, out } = await verify(...place, '--no-record');
    expect(code).toBe(1);
    expect(out).toContain(`Chain ${head.chain}\n  ! chain-missing: 1 published heads`);
    expect(out).toMatch(/move its heads file away[^]*--chain/);
  });

  test('and one chain of several in a file of heads: only that one counts', async () => {
    const head = await publish();
    const other = headLine({ ...head, chain: CHAIN });
    writeFileSync(join(folder, 'heads.jsonl'), `${other}\n`, { flag: 'a' });
    expect((await verify()).code).toBe(1);
    expect((await verify('--chain', record.chain)).code).toBe(0);
    const { code, out } = await verify('--chain', CHAIN);
    expect(code).toBe(1);
    expect(out).toMatch(/! chain-missing/);
    expect((await verify('--chain', 'neither')).code).toBe(2);
  });

  test('without any head: nothing is signed, and that is found', async () => {
    const { code, out } = await verify();
    expect(code).toBe(1);
    expect(out).toContain('! head-missing: Rows 1 to 4');
    expect(out).toContain('signed: NOTHING');
  });

  test('with a trigger: it is found, and nothing is written to the store', async () => {
    await record.commit(aRow({ identity: BOB }, 9));
    await publish();
    tamper('CREATE TRIGGER thief AFTER INSERT ON audit_rows BEGIN SELECT 1; END');
    expect((await verify()).out).toContain('! schema: There is a trigger thief');
    const { code, err } = await forget();
    expect(code).toBe(74);
    expect(err).toMatch(/has a trigger, thief[^]*DROP TRIGGER/);
    expect(await newest()).toMatchObject({ sequence: 5, identity: BOB });
  });

  const LACKING = `
    DROP INDEX audit_rows_by_user;
    CREATE INDEX audit_rows_by_user ON audit_rows ("user", started_at_us, duration_us, status, decision) WHERE "user" <> 'bob'`;

  test('with an index that lacks rows: it is found, and forgets nobody by half', async () => {
    await record.commit(aRow({ identity: BOB }, 9));
    await publish();
    tamper(LACKING);
    const database = new DatabaseSync(store, { defensive: false });
    database.exec(
      'PRAGMA writable_schema = ON; UPDATE sqlite_schema SET ' +
        "sql = substr(sql, 1, instr(sql, ' WHERE') - 1) WHERE name = 'audit_rows_by_user'",
    );
    database.close();
    const { code, out } = await verify();
    expect(code).toBe(1);
    expect(out).toContain('! index: SQLite finds in the file: row 5 missing from index');
    expect(await forget()).toMatchObject({ code: 74, out: '' });
    expect((await record.store.rowsAfter(4, 1))[0]).toMatchObject({ identity: BOB });
    const bobs = await record.database.all(`SELECT key FROM persons WHERE "user" = 'bob'`);
    expect(bobs).toHaveLength(1);
  });

  test('with names of two persons exchanged: it is found, and nobody is forgotten for another', async () => {
    await record.commit(aRow({ identity: BOB }, 9));
    await publish();
    tamper(`UPDATE persons SET "user" = 'tmp' WHERE person = 1;
      UPDATE persons SET "user" = 'alice', subject = 'a-1' WHERE person = 2;
      UPDATE persons SET "user" = 'bob', subject = 'b-2' WHERE person = 1`);
    expect((await verify()).out).toMatch(/! person: Rows 1 to 4[^]*! person: Row 5/);
    const { code, err } = await forget();
    expect(code).toBe(74);
    expect(err).toMatch(/Nothing was erased[^]*audit verify/);
    expect((await record.store.rowsAfter(0, 9)).filter((row) => row.isForgotten)).toEqual([]);
  });

  test('with a name that moves the cursor: it is spelled out', async () => {
    await publish();
    tamper("INSERT INTO notes (chain, name, value) VALUES (char(27) || '[2J', 'begun', '')");
    const { out } = await verify();
    expect(out).toContain('Chain \\x1b[2J');
    expect(out).not.toContain('\x1b');
  });

  test('that can’t be verified because Signet fails is not one in which something was found', async () => {
    const publicKeys = () => {
      throw new TypeError('x is not a function');
    };
    const where = { place: { path: store }, headsFile: '', stateFolder: folder, publicKeys };
    const locate = () => ({
      ...where,
      signingKey: () => key,
      destinations: () => undefined,
    });
    const before = process.exitCode;
    await verifyCommand({ locate }).parseAsync([], { from: 'user' });
    const code = process.exitCode;
    process.exitCode = before;
    expect(code).toBe(70);
  });

  test('forget: without a key ring nobody is forgotten, with 78', async () => {
    rmSync(join(folder, 'keys'));
    const { code, err } = await signet('audit', 'forget', '--user', 'alice');
    expect(code).toBe(78);
    expect(err).toContain('there is no key ring');
    expect(await newest()).toMatchObject({ sequence: 4, identity: ALICE });
  });

  test('forget: erases, says whom and what is out of reach, and the file holds no byte of it', async () => {
    await record.commit(aRow({ identity: BOB, path: '/of/bob' }, 9));
    const { code, out } = await signet('audit', 'forget', '--user', 'bob');
    expect(code).toBe(0);
    expect(out).toContain('Forgotten: bob (subject b-2 of https://login.example.com), 1 rows');
    expect(out).toMatch(/access log[^]*journal[^]*spans[^]*backups/);
    expect(out).toContain('The file was written anew');
    expect(readFileSync(store).includes('/of/bob')).toBe(false);
    expect(readFileSync(`${store}-wal`)).toHaveLength(0);
    expect((await verify()).code).toBe(0);
  });

  test('forget --dry-run: says who it would be, and changes nothing', async () => {
    const { code, out } = await signet('audit', 'forget', '--user', 'a-1', '--dry-run');
    expect(code).toBe(0);
    expect(out).toBe(
      'Would be forgotten: alice (subject a-1 of https://login.example.com), 4 rows\n',
    );
    expect(await newest()).toMatchObject({ sequence: 4, identity: ALICE });
  });

  test('forget: whom nobody knows is 1', async () => {
    const { code, out, err } = await signet('audit', 'forget', '--user', 'carol');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('Nobody has the name or subject carol');
  });

  test('forget: a file that can’t be written anew is told of with 75, and it is made up for', async () => {
    const reader = new DatabaseSync(store, { readOnly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM audit_rows').get();
    const { code, err } = await signet('audit', 'forget', '--user', 'alice');
    expect(code).toBe(75);
    expect(err).toContain('may hold remains: somebody is reading');
    reader.close();
    const again = await signet('audit', 'forget', '--user', 'alice');
    expect(again).toMatchObject({
      code: 0,
      out: 'The file was written anew: nothing stays in it.\n',
    });
    expect(readFileSync(store).includes('alice')).toBe(false);
  });

  test('remove: old rows go, the stub is signed, and the rest is verified', async () => {
    await publish();
    const { code, out } = await signet('audit', 'remove', '--before', '2026-11-20T11:00Z');
    expect(out).toContain('Removed: 4 rows up to row 4, of before 2026-11-20T11:00:00.000000Z');
    expect(code).toBe(0);
    const verified = await verify('--format', 'json');
    expect(jsonOf(verified.out)).toMatchObject({ verified: true, from: 5, to: 5 });
  });

  test('remove: what a destination doesn’t have stays, with 1, unless it shall go all the same', async () => {
    await publish();
    await record.store.moveCursor('slow', 2);
    const before = ['audit', 'remove', '--before', '2026-11-20T11:00Z'];
    const held = await signet(...before);
    expect(held).toMatchObject({ code: 1, out: 'Nothing to remove.\n' });
    expect(held.err).toContain('slow (has up to 2)');
    expect(await signet(...before, '--even-undelivered', 'quick')).toMatchObject({ code: 1 });
    const wouldBe = await signet(...before, '--even-undelivered', 'slow', '--dry-run');
    expect(wouldBe).toMatchObject({ code: 0 });
    expect(wouldBe.out).toContain('Would be removed: 4 rows');
    expect(await signet(...before, '--even-undelivered', '--rewrite')).toMatchObject({ code: 0 });
  });

  test('remove: of the configured destinations none is forgotten that never had a row', async () => {
    await publish();
    const env = {
      SIGNET_STATE: folder,
      SIGNET_ISSUER: 'https://login.example.com',
      SIGNET_CLIENT_ID: 'signet',
      SIGNET_CLIENT_SECRET: 'x'.repeat(32),
      SIGNET_DESTINATION: 'https://collector.example.com:4317',
    };
    const { code, err } = await runSignet(
      ['audit', 'remove', '--before', '2026-11-20T11:00Z'],
      env,
    );
    expect(code).toBe(1);
    expect(err).toContain('(has up to 0)');
  });

  test('remove: without a key ring nothing goes, with 78', async () => {
    await publish();
    rmSync(join(folder, 'keys'));
    const { code, err } = await signet('audit', 'remove', '--before', '2026-11-20T11:00Z');
    expect(code).toBe(78);
    expect(err).toContain('there is no key ring');
    expect(await newest()).toMatchObject({ sequence: 4 });
  });
});

describe('a PostgreSQL with two chains', () => {
  if (!isPostgresHere()) {
    test.skip('not tried here: no initdb, neither in PATH nor of Debian', () => {});
    return;
  }
  const OTHER = CHAIN.replace(/1$/, '2');
  let server: Postgres;
  let folder: string;
  let url: string;
  let env: Record<string, string>;

  beforeAll(async () => void (server = await startPostgres()));
  afterAll(() => server.stop());
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signet-verify-'));
    url = await server.url(`commands_${Date.now()}`);
    writeFileSync(join(folder, 'chain'), `${CHAIN}\n`);
    env = { SIGNET_STATE: folder, SIGNET_AUDIT_STORE: url };
    const [key] = signingKeys(deriveKeys(loadKeyRing({ stateFolder: folder }), 'chain'));
    for (const [at, chain] of [CHAIN, OTHER].entries()) {
      const record = await openRecord(url, chain);
      await record.commit(aRow({}, 10 * at), aRow({ identity: BOB }, 10 * at + 1));
      await record.store.sign(key!, STARTED_AT_US);
      await record.close();
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const signet = (...args: string[]) => runSignet(['audit', ...args], env);

  test('verifies both, and one when asked to', async () => {
    const both = await signet('verify', '--format', 'json', '--no-record');
    expect(both).toMatchObject({ code: 0, err: '' });
    expect(both.out.trim().split('\n')).toHaveLength(2);
    const one = await signet('verify', '--format', 'json', '--chain', OTHER);
    expect(JSON.parse(one.out)).toMatchObject({ chain: OTHER, verified: true });
  });

  test('verifies one that is not listed any more', async () => {
    await server.query(url, `DELETE FROM notes WHERE chain = '${OTHER}'`);
    await server.query(url, `UPDATE audit_rows SET status = 500 WHERE chain = '${OTHER}'`);
    const { code, out } = await signet('verify', '--no-record');
    expect(code).toBe(1);
    expect(out).toMatch(new RegExp(`Chain ${OTHER}\\n  ! changed: Rows 1 to 2`));
  });

  test('tells of both what stands between the tables and whoever writes them', async () => {
    await server.query(url, 'CREATE RULE r AS ON DELETE TO audit_rows DO ALSO NOTHING');
    const { code, out } = await signet('verify', '--no-record');
    expect(code).toBe(1);
    expect(out.match(/! schema: On the table audit_rows is the rule r/g)).toHaveLength(2);
  });

  test('forgets in both, and says that the server has to take old versions away', async () => {
    const { code, out } = await signet('forget', '--user', 'bob');
    expect(code).toBe(0);
    expect(out.match(/Forgotten: bob/g)).toHaveLength(2);
    expect(out).toContain('VACUUM');
    const left = await server.query(
      url,
      `SELECT count(*) AS n FROM audit_rows WHERE "user" = 'bob'`,
    );
    expect(left).toEqual([{ n: '0' }]);
    expect((await signet('verify')).code).toBe(0);
  });

  test('removes from the chain of this state folder only', async () => {
    const { code } = await signet('remove', '--before', '2026-11-20T11:00Z');
    expect(code).toBe(0);
    const left = await server.query(
      url,
      'SELECT chain, count(*)::int AS n FROM audit_rows GROUP BY 1 ORDER BY 1',
    );
    expect(left).toEqual([
      { chain: CHAIN, n: 1 },
      { chain: OTHER, n: 2 },
    ]);
    expect((await signet('verify')).code).toBe(0);
  });

  test('a state folder without a chain removes nothing', async () => {
    rmSync(join(folder, 'chain'));
    const { code, err } = await signet('remove', '--before', '2026-11-20T11:00Z');
    expect(code).toBe(69);
    expect(err).toContain('names no chain of this database');
    expect(() => readFileSync(join(folder, 'chain'))).toThrow();
  });
});

describe.each(Object.entries(databaseKinds()))('%s', (name, kind) => {
  if (kind.missing !== undefined) {
    test.skip(`not tried here: ${kind.missing}`, () => {});
    return;
  }
  beforeAll(() => kind.start());
  afterAll(() => kind.stop());

  const NAMES = [
    'alice.a',
    'bob"b',
    'ünï-côdé',
    'd%d_d',
    "o'hara",
    '名前-x',
    'frank\\f',
    'grace😀',
  ];
  const TABLES = ['audit_rows', 'persons', 'set_aside', 'notes', 'heads', 'stubs', 'cursors'];

  /** All texts in the store. */
  async function textIn(record: Recorded): Promise<string> {
    const all: unknown[] = [];
    for (const table of TABLES) all.push(await record.database.all(`SELECT * FROM ${table}`));
    return JSON.stringify(all);
  }

  const spelled = (user: string) => JSON.stringify(user).slice(1, -1);
  const rounds = name === 'SQLite' ? 12 : 3;

  test.each(testSeeds(rounds))(
    'after any order of what can be done nothing is found, and who was forgotten is gone (seed %i)',
    async (seed) => {
      const random = createRandom(seed);
      const place = await kind.make();
      let record = await openRecord(place);
      const published: Head[] = [];
      const ever: Row[] = [];
      const gone = new Set<string>();
      let seconds = 0;

      function identityOf(user: string): RowIdentity {
        const sessionHash = `session of ${user}`;
        return { ...ALICE, subject: `sub-${user}`, user, team: `team of ${user}`, sessionHash };
      }
      function requestOf(user: string | undefined): Row {
        const { identity: _, ...common } = aRow({
          requestId: requestId(ever.length),
          startedAtUs: STARTED_AT_US + ++seconds * 1_000_000,
          path: `/of/${user}`,
          // As each request has that the gate decided about: who came by one, came by a stamp.
          gate: { bootId: 'boot-1', number: seconds, startedAtUs: STARTED_AT_US, durationUs: 60 },
          ...(random.below(2) === 0 && { query: `q=${user}`, userAgent: `agent of ${user}` }),
        });
        return user === undefined ? common : { ...common, identity: identityOf(user) };
      }
      function eventOf(user: string): EventRow {
        const common = {
          requestId: `e:${ever.length}`,
          startedAtUs: STARTED_AT_US + seconds * 1_000_000,
        };
        if (random.below(2) === 0) return anEvent({ ...common, identity: identityOf(user) });
        const { identity: _, ...nameless } = anEvent({
          ...common,
          kind: 'lost',
          event: 'decision-lost',
        });
        return { ...nameless, user };
      }

      const acts: (() => Promise<unknown>)[] = [
        async function commit() {
          for (let count = random.below(12); count >= 0; count--) {
            const user = random.below(6) === 0 ? undefined : NAMES[random.below(NAMES.length)];
            const row =
              user !== undefined && random.below(4) === 0 ? eventOf(user) : requestOf(user);
            if (user !== undefined) gone.delete(user);
            ever.push(row);
            await record.commit(row);
          }
        },
        async function readAgain() {
          await record.commit(
            ...ever
              .slice(random.below(ever.length + 1))
              .slice(0, 50)
              .filter((row) => row.kind === 'request'),
          );
        },
        async function sign() {
          const head = await record.sign();
          if (head !== undefined) published.push(head);
        },
        async function forget() {
          const user = NAMES[random.below(NAMES.length)]!;
          await record.forget(random.below(2) === 0 ? user : `sub-${user}`);
          // By the subject nobody is found who is known by name only.
          await record.forget(user);
          gone.add(user);
        },
        async function remove() {
          const beforeUs = STARTED_AT_US + random.below(seconds + 2) * 1_000_000;
          await record.remove({ beforeUs });
        },
        async function reopen() {
          await record.close();
          record = await openRecord(place);
        },
      ];

      for (let step = 0; step < 60; step++) {
        await acts[random.below(2) === 0 ? 0 : random.below(acts.length)]!();
        if (step % 20 === 19) expect((await record.verify(published)).findings).toEqual([]);
      }
      const text = await textIn(record);
      const found = [...gone].filter((user) => text.includes(spelled(user)));
      expect(found).toEqual([]);
      if (name === 'SQLite') {
        expect(await rewrite(record.database)).toBeUndefined();
        const bytes = Buffer.concat([readFileSync(place), readFileSync(`${place}-wal`)]);
        expect([...gone].filter((user) => bytes.includes(user))).toEqual([]);
        expect((await record.verify(published)).findings).toEqual([]);
      }
      await record.close();
    },
  );
});
