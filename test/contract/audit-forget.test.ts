// Forgetting a person, on both databases: what goes, what stays, and that the chain holds all the same.
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { setAsideLine } from '../../sidecar/accesslog/set-aside.ts';
import { countActing, countRows, findPersons } from '../../sidecar/audit/find-persons.ts';
import { verifyChain } from '../../sidecar/verify/proof.ts';
import { createAuditReader } from '../../sidecar/audit/reader.ts';
import { emptyLog, overwriteDeleted, rewrite } from '../../sidecar/audit/remains.ts';
import type { RowIdentity } from '../../sidecar/audit/row.ts';
import { publicKeysOf } from '../../sidecar/audit/signing-key.ts';
import { databaseKinds } from '../fixtures/databases.ts';
import { createRandom } from '../fixtures/random.ts';
import { KEY, openRecord, startRecording, type Record } from '../fixtures/records.ts';
import { aFullRow, anEvent, aRow, requestId } from '../fixtures/rows.ts';

const ALICE = aRow().identity as RowIdentity;
const BOB: RowIdentity = { ...ALICE, subject: 'b-2', user: 'bob', sessionHash: 'ffee' };

const of = (identity: RowIdentity, number: number) =>
  aRow({ identity, path: `/of/${identity.user}`, startedAtUs: 1_000_000 + number }, number);

describe.each(Object.entries(databaseKinds()))('%s', (_name, kind) => {
  if (kind.missing !== undefined) {
    test.skip(`not tried here: ${kind.missing}`, () => {});
    return;
  }

  let place: string;
  let record: Record;
  beforeAll(() => kind.start());
  afterAll(() => kind.stop());
  beforeEach(async () => {
    place = await kind.make();
    record = await openRecord(place);
  });
  afterEach(() => record.close());

  const rows = () => record.store.rowsAfter(0, 1000);

  test('the personal values of all of a person’s rows are gone, and the others stay', async () => {
    await record.commit({ ...aFullRow(), identity: { ...ALICE, roles: ['x'] } }, of(BOB, 2));
    await record.forget('alice');
    const [forgotten, other] = await rows();
    expect(forgotten).toMatchObject({
      isForgotten: true,
      method: 'GET',
      status: 200,
      decision: 'allow',
      route: 'orders',
      path: '',
      clientAddress: '',
    });
    expect(forgotten).not.toHaveProperty('identity');
    expect(other).toMatchObject({ identity: BOB, path: '/of/bob' });
  });

  test('verification finds nothing afterwards, and counts the erased rows', async () => {
    await record.commit(of(ALICE, 1), of(BOB, 2), of(ALICE, 3));
    const before = await record.sign();
    await record.forget('alice');
    await record.sign();
    const verified = await record.verify(before ? [before] : []);
    expect(verified).toMatchObject({ findings: [], rows: 4, erased: 2, unsigned: 0 });
  });

  test('an event tells of it by number, and no name stands in it', async () => {
    await record.commit(of(ALICE, 1), of(ALICE, 2));
    await record.forget('alice');
    const event = (await rows()).at(-1);
    expect(event).toMatchObject({
      kind: 'event',
      event: 'person-forgotten',
      details: { person: 1, rows: 2 },
    });
    expect(JSON.stringify(event)).not.toMatch(/alice|"a-1/);
  });

  test('who was called otherwise once is forgotten under both names, by any of the three', async () => {
    const renamed = { ...ALICE, user: 'alice.smith' };
    for (const [at, text] of ['alice', 'alice.smith', 'a-1'].entries()) {
      const numbers = [3 * at + 1, 3 * at + 2];
      await record.commit(of(ALICE, numbers[0]!), of(renamed, numbers[1]!));
      const { persons, rows: count } = await record.forget(text);
      expect(persons.map(({ user }) => user)).toEqual(['alice', 'alice.smith']);
      expect(count).toBe(2);
    }
    expect((await record.verify()).findings).toEqual([]);
  });

  test('of two users of one name, those of the issuer that is named are forgotten', async () => {
    const other = { ...ALICE, issuer: 'https://other.example', subject: 'zz' };
    await record.commit(of(ALICE, 1), of(other, 2));
    const { persons } = await record.forget('alice', 'https://other.example');
    expect(persons).toMatchObject([{ subject: 'zz', rows: 1 }]);
    expect((await rows())[0]).toMatchObject({ identity: ALICE });
  });

  test('a lost decision, of which only the name is known, is forgotten with the rest', async () => {
    const lost = anEvent({ kind: 'lost', event: 'decision-lost', requestId: 'lost:1' });
    const { identity: _, ...nameless } = lost;
    await record.commit(of(ALICE, 1), { ...nameless, user: 'alice' });
    const { rows: count } = await record.forget('a-1', ALICE.issuer);
    expect(count).toBe(2);
    expect(await rows()).not.toContainEqual(expect.objectContaining({ user: 'alice' }));
    expect((await record.verify()).findings).toEqual([]);
  });

  test('that is so of any issuer: a name alone is nobody’s in particular', async () => {
    const { identity: _, ...nameless } = anEvent({ kind: 'lost', event: 'decision-lost' });
    await record.commit({ ...nameless, user: 'alice' });
    expect(await record.forget('alice', ALICE.issuer)).toMatchObject({ rows: 1 });
  });

  test('nobody is forgotten, and no event made, when nobody is found', async () => {
    await record.commit(of(BOB, 1), aRow({ requestId: requestId(9) }));
    const { identity: _, ...nobodys } = aRow({}, 3);
    await record.commit(nobodys);
    expect(await record.forget('carol')).toEqual({ persons: [], rows: 0, setAside: 0 });
    expect(await record.forget('')).toEqual({ persons: [], rows: 0, setAside: 0 });
    expect(await rows()).toHaveLength(3);
  });

  test('who comes back is a new person with a new key, also to a recorder that ran meanwhile', async () => {
    await record.commit(of(ALICE, 1));
    const beside = await openRecord(place);
    try {
      await beside.forget('alice');
    } finally {
      await beside.close();
    }
    await record.commit(of(ALICE, 2));
    const found = await record.database.all(
      'SELECT person FROM audit_rows WHERE chain = ? AND kind = ? ORDER BY sequence',
      [record.chain, 'request'],
    );
    expect(found.map(({ person }) => person)).toEqual([1, 2]);
    expect((await record.verify()).findings).toEqual([]);
    expect(await record.forget('alice')).toMatchObject({ persons: [{ person: 2, rows: 1 }] });
    expect((await record.verify()).findings).toEqual([]);
  });

  test('who acted on behalf of others stays in their rows, and is counted', async () => {
    const actor = { subject: 'a-1', issuer: ALICE.issuer };
    await record.commit(
      of(ALICE, 1),
      of({ ...BOB, actor }, 2),
      of({ ...BOB, actor: { subject: 'a-11' } }, 3),
    );
    const { persons } = await record.forget('alice');
    expect(await countActing(record.database, record.chain, persons)).toBe(1);
    expect((await rows())[1]).toMatchObject({ identity: { actor } });
  });

  test('lines set aside lose their beginning when it holds the name in any spelling', async () => {
    const odd = { ...ALICE, subject: 'sub"jekt%_!', user: 'Älice' };
    const lines = [
      'x älice',
      'x ALICE Älice',
      '{"s":"sub\\"jekt%_!"}',
      '/?s=sub%22jekt%25_!',
      'bob',
      'subXjekt',
    ];
    await record.store.commit({
      rows: [of(odd, 1)],
      setAside: lines.map((line) => setAsideLine(Buffer.from(line), 'not-json')),
    });
    const { setAside } = await record.forget('Älice');
    const left = await record.database.all("SELECT head FROM set_aside WHERE head <> ''");
    const texts = left.map(({ head }) => String(head)).toSorted();
    expect(texts.filter((text) => /Älice|jekt%/.test(text))).toEqual([]);
    expect(texts).toEqual(expect.arrayContaining(['bob', 'subXjekt']));
    expect(setAside).toBe(lines.length - texts.length);
  });

  test('decisions that are open are remembered without the name', async () => {
    const open = [{ bootId: 'b', noted: { number: 1, user: 'alice' } }, { noted: { user: 'bob' } }];
    const notes = { 'open-decisions': JSON.stringify(open), settings: '{"user":1,"a":"alice"}' };
    await record.store.commit({ rows: [of(ALICE, 1)], notes });
    await record.forget('a-1');
    expect(JSON.parse((await record.store.note('open-decisions')) ?? '')).toEqual([
      { bootId: 'b', noted: { number: 1 } },
      { noted: { user: 'bob' } },
    ]);
    expect(await record.store.note('settings')).toBe(notes.settings);
  });

  test('who is meant can be asked before', async () => {
    await record.commit(of(ALICE, 1), of(ALICE, 2), of(BOB, 3));
    const [person, ...others] = await findPersons(record.database, record.chain, { user: 'alice' });
    expect(others).toEqual([]);
    expect(person).toEqual({ person: 1, issuer: ALICE.issuer, subject: 'a-1', user: 'alice' });
    expect(await countRows(record.database, record.chain, person!)).toBe(2);
  });

  test('2,345 rows of one person beside as many of another', async () => {
    const both = (number: number) => [of(ALICE, 2 * number), of(BOB, 2 * number + 1)];
    for (let from = 0; from < 2345; from += 335) {
      await record.commit(...Array.from({ length: 335 }, (_, at) => both(from + at)).flat());
    }
    expect(await record.forget('bob')).toMatchObject({ rows: 2345 });
    expect(await record.verify()).toMatchObject({ findings: [], rows: 4691, erased: 2345 });
  });

  /** Verifies, and does something else when the first row is read. */
  async function verifyAnd(meanwhile: () => Promise<unknown>) {
    const reader = createAuditReader(record.database);
    let isFirst = true;
    const all: typeof reader.all = async (sql, values) => {
      const isRows = sql.startsWith('SELECT * FROM audit_rows');
      if (isRows && isFirst) await meanwhile();
      isFirst &&= !isRows;
      return reader.all(sql, values);
    };
    const publicKeys = publicKeysOf([KEY.publicKey]);
    return verifyChain({ all }, record.chain, { publicKeys, published: [] });
  }

  test('a verification that is under way begins again', async () => {
    await record.commit(of(ALICE, 1), of(BOB, 2));
    await record.sign();
    const verified = await verifyAnd(() => record.forget('alice'));
    expect(verified).toMatchObject({ findings: [], rows: 3, erased: 1 });
  });

  test('a verification that is under way is not disturbed by somebody who is new', async () => {
    await record.commit(of(ALICE, 1));
    await record.sign();
    const verified = await verifyAnd(async () => {
      await record.commit(of(BOB, 2));
      await record.sign();
    });
    expect(verified).toMatchObject({ findings: [], rows: 1 });
  });

  test('nothing breaks for a recorder that writes at the same time', async () => {
    const recording = startRecording(place);
    let erased = 0;
    for (let round = 1; round <= 8; round++) {
      await recording.committed(10 * round);
      erased += (await record.forget('alice')).rows;
    }
    const recorded = await recording.stop();
    erased += (await record.forget('alice')).rows;
    expect(erased).toBe(recorded / 2);
    expect(await record.verify()).toMatchObject({ findings: [], erased });
  });
});

describe('SQLite’s file', () => {
  const { SQLite: kind } = databaseKinds();
  let place: string;
  let record: Record;
  beforeAll(() => kind!.start());
  afterAll(() => kind!.stop());
  beforeEach(async () => {
    place = await kind!.make();
    record = await openRecord(place);
  });
  afterEach(() => record.close());

  const bytes = () => Buffer.concat([readFileSync(place), readFileSync(`${place}-wal`)]);

  const PERSONS = 150;
  const nameOf = (person: number) => `person-${String(person).padStart(3, '0')}@`;

  // As many rows and names as it takes for pages to be split, in an order that splits them everywhere.
  async function fill(): Promise<void> {
    const random = createRandom(1);
    for (let batch = 0; batch < 40; batch++) {
      const some = Array.from({ length: 200 }, (_, at) => {
        const user = `${nameOf(random.below(PERSONS))}example.com`;
        const identity = { ...ALICE, user, subject: `sub-${user}` };
        const path = `/${user}/${'x'.repeat(random.below(83))}`;
        return aRow({ identity, path, startedAtUs: random.below(10_000_000) }, batch * 200 + at);
      });
      await record.commit(...some);
    }
  }

  test('holds no byte of the names after they are forgotten and the file is written anew', async () => {
    await fill();
    const names = Array.from({ length: 20 }, (_, at) => nameOf(at * 7));
    for (const name of names) expect(bytes().includes(name)).toBe(true);
    const beside = await openRecord(place);
    await overwriteDeleted(beside.database);
    for (const name of names) {
      expect(await beside.forget(`${name}example.com`)).toMatchObject({ persons: [{}] });
    }
    expect(await rewrite(beside.database)).toBeUndefined();
    await beside.close();
    expect(names.filter((name) => bytes().includes(name))).toEqual([]);
    expect((await record.verify()).findings).toEqual([]);
    // The recorder that had the file open all the time goes on.
    await record.commit(aRow({}, 99_999));
    expect((await record.verify()).findings).toEqual([]);
  });

  test('a reader that holds an earlier state is told of: its log can’t be emptied', async () => {
    await record.commit(of(ALICE, 1));
    const reader = await openRecord(place);
    await reader.database.all('BEGIN');
    await reader.database.all('SELECT count(*) FROM audit_rows');
    await record.database.all('PRAGMA busy_timeout = 50');
    await record.forget('alice');
    expect(await emptyLog(record.database)).toMatch(/reading/);
    await reader.database.all('COMMIT');
    expect(await emptyLog(record.database)).toBeUndefined();
    await reader.close();
  });
});
