// Forgets a person: the values of their rows, their keys, and their name wherever else the store holds
// it. What the rows prove stays: a commitment stands in for the values, and an event says what was done.
import { createSecretKey } from 'node:crypto';
import { createAppend } from './append.ts';
import type { Database, Queries } from './database.ts';
import { eraseRows } from './erase-rows.ts';
import {
  countOwnRows,
  findPersons,
  holding,
  unfit,
  type NamedPerson,
  type Who,
} from './find-persons.ts';
import { forgottenDetails, type Forgetting } from './forgotten.ts';
import { noteOf, setNote } from './notes.ts';
import { PERSONS_ERASED } from './persons.ts';
import type { EventRow } from './row.ts';
import type { SigningKey } from './signing-key.ts';

export type ForgottenPerson = NamedPerson & { readonly rows: number };

export type Forgotten = {
  readonly persons: readonly ForgottenPerson[];
  readonly rows: number;
  /** Lines set aside whose beginning held the name, and is empty now. */
  readonly setAside: number;
};

/**
 * Forgets everyone who is meant, in one durable transaction, beside a recorder that writes or without
 * one; nobody is forgotten when nobody is found. The key signs the events. In an SQLite file see
 * remains.ts, too. Throws ERR_STORE_DAMAGED, and erases nothing, when rows and names don't fit.
 */
export async function forget(
  database: Database,
  chain: string,
  who: Who,
  nowUs: number,
  signingKey: SigningKey,
): Promise<Forgotten> {
  const work = async (queries: Queries): Promise<Forgotten> => {
    const persons: ForgottenPerson[] = [];
    const meant = await findPersons(queries, chain, who);
    const counts = await countOwnRows(queries, chain, meant);
    for (const each of meant) persons.push(await erase(queries, chain, each, counts));
    if (persons.length === 0) return { persons, rows: 0, setAside: 0 };
    const words = new Set([who.user, ...meant.flatMap(({ subject, user }) => [subject, user])]);
    words.delete('');
    const setAside = await emptySetAside(queries, chain, words);
    await leaveOut(queries, chain, words);
    // A recorder that is running remembers them: it looks at this note with each batch.
    const erased = Number((await noteOf(queries, chain, PERSONS_ERASED)) ?? 0);
    await setNote(queries, PERSONS_ERASED, String(erased + persons.length));
    await createAppend(chain).rows(
      queries,
      persons.map(({ person, rows }) =>
        eventOf({ chain, person, rows, startedAtUs: nowUs }, signingKey),
      ),
    );
    return { persons, rows: persons.reduce((sum, { rows }) => sum + rows, 0), setAside };
  };
  return database.transaction(work, { isDurable: true });
}

async function erase(
  queries: Queries,
  chain: string,
  named: NamedPerson,
  counts: ReadonlyMap<number, number>,
): Promise<ForgottenPerson> {
  const values = [chain, named.person];
  const sql = 'SELECT key FROM persons WHERE chain = ? AND person = ?';
  const [found] = await queries.all(sql, values);
  const key = createSecretKey(found?.['key'] as Uint8Array);
  const rows = await eraseRows(queries, chain, { ...named, key });
  // By an index that lacks rows, for instance.
  if (rows !== (counts.get(named.person) ?? 0)) throw unfit(named);
  await queries.run('DELETE FROM persons WHERE chain = ? AND person = ?', values);
  return { ...named, rows };
}

// The number is not given again, and no name stands in it.
function eventOf(forgetting: Forgetting, signingKey: SigningKey): EventRow {
  const { chain, person, startedAtUs } = forgetting;
  return {
    kind: 'event',
    requestId: `person-forgotten:${chain}:${person}`,
    event: 'person-forgotten',
    details: forgottenDetails(forgetting, signingKey),
    startedAtUs,
  };
}

// As it is, and as JSON and a URL would spell it; whether in capitals or not.
async function emptySetAside(
  queries: Queries,
  chain: string,
  words: ReadonlySet<string>,
): Promise<number> {
  const spellings = new Set(
    [...words].flatMap((word) => [
      word,
      JSON.stringify(word).slice(1, -1),
      encodeURIComponent(word),
    ]),
  );
  const isHeld = [...spellings].map(() => `lower(head) LIKE lower(?) ESCAPE '!'`).join(' OR ');
  const sql = `UPDATE set_aside SET head = '' WHERE chain = ? AND head <> '' AND (${isHeld})`;
  return queries.run(sql, [chain, ...[...spellings].map(holding)]);
}

// Decisions that are open are remembered in a note, with their users.
async function leaveOut(
  queries: Queries,
  chain: string,
  words: ReadonlySet<string>,
): Promise<void> {
  for (const { name, value } of await queries.all('SELECT name, value FROM notes WHERE chain = ?', [
    chain,
  ])) {
    const without = withoutUser(String(value), words);
    if (without !== value) await setNote(queries, String(name), without);
  }
}

function withoutUser(text: string, words: ReadonlySet<string>): string {
  if (!text.includes('"user":')) return text;
  try {
    return JSON.stringify(JSON.parse(text), (key, value: unknown) =>
      key === 'user' && typeof value === 'string' && words.has(value) ? undefined : value,
    );
  } catch {
    return text;
  }
}
