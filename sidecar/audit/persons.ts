// The persons of a chain: a number that stands for one in the hashes, and the key under which that
// person's values are committed to. With the key gone, nobody can try out who it was.
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import type { RowColumns } from './columns.ts';
import type { Queries } from './database.ts';
import { noteOf, setNote } from './notes.ts';
import type { RowIdentity } from './row.ts';

export type Person = { readonly person: number; readonly key: KeyObject };

/** Bytes of a person's key: as long as the hash that it keys. */
const KEY_BYTES = 32;
/** How many persons are remembered between batches; the others are looked up. */
const MAX_REMEMBERED = 10_000;

/** Rows without a name are nobody's: person 0, whose key is never erased. */
const NOBODY = { issuer: '', subject: '', user: '' };

/** What tells a person from others. */
export type Name = Pick<RowIdentity, 'issuer' | 'subject' | 'user'>;

/** The same in the columns of a row: the texts as they are stored, so that both stay one. */
type Named = Pick<RowColumns, keyof Name>;

/** Names of the notes: the next free number, and how often persons were erased. */
const NEXT_PERSON = 'next-person';
export const PERSONS_ERASED = 'persons-erased';

export type Persons = {
  /** Call it first in each transaction: who was erased meanwhile is not remembered any longer. */
  refresh(queries: Queries): Promise<void>;
  /** Returns the person of a row, when it is remembered. */
  known(columns: Named): Person | undefined;
  /** Returns the person of a row, made if it is new. */
  of(queries: Queries, columns: Named): Promise<Person>;
  /** A transaction was undone. */
  forget(): void;
};

/** Returns the persons of one chain, remembered as long as they are in the store. */
export function createPersons(chain: string): Persons {
  let remembered = new Map<string, Person>();
  let erased: string | undefined;

  async function refresh(queries: Queries): Promise<void> {
    const now = await noteOf(queries, chain, PERSONS_ERASED);
    if (now !== erased || remembered.size > MAX_REMEMBERED) remembered = new Map();
    erased = now;
  }

  async function of(queries: Queries, columns: Named): Promise<Person> {
    const name = nameOf(columns);
    const found = (await stored(queries, chain, name)) ?? (await made(queries, chain, name));
    remembered.set(keyOf(columns), found);
    return found;
  }

  return {
    refresh,
    known: (columns) => remembered.get(keyOf(columns)),
    of,
    forget: () => (remembered = new Map()),
  };
}

// Of a lost decision no more than the user's name may be known.
function nameOf({ issuer, subject, user }: Named): Name {
  const name = { issuer: issuer ?? '', subject: subject ?? '', user: user ?? '' };
  return isNobody(name) ? NOBODY : name;
}

// Nobody of several issuers is one nobody.
function isNobody({ subject, user }: Name): boolean {
  return subject === '' && user === '';
}

// No stored text has a NUL: it parts them as nothing else could.
function keyOf({ issuer, subject, user }: Named): string {
  return `${issuer ?? ''}\0${subject ?? ''}\0${user ?? ''}`;
}

async function stored(queries: Queries, chain: string, name: Name): Promise<Person | undefined> {
  const sql =
    'SELECT person, key FROM persons WHERE chain = ? AND issuer = ? AND subject = ? AND "user" = ?';
  const [found] = await queries.all(sql, [chain, name.issuer, name.subject, name.user]);
  if (found === undefined) return undefined;
  return { person: Number(found['person']), key: createSecretKey(found['key'] as Uint8Array) };
}

async function made(queries: Queries, chain: string, name: Name): Promise<Person> {
  const person = isNobody(name) ? 0 : await nextNumber(queries, chain);
  const key = randomBytes(KEY_BYTES);
  const columns = ['person', 'issuer', 'subject', 'user', 'key'];
  await queries.insert('persons', columns, [[person, name.issuer, name.subject, name.user, key]]);
  return { person, key: createSecretKey(key) };
}

// Never given twice: a forgotten person's stands in the chain for good.
async function nextNumber(queries: Queries, chain: string): Promise<number> {
  const next = Number((await noteOf(queries, chain, NEXT_PERSON)) ?? 1);
  await setNote(queries, NEXT_PERSON, String(next + 1));
  return next;
}
