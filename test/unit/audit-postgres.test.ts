// The parts of PostgreSQL's side that need no server: SQL as it is sent, URLs, and what a Fault says.
import { describe, expect, test } from '@jest/globals';
import { isReading } from '../../sidecar/audit/postgres-sql.ts';
import { explain } from '../../sidecar/fault.ts';
import { isOfConnection, postgresFault } from '../../sidecar/postgres/fault.ts';
import { nameOf, placeOf } from '../../sidecar/postgres/place.ts';
import { createStatements, numbered, parserOf } from '../../sidecar/postgres/sql.ts';
import type { PostgresUse } from '../../sidecar/postgres/use.ts';

const PLACE = { host: 'db.example.com', port: 5432, database: 'signet' };
const USE: PostgresUse = {
  code: 'ERR_AUDIT_STORE',
  store: 'audit store',
  locked: 'this chain',
  maxConnections: 3,
};

describe('the ? of a statement', () => {
  test.each([
    ['SELECT ?, ?', 'SELECT $1, $2'],
    [`SELECT '?', 'it''s ?', ?`, `SELECT '?', 'it''s ?', $1`],
    ['SELECT "a?" FROM "b""?" WHERE c = ?', 'SELECT "a?" FROM "b""?" WHERE c = $1'],
    ['SELECT 1 -- ?\n, ?', 'SELECT 1 -- ?\n, $1'],
    ['SELECT /* ? \n */ ?', 'SELECT /* ? \n */ $1'],
  ])('%s', (given, sent) => expect(numbered(given)).toBe(sent));
});

test('a text is always the same prepared statement, and a bounded number of them is prepared', () => {
  const statements = createStatements();
  expect(statements('SELECT ?')).toBe(statements('SELECT ?'));
  const names = Array.from({ length: 1_000 }, (_, at) => statements(`SELECT ${at}`).name);
  const prepared = names.filter((name) => name !== undefined);
  expect(new Set(prepared).size).toBe(prepared.length);
  expect(prepared.length).toBeLessThan(200);
});

describe('a statement that only reads', () => {
  test.each([
    ['SELECT 1', true],
    ['\n  select "user" from audit_rows', true],
    ['WITH a AS (SELECT 1) SELECT * FROM a', true],
    ['INSERT INTO notes VALUES (1) RETURNING chain', false],
    ['WITH gone AS (DELETE FROM gaps RETURNING first) SELECT * FROM gone', false],
    ['SELECT 1 FROM persons FOR UPDATE', false],
    ['CREATE TABLE a (b TEXT)', false],
  ])('%s: %s', (sql, reads) => expect(isReading(sql)).toBe(reads));
});

describe('a value as the server sends it', () => {
  test.each([
    ['a whole number', 20, '-9007199254740991', -9007199254740991],
    ['an average', 1700, '1.5000000000000000', 1.5],
    ['bytes', 17, '\\x00ff', new Uint8Array([0, 255])],
    [
      'bytes of a server that escapes them',
      17,
      'a\\\\\\000\\377',
      new Uint8Array([97, 92, 0, 255]),
    ],
    ['a truth', 16, 't', 1],
    ['a text', 25, '12', '12'],
    ['anything else', 2205, 'audit_rows', 'audit_rows'],
  ])('%s', (_case, type, text, value) => expect(parserOf(type)(text)).toEqual(value));

  test.each([20, 1700])('a number of type %d that would be rounded throws', (type) => {
    expect(() => parserOf(type)('9007199254740993')).toThrow('9007199254740993');
  });
});

describe('the URL', () => {
  test.each([
    ['postgres://u:p@db.example.com/signet', 'db.example.com:5432, database signet'],
    ['postgresql://u:p%40%2F@127.0.0.1:6543/a%20b?sslmode=disable', '127.0.0.1:6543, database a b'],
    ['postgres://u@[::1]:1/d', '::1:1, database d'],
    ['postgres://u:p@/d?host=/run/postgresql', '/run/postgresql/.s.PGSQL.5432, database d'],
  ])('%s is a place', (url, name) =>
    expect(nameOf(placeOf(url, USE))).toBe(`PostgreSQL at ${name},`),
  );

  // Each puts a part of the password where host, port, path or query are expected.
  test.each([
    'postgres://u:se/cret@host/d',
    'postgres://u:1/cret@host/d',
    'postgres://u:1?cret@host/d',
    'postgres://u:1#cret@host/d',
    'postgres://u:cret@x/y@host/d',
    'postgres://u:cret%ff@host/d',
    'host=h user=u password=cret',
    'mysql://u:cret@host/d',
    'cret',
    '',
  ])('%s is refused without a part of it', (url) => {
    const refused = () => placeOf(url, USE);
    expect(refused).toThrow(expect.objectContaining({ code: 'ERR_AUDIT_STORE' }));
    expect(refused).not.toThrow(/cret/);
  });

  test('a file of it that is missing is said to be missing', () => {
    const url = 'postgres://u:p@h/d?sslmode=verify-full&sslrootcert=/not/there.pem';
    expect(() => placeOf(url, USE)).toThrow(/can't be read \(ENOENT\)/);
  });
});

describe('what a Fault says', () => {
  const say = (code: string, message = 'as the server says') =>
    explain(postgresFault(PLACE, USE, Object.assign(new Error(message), { code })));

  test.each([
    ['28P01', 'does not let Signet in'],
    ['28000', 'does not let Signet in'],
    ['3D000', "doesn't have that database"],
    ['42501', 'does not grant'],
    ['53100', 'has a full disk: make room there'],
    ['57P01', 'is being shut down or restarted'],
    ['25006', 'accepts no changes'],
    ['ENOTFOUND', "can't be found"],
    ['08006', 'broke the connection off'],
  ])('%s: %s', (code, sentence) => {
    const said = say(code);
    expect(said).toContain(`PostgreSQL at db.example.com:5432, database signet, ${sentence}`);
    expect(said).toContain(`as the server says (${code})`);
  });

  test('an unknown code is told with what the server says', () => {
    expect(say('XX000')).toContain('signet, failed: as the server says (XX000)');
  });

  test('a message that quotes a value is left out', () => {
    expect(say('22P02', 'invalid input syntax: "alice"')).not.toContain('alice');
  });

  test('a name with two addresses is told with both', () => {
    const errors = [
      new Error('connect ECONNREFUSED ::1'),
      new Error('connect ECONNREFUSED 127.0.0.1'),
    ];
    const error = Object.assign(new AggregateError(errors, ''), { code: 'ECONNREFUSED' });
    expect(explain(postgresFault(PLACE, USE, error))).toContain(
      '::1, connect ECONNREFUSED 127.0.0.1',
    );
  });
});

describe('an error tells of the connection, not of what was asked', () => {
  test.each([
    ['ECONNRESET', true],
    ['EPIPE', true],
    ['57P01', true],
    ['08006', true],
    ['', true],
    ['57014', false],
    ['23505', false],
    ['XX000', false],
  ])('%s: %s', (code, isSo) => expect(isOfConnection({ code })).toBe(isSo));
});
