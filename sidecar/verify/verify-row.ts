// One stored row as the verification sees it. It may be damaged in any way: what can't be read is said,
// never thrown.
import type { KeyObject } from 'node:crypto';
import { commitmentOf, HASH_BYTES, isHashable, rowHash } from '../audit/chain.ts';
import type { Columns, Value } from '../audit/database.ts';
import { readForgotten, type ForgottenEvent } from '../audit/forgotten.ts';
import { PERSONAL_COLUMNS, PLAIN_COLUMNS } from '../audit/schema.ts';
import type { PublicKeys } from '../audit/signing-key.ts';

export type ReadRow = {
  readonly columns: Columns;
  /** Absent when its sequence is no number of a row. */
  readonly place: number | undefined;
  readonly person: number | undefined;
  /** The hash that stands beside it; absent when that is none. */
  readonly stored: Uint8Array | undefined;
  /** Absent when the person's key isn't there, or the values are not ones that can be hashed. */
  readonly commitment: Uint8Array | undefined;
  /** Its commitment is stored, because its personal values are gone. */
  readonly isErased: boolean;
  /** What is wrong with it whatever its hash says: goes on from `Row 17: …`. */
  readonly damage: string | undefined;
};

/** Returns what can be read of a row; `persons` are the keys by number. */
export function readRow(columns: Columns, persons: ReadonlyMap<number, KeyObject>): ReadRow {
  const person = wholeNumber(columns['person'], 0);
  const stored = bytesOf(columns['hash']);
  const kept = bytesOf(columns['commitment']);
  const odd = oddColumn(columns);
  const key = person === undefined ? undefined : persons.get(person);
  const made = key && odd === undefined ? commitmentOf(columns, key) : undefined;
  return {
    columns,
    place: wholeNumber(columns['sequence'], 1),
    person,
    stored,
    commitment: odd === undefined ? (kept ?? made) : undefined,
    isErased: kept !== undefined,
    damage: damageOf(columns, { odd, person, stored, kept }),
  };
}

/** Returns the hash that a row has after this one and in this place, if it can be made. */
export function hashAt(
  { columns, commitment, place }: ReadRow,
  previous: Uint8Array,
  chain: string,
  sequence: number,
): Buffer | undefined {
  if (commitment === undefined) return undefined;
  const placed = sequence === place ? columns : { ...columns, sequence };
  return rowHash(previous, chain, placed, commitment);
}

/** Returns what a `person-forgotten` event tells; undefined for other rows. */
export function forgottenIn(
  { columns }: ReadRow,
  chain: string,
  publicKeys: PublicKeys,
): ForgottenEvent | undefined {
  if (columns['event'] !== 'person-forgotten') return undefined;
  return readForgotten(columns, detailsOf(columns) ?? {}, chain, publicKeys);
}

/** Returns the columns that stand for a row which the database has and can't hand out. */
export function unreadable(sequence: Value, hash: Value): Columns {
  return { sequence, hash, [UNREADABLE]: 1 };
}

const UNREADABLE = 'can’t be read';

type Parts = {
  readonly odd: string | undefined;
  readonly person: number | undefined;
  readonly stored: Uint8Array | undefined;
  readonly kept: Uint8Array | undefined;
};

function damageOf(columns: Columns, { odd, person, stored, kept }: Parts): string | undefined {
  if (columns[UNREADABLE] !== undefined) return 'a value that can’t be read';
  if (odd !== undefined) return `a value that no row can have (${odd})`;
  if (person === undefined) return 'no person';
  if (stored === undefined) return `no hash of ${HASH_BYTES} bytes`;
  if (kept === undefined && !isNull(columns['commitment'])) return 'a commitment that is none';
  if (kept !== undefined && PERSONAL_COLUMNS.some((name) => !isNull(columns[name]))) {
    return 'erased, and personal values in it all the same';
  }
  const hasDetails = isNull(columns['details']) || detailsOf(columns) !== undefined;
  return hasDetails ? undefined : 'details that are no JSON object';
}

// A sequence of another sort is not named: such a row has no place.
function oddColumn(columns: Columns): string | undefined {
  const isOdd = (name: string) => !isNull(columns[name]) && !isHashable(columns[name]);
  return (
    PLAIN_COLUMNS.find((name) => name !== 'sequence' && isOdd(name)) ??
    PERSONAL_COLUMNS.find(isOdd) ??
    tooLong(columns)
  );
}

/** A line of the log has 1 MiB at most. Beyond half a gigabyte, the text to be hashed can't be made. */
const MAX_ROW_CHARS = 16 * 1024 * 1024;

function tooLong(columns: Columns): string | undefined {
  let chars = 0;
  for (const name in columns) {
    const value = columns[name];
    if (typeof value === 'string' && (chars += value.length) > MAX_ROW_CHARS) return name;
  }
  return undefined;
}

function isNull(value: Value | undefined): boolean {
  return value === null || value === undefined;
}

function bytesOf(value: Value | undefined): Uint8Array | undefined {
  return value instanceof Uint8Array && value.length === HASH_BYTES ? value : undefined;
}

function wholeNumber(value: unknown, least: number): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= least ? Number(value) : undefined;
}

function detailsOf(columns: Columns): Record<string, unknown> | undefined {
  try {
    const details: unknown = JSON.parse(String(columns['details']));
    const isObject = typeof details === 'object' && details !== null && !Array.isArray(details);
    return isObject ? { ...details } : undefined;
  } catch {
    return undefined;
  }
}
