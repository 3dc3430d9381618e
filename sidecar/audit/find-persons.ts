// Whom a name means, and where else the record speaks of them. Reads only.
import type { Columns, Queries, Value } from './database.ts';
import { Fault } from '../fault.ts';
import { visible } from '../visible.ts';
import type { Name } from './persons.ts';

/** Whom to forget: by the user's name or by the subject; of one issuer, where that is given. */
export type Who = { readonly user: string; readonly issuer?: string };

/** A person of the chain: one for each name that somebody has had. Empty: that was never known. */
export type NamedPerson = Name & { readonly person: number };

/**
 * Returns who is meant: whoever has this name or subject, the same ones under other names that they
 * have had, and what is known of them by the name alone (lost decisions).
 */
export async function findPersons(
  queries: Pick<Queries, 'all'>,
  chain: string,
  { user, issuer }: Who,
): Promise<readonly NamedPerson[]> {
  const found = new Map<number, NamedPerson>();
  const find = async (condition: string, ...values: Value[]) => {
    const sql = `SELECT person, issuer, subject, "user" FROM persons WHERE chain = ? AND person <> 0 AND ${condition} ORDER BY person`;
    const persons = (await queries.all(sql, [chain, ...values])).map(namedPerson);
    for (const each of persons) found.set(each.person, each);
    return persons;
  };
  const named = '("user" = ? OR subject = ?)';
  const [condition, values] =
    issuer === undefined ? [named, []] : [`${named} AND issuer IN (?, '')`, [issuer]];
  for (const each of await find(condition, user, user, ...values)) {
    if (each.subject !== '') await find('issuer = ? AND subject = ?', each.issuer, each.subject);
  }
  for (const each of [...found.values()]) {
    await find(`issuer = '' AND subject = '' AND "user" = ?`, each.user);
  }
  return [...found.values()].toSorted((a, b) => a.person - b.person);
}

/** Returns how many rows a person has. */
export async function countRows(
  queries: Pick<Queries, 'all'>,
  chain: string,
  { person, user }: NamedPerson,
): Promise<number> {
  const sql =
    'SELECT count(*) AS "rows" FROM audit_rows WHERE chain = ? AND "user" = ? AND person = ?';
  return Number((await queries.all(sql, [chain, user, person]))[0]?.['rows']);
}

/**
 * Returns how many rows each of these has, by the numbers in the rows, which reads all rows of the chain.
 * Throws ERR_STORE_DAMAGED when one of them names somebody else: then the list of persons was changed, and
 * whoever goes by it erases another one's values.
 */
export async function countOwnRows(
  queries: Pick<Queries, 'all'>,
  chain: string,
  persons: readonly NamedPerson[],
): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  if (persons.length === 0) return counts;
  const byNumber = new Map(persons.map((each) => [each.person, each]));
  const marks = persons.map(() => '?').join(', ');
  const sql =
    'SELECT person, issuer, subject, "user", count(*) AS "rows" FROM audit_rows ' +
    `WHERE chain = ? AND person IN (${marks}) GROUP BY person, issuer, subject, "user"`;
  for (const found of await queries.all(sql, [chain, ...byNumber.keys()])) {
    const named = byNumber.get(Number(found['person']));
    if (named === undefined) continue;
    if (!isNamed(found, named)) throw unfit(named);
    counts.set(named.person, (counts.get(named.person) ?? 0) + Number(found['rows']));
  }
  return counts;
}

function isNamed({ issuer, subject, user }: Columns, named: NamedPerson): boolean {
  const isSame = (issuer ?? '') === named.issuer && (subject ?? '') === named.subject;
  return isSame && (user ?? '') === named.user;
}

/** Returns the Fault of a person whose rows are not those that the name leads to. */
export function unfit({ person, user }: NamedPerson): Fault {
  return new Fault(
    'ERR_STORE_DAMAGED',
    `The rows of person ${person} are not those that the name ${visible(user)} leads to: the store was ` +
      'changed. Nothing was erased. Run `signet audit verify` first',
  );
}

/** Returns how many rows of others name one of these as the one who acted. They stay as they are. */
export async function countActing(
  queries: Pick<Queries, 'all'>,
  chain: string,
  persons: readonly NamedPerson[],
): Promise<number> {
  const subjects = [...new Set(persons.map(({ subject }) => subject))].filter(
    (text) => text !== '',
  );
  if (subjects.length === 0) return 0;
  const patterns = subjects.map((subject) => holding(`"subject":${JSON.stringify(subject)}`));
  const isHeld = patterns.map(() => `actor LIKE ? ESCAPE '!'`).join(' OR ');
  const sql = `SELECT count(*) AS "rows" FROM audit_rows WHERE chain = ? AND actor IS NOT NULL AND (${isHeld})`;
  return Number((await queries.all(sql, [chain, ...patterns]))[0]?.['rows']);
}

/** Returns the pattern for LIKE, with `!` as its escape, of texts that hold this one. */
export function holding(text: string): string {
  return `%${text.replaceAll(/[!%_]/g, '!$&')}%`;
}

function namedPerson({ person, issuer, subject, user }: Columns): NamedPerson {
  return {
    person: Number(person),
    issuer: String(issuer),
    subject: String(subject),
    user: String(user),
  };
}
