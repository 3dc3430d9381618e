// Rows as both stores select them, and what is a session of them. Whoever can write a store must not stop it for
// everybody by one number: what can't be a time or a version comes as null.
import type { SessionSeen, StoredSession } from './store.ts';

/** Returns the column where its value lies between these, else null. */
export function between(column: string, least: number, most: number): string {
  return `CASE WHEN ${column} BETWEEN ${least} AND ${most} THEN ${column} END AS ${column}`;
}

/** The column `version` where a process can count on. */
export const VERSION = between('version', 1, Number.MAX_SAFE_INTEGER);

type Row = Readonly<Record<string, string | number | bigint | Uint8Array | null>>;

/** Returns what the gate needs; undefined for no row, or one whose times or version make no sense. */
export function seenOf(
  row: Row | undefined,
  createdAtMs: number | undefined,
  seenAtMs: number | undefined,
): SessionSeen | undefined {
  if (row === undefined || row['version'] === null) return undefined;
  if (createdAtMs === undefined || seenAtMs === undefined) return undefined;
  const { payload, version, subject_tag: subjectTag, sid_tag: sidTag } = row;
  return {
    payload: String(payload),
    subjectTag: String(subjectTag),
    ...(sidTag !== null && { sidTag: String(sidTag) }),
    ...{ createdAtMs, seenAtMs, version: Number(version) },
  };
}

/** Returns all of a session, of its row and what the gate needs of it. */
export function storedOf(
  row: Row | undefined,
  seen: SessionSeen | undefined,
): StoredSession | undefined {
  return row && seen && { ...seen, tokens: String(row['tokens']) };
}

/** Returns what is listed of a row: something to remove, in any case. */
export function listedOf(
  row: Row,
  seen: SessionSeen | undefined,
): StoredSession & { readonly key: string } {
  return { ...(storedOf(row, seen) ?? SENSELESS), key: String(row['key']) };
}

const SENSELESS: StoredSession = {
  ...{ payload: '', tokens: '', subjectTag: '' },
  ...{ createdAtMs: 0, seenAtMs: 0, version: 0 },
};
