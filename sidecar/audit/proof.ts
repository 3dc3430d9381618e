// Reads from the store what the verification of a chain needs, its rows in pages. What is judged, and how,
// is in verify.ts.
import { createSecretKey, type KeyObject } from 'node:crypto';
import { HASH_BYTES } from './chain.ts';
import type { Columns } from './database.ts';
import { headFrom, stubFrom, type Head } from './head.ts';
import { PERSONS_ERASED } from './persons.ts';
import type { AuditReader } from './reader.ts';
import type { PublicKeys } from './signing-key.ts';
import { verify, type Evidence, type Verification } from './verify.ts';

/** Rows of one page. */
const PAGE_ROWS = 1_000;
/** Somebody may be forgotten, or rows be removed, while rows are read: then it begins again. */
const MAX_TRIES = 5;

export type ProofOptions = {
  readonly publicKeys: PublicKeys;
  /** Heads that were kept elsewhere; those of other chains are passed over. */
  readonly published: readonly Head[];
  /** Is told now and then how many rows were read. */
  readonly onProgress?: (rows: number) => void;
};

type Source = Pick<AuditReader, 'all'>;

/** Verifies a chain of the store, beside its writers. Throws store faults; all else is a finding. */
export async function verifyChain(
  reader: Source,
  chain: string,
  { publicKeys, published, onProgress }: ProofOptions,
): Promise<Verification> {
  for (let tries = 1; ; tries++) {
    const before = await stateOf(reader, chain);
    const evidence = { ...(await evidenceOf(reader, chain)), published };
    const verification = await verify(evidence, publicKeys, onProgress);
    const isSettled = (await stateOf(reader, chain)) === before;
    if (isSettled || verification.findings.length === 0 || tries === MAX_TRIES) return verification;
  }
}

// In this order: no head is beyond the last row, and of each row up to that the person's key is there.
async function evidenceOf(reader: Source, chain: string): Promise<Evidence> {
  const [stub] = await reader.all('SELECT * FROM stubs WHERE chain = ?', [chain]);
  const heads = await reader.all('SELECT * FROM heads WHERE chain = ?', [chain]);
  const sql = 'SELECT sequence FROM audit_rows WHERE chain = ? ORDER BY sequence DESC LIMIT 1';
  const [last] = await reader.all(sql, [chain]);
  return {
    chain,
    ...(stub !== undefined && { stub: stubFrom(stub) }),
    heads: heads.map(headFrom),
    persons: await keysOf(reader, chain),
    rows: rowsOf(reader, chain, Number(last?.['sequence'] ?? 0)),
  };
}

// What makes of rows that were read before, and of keys read then, two things that don't fit.
async function stateOf(reader: Source, chain: string): Promise<string> {
  const sql =
    'SELECT (SELECT value FROM notes WHERE chain = ? AND name = ?) AS erased, ' +
    '(SELECT sequence FROM stubs WHERE chain = ?) AS removed';
  const [state] = await reader.all(sql, [chain, PERSONS_ERASED, chain]);
  return JSON.stringify(state);
}

// A key that is none is left out: the verification says of whom it is missing.
async function keysOf(reader: Source, chain: string): Promise<Map<number, KeyObject>> {
  const keys = new Map<number, KeyObject>();
  for (const { person, key } of await reader.all(
    'SELECT person, key FROM persons WHERE chain = ?',
    [chain],
  )) {
    if (key instanceof Uint8Array && key.length === HASH_BYTES) {
      keys.set(Number(person), createSecretKey(key));
    }
  }
  return keys;
}

async function* rowsOf(reader: Source, chain: string, upTo: number): AsyncGenerator<Columns> {
  const sql =
    'SELECT * FROM audit_rows WHERE chain = ? AND sequence > ? AND sequence <= ? ' +
    `ORDER BY sequence LIMIT ${PAGE_ROWS}`;
  for (let after = Number.MIN_SAFE_INTEGER; ;) {
    const rows = await reader.all(sql, [chain, after, upTo]);
    yield* rows;
    if (rows.length < PAGE_ROWS) return;
    after = Number(rows.at(-1)?.['sequence']);
  }
}
