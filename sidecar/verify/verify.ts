// The verification of a chain: every row against its hash and the one before it, and the hashes against
// what was signed. It reads; what is done about a finding is for people. Pure: rows come as a stream.
//
// What it can't find: rows cut from the end after the last head, stored or published; rows that were
// made anew after it; and anything but their age when the heads in the store are gone and none were
// published.
import type { KeyObject } from 'node:crypto';
import { genesisOf } from '../audit/chain.ts';
import type { Columns } from '../audit/database.ts';
import { createFindings, range, rowsText, type Finding, type Findings } from './finding.ts';
import { isSignedBy, type Head, type Stub } from '../audit/head.ts';
import type { Name } from '../audit/persons.ts';
import type { PublicKeys } from '../audit/signing-key.ts';
import { createErased } from './verify-erased.ts';
import { readHeads, type Heads, type HeadsMet } from './verify-heads.ts';
import type { HeadSummary } from './verify-tail.ts';
import { createWalk } from './verify-walk.ts';

/** What is verified. */
export type Evidence = {
  readonly chain: string;
  /** What stays of removed rows. */
  readonly stub?: Stub;
  /** All columns of `audit_rows`, by sequence. Read once. */
  readonly rows: AsyncIterable<Columns>;
  /** The persons' keys by their numbers. */
  readonly persons: ReadonlyMap<number, KeyObject>;
  /** Those in the store. In any order, like the published ones; other chains' are passed over. */
  readonly heads: Iterable<Head>;
  readonly published?: Iterable<Head>;
  /** The names of the persons, who may be more than those with keys. Without it, names aren't compared. */
  readonly names?: ReadonlyMap<number, Name>;
  /** What was found of the store itself. */
  readonly store?: readonly Finding[];
  /** With it, old rows without any head are a finding. */
  readonly nowUs?: number;
};

export type Verification = {
  /** By sequence; at most `MAX_FINDINGS` of them. */
  readonly findings: readonly Finding[];
  /** All findings, also those that are not kept. */
  readonly findingCount: number;
  /** Rows that were read. */
  readonly rows: number;
  /** The first row that should be there: 1, or the one after the stub. */
  readonly from: number;
  /** The last row that is there; one less than `from` when there is none. */
  readonly to: number;
  /** Heads in the store, and published ones, that a known key signed. */
  readonly heads: number;
  readonly published: number;
  /** The last head that the rows fit: up to there everything is signed. */
  readonly lastHead?: HeadSummary;
  /** Rows after it, which are verified by their hashes alone. */
  readonly unsigned: number;
  /** Rows whose personal values are erased. */
  readonly erased: number;
  /** Persons who were forgotten by a key that is not known any more. */
  readonly forgottenByUnknown: number;
  readonly keys: HeadsMet['keys'];
};

/** Rows from one call of `onProgress` to the next. */
export const PROGRESS_ROWS = 10_000;

/**
 * Returns what was found. Damage of any kind is a finding; only what `rows` itself throws is thrown.
 * Memory: some 400 bytes a head and as much a person, and little besides, however many rows there are.
 */
export async function verify(
  evidence: Evidence,
  publicKeys: PublicKeys,
  onProgress?: (rows: number) => void,
): Promise<Verification> {
  const { chain, persons } = evidence;
  const findings = createFindings();
  for (const finding of evidence.store ?? []) findings.add(finding);
  const start = startOf(evidence, publicKeys, findings);
  const heads = headsOf(evidence, start, publicKeys, findings);
  const erased = createErased({ ...evidence, publicKeys, heads, findings });
  const walk = createWalk({ chain, persons, heads, erased, findings, start });
  let rows = 0;
  let newest: Columns | undefined;
  for await (const columns of evidence.rows) {
    walk.row(columns);
    rows += 1;
    // Verifying doesn't make a record any younger.
    if (columns['event'] !== 'verification-run') newest = columns;
    if (rows % PROGRESS_ROWS === 0) onProgress?.(rows);
  }
  const { last, top, unproven } = walk.end();
  if (unproven !== undefined) findings.add(unprovenRows(unproven, top));
  const met = heads.finish(top);
  if (start.isDoubtful && met.last === undefined) findings.add(unknownStub(start.sequence));
  if (met.keys.length === 0 && isOld(newest, evidence.nowUs)) {
    findings.add(headless(start.sequence + 1, last));
  }
  const { rows: erasedRows, byUnknown } = erased.finish();
  return {
    findings: findings.list(),
    findingCount: findings.count(),
    rows,
    from: start.sequence + 1,
    to: last,
    heads: met.stored,
    published: met.published,
    ...(met.last && { lastHead: met.last }),
    unsigned: Math.min(rows, Math.max(0, top - heads.lastGood())),
    erased: erasedRows,
    forgottenByUnknown: byUnknown,
    keys: met.keys,
  };
}

/** A sidecar signs every minute while there are new rows, and when it stops. */
const MAX_UNSIGNED_US = 600_000_000;

function isOld(newest: Columns | undefined, nowUs: number | undefined): boolean {
  const at = newest?.['started_at_us'];
  return typeof at === 'number' && nowUs !== undefined && at < nowUs - MAX_UNSIGNED_US;
}

function headless(from: number, to: number): Finding {
  const text =
    `${rowsText(from, to)}: no head is in the store and none was published, though a sidecar signs every ` +
    'minute. All of them may have been made anew.';
  return { kind: 'head-missing', ...range(from, to), text };
}

type Start = {
  readonly sequence: number;
  readonly hash: Uint8Array;
  /** A stub that was signed by a key that is not known, unless a head covers it. */
  readonly isDoubtful: boolean;
};

// A forged stub is not believed: the rows that it stands for are missing.
function startOf({ chain, stub }: Evidence, publicKeys: PublicKeys, findings: Findings): Start {
  const origin = { sequence: 0, hash: genesisOf(chain), isDoubtful: false };
  if (stub === undefined) return origin;
  const signedness = stub.chain === chain ? isSignedBy(stub, publicKeys) : 'forged';
  if (signedness === 'forged') {
    findings.add(forgedStub(stub));
    return origin;
  }
  const { sequence, hash } = stub;
  return { sequence, hash: Buffer.from(hash, 'hex'), isDoubtful: signedness === 'unknown-key' };
}

function headsOf(
  evidence: Evidence,
  start: Start,
  publicKeys: PublicKeys,
  findings: Findings,
): Heads {
  const { chain, heads: stored, published = [] } = evidence;
  const heads = readHeads(
    { chain, stored, published, start: start.sequence },
    publicKeys,
    findings,
  );
  if (start.sequence > 0) heads.meet(start.sequence, [start.hash], true);
  return heads;
}

function forgedStub({ sequence, keyId }: Stub): Finding {
  const at = Number.isSafeInteger(sequence) && sequence > 0 ? sequence : 1;
  const text = `The stub for removed rows up to ${sequence} was not signed by the key that it names, ${keyId}, or is another chain's.`;
  return { kind: 'stub-forged', ...range(1, at), text };
}

function unknownStub(sequence: number): Finding {
  const text = `${rowsText(1, sequence)}: that they were removed is signed by a key that is not known here.`;
  return { kind: 'key-unknown', ...range(1, sequence), text };
}

function unprovenRows(from: number, to: number): Finding {
  const text = `${rowsText(from, to)} beyond missing ones: nothing signed vouches for them, they may have been inserted.`;
  return { kind: 'unproven', ...range(from, to), text };
}
