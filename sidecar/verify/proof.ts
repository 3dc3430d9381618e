// Reads from the store what the verification of a chain needs, its rows in pages. What is judged, and how,
// is in verify.ts.
import { createSecretKey, type KeyObject } from 'node:crypto';
import { HASH_BYTES } from '../audit/chain.ts';
import type { Columns } from '../audit/database.ts';
import type { Finding } from './finding.ts';
import { headFrom, stubFrom, type Head } from '../audit/head.ts';
import { PERSONS_ERASED, type Name } from '../audit/persons.ts';
import type { AuditReader } from '../audit/reader.ts';
import type { PublicKeys } from '../audit/signing-key.ts';
import { verify, type Evidence, type Verification } from './verify.ts';
import { unreadable } from './verify-row.ts';

/** Rows of one page. */
const PAGE_ROWS = 1_000;
/** Somebody may be forgotten, or rows be removed, while rows are read: then it begins again. */
const MAX_TRIES = 5;

export type ProofOptions = {
  readonly publicKeys: PublicKeys;
  /** Heads that were kept elsewhere; those of other chains are passed over. */
  readonly published: readonly Head[];
  /** What was found of the store itself. */
  readonly store?: readonly Finding[];
  /** With it, old rows without any head are a finding. */
  readonly nowUs?: number;
  /** Is told now and then how many rows were read. */
  readonly onProgress?: (rows: number) => void;
};

type Source = Pick<AuditReader, 'all'>;

/** Verifies a chain of the store, beside its writers. Throws store faults; all else is a finding. */
export async function verifyChain(
  reader: Source,
  chain: string,
  { publicKeys, onProgress, ...given }: ProofOptions,
): Promise<Verification> {
  for (let tries = 1; ; tries++) {
    const before = await stateOf(reader, chain);
    const evidence = { ...(await evidenceOf(reader, chain)), ...given };
    const verification = await verify(evidence, publicKeys, onProgress);
    const isSettled = (await stateOf(reader, chain)) === before;
    if (isSettled || verification.findings.length === 0 || tries === MAX_TRIES) return verification;
  }
}

// In this order: no head is beyond the last row, and of each row up to that the person's key is there.
// Whole numbers as text: one beyond 2^53 is damage to tell of, and must not keep the others from being read.
async function evidenceOf(reader: Source, chain: string): Promise<Evidence> {
  const [stub] = await reader.all(STUB, [chain]);
  const heads = await reader.all(HEADS, [chain]);
  const [last] = await reader.all(LAST, [chain, Number.MAX_SAFE_INTEGER]);
  const { keys, names } = await personsOf(reader, chain);
  return {
    chain,
    ...(stub !== undefined && { stub: stubFrom(stub) }),
    heads: heads.map(headFrom),
    persons: keys,
    names,
    rows: rowsOf(reader, chain, Number(last?.['sequence'] ?? 0)),
  };
}

const text = (name: string) => `CAST(${name} AS TEXT) AS ${name}`;

const STUB =
  `SELECT chain, ${text('sequence')}, hash, ${text('rows')}, ${text('removed_at_us')}, key_id, signature ` +
  'FROM stubs WHERE chain = ?';
const HEADS =
  `SELECT chain, ${text('sequence')}, hash, ${text('signed_at_us')}, key_id, signature ` +
  'FROM heads WHERE chain = ?';
const PERSONS = `SELECT ${text('person')}, issuer, subject, "user", key FROM persons WHERE chain = ?`;
const LAST =
  'SELECT sequence FROM audit_rows WHERE chain = ? AND sequence <= ? ORDER BY sequence DESC LIMIT 1';

// What makes of rows that were read before, and of keys read then, two things that don't fit.
async function stateOf(reader: Source, chain: string): Promise<string> {
  const sql =
    'SELECT (SELECT value FROM notes WHERE chain = ? AND name = ?) AS erased, ' +
    '(SELECT CAST(sequence AS TEXT) FROM stubs WHERE chain = ?) AS removed';
  const [state] = await reader.all(sql, [chain, PERSONS_ERASED, chain]);
  return JSON.stringify(state);
}

type Persons = { readonly keys: Map<number, KeyObject>; readonly names: Map<number, Name> };

// A key that is none is left out: the verification says of whom it is missing.
async function personsOf(reader: Source, chain: string): Promise<Persons> {
  const keys = new Map<number, KeyObject>();
  const names = new Map<number, Name>();
  for (const { person, key, issuer, subject, user } of await reader.all(PERSONS, [chain])) {
    const number = Number(person);
    names.set(number, { issuer: String(issuer), subject: String(subject), user: String(user) });
    if (key instanceof Uint8Array && key.length === HASH_BYTES) {
      keys.set(number, createSecretKey(key));
    }
  }
  return { keys, names };
}

async function* rowsOf(reader: Source, chain: string, upTo: number): AsyncGenerator<Columns> {
  for (let after = Number.MIN_SAFE_INTEGER; ;) {
    const rows = await pageOf(reader, chain, after, upTo);
    yield* rows;
    if (rows.length < PAGE_ROWS) break;
    after = Number(rows.at(-1)?.['sequence']);
  }
  yield* numberless(reader, chain);
}

// One row that can't be read makes a page one that can't be read. Then it is read row by row; when not
// even the numbers can be read, it is the store that fails.
async function pageOf(
  reader: Source,
  chain: string,
  after: number,
  upTo: number,
): Promise<readonly Columns[]> {
  const page = `AND sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ${PAGE_ROWS}`;
  const values = [chain, after, upTo];
  try {
    return await reader.all(`SELECT * FROM audit_rows WHERE chain = ? ${page}`, values);
  } catch {
    const sql = `SELECT sequence, hash FROM audit_rows WHERE chain = ? ${page}`;
    const rows: Columns[] = [];
    for (const place of await reader.all(sql, values)) rows.push(await rowAt(reader, chain, place));
    return rows;
  }
}

/** Times that a row is asked for: a connection may break, and is made anew. */
const MAX_ASKED = 3;

async function rowAt(reader: Source, chain: string, place: Columns): Promise<Columns> {
  const where = 'FROM audit_rows WHERE chain = ? AND sequence = ?';
  const values = [chain, place['sequence'] ?? null];
  for (let asked = 1; asked <= MAX_ASKED; asked++) {
    try {
      const [row] = await reader.all(`SELECT * ${where}`, values);
      return row ?? place;
    } catch {
      await reader.all(`SELECT sequence ${where}`, values); // throws when it isn't the row's fault
    }
  }
  return unreadable(place['sequence'] ?? null, place['hash'] ?? null);
}

// Rows with numbers that no row can have.
async function* numberless(reader: Source, chain: string): AsyncGenerator<Columns> {
  const sql =
    'SELECT request_id FROM audit_rows WHERE chain = ? AND (sequence > ? OR sequence <= ?) ' +
    `ORDER BY sequence LIMIT ${PAGE_ROWS}`;
  const bounds = [chain, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
  for (const row of await reader.all(sql, bounds)) yield { ...row, sequence: null };
}
