// Persons and their rows. Values may be gone where the chain itself tells, later on and signed, that the
// person was forgotten; then they must be gone from all rows. And a row must name its own person. One
// finding a person, not one a row.
import type { KeyObject } from 'node:crypto';
import { range, rowsText, type Findings } from './finding.ts';
import type { ForgottenEvent } from '../audit/forgotten.ts';
import type { Name } from '../audit/persons.ts';
import type { PublicKeys } from '../audit/signing-key.ts';
import type { Heads } from './verify-heads.ts';
import { forgottenIn, type ReadRow } from './verify-row.ts';

export type Erased = {
  /** A row that fits the chain. */
  meet(row: ReadRow, place: number): void;
  /** The same, of a row that can't be checked, because the key of its person isn't there. */
  meetKeyless(row: ReadRow, place: number): void;
  /** All rows were met. */
  finish(): ErasedMet;
};

export type ErasedMet = {
  /** Rows that are erased. */
  readonly rows: number;
  /** Persons who were forgotten by a key that is not known any more. */
  readonly byUnknown: number;
};

export type ErasedParts = {
  readonly chain: string;
  readonly persons: ReadonlyMap<number, KeyObject>;
  readonly names?: ReadonlyMap<number, Name>;
  readonly publicKeys: PublicKeys;
  readonly heads: Pick<Heads, 'lastGood' | 'firstGood'>;
  readonly findings: Findings;
};

type Rows = { first: number; last: number; count: number };
type Event = ForgottenEvent & { readonly place: number };

export function createErased(parts: ErasedParts): Erased {
  const { chain, persons, names, publicKeys, heads, findings } = parts;
  const erased = new Map<number, Rows>();
  const whole = new Map<number, Rows>();
  const keyless = new Map<number, Rows>();
  const misnamed = new Map<number, Rows>();
  const events: Event[] = [];

  function meet(row: ReadRow, place: number): void {
    const { person } = row;
    if (person !== undefined) {
      count(row.isErased ? erased : whole, person, place);
      if (!row.isErased && !isNamed(row, person)) count(misnamed, person, place);
    }
    const event = forgottenIn(row, chain, publicKeys);
    if (event !== undefined) events.push({ ...event, place });
  }

  function isNamed({ columns, commitment }: ReadRow, person: number): boolean {
    if (names === undefined || commitment === undefined) return true;
    const [issuer = '', subject = '', user = ''] = ['issuer', 'subject', 'user'].map(
      (column) => columns[column] ?? '',
    );
    if (person === 0) return subject === '' && user === ''; // nobody, of any issuer
    const name = names.get(person);
    return name?.issuer === issuer && name.subject === subject && name.user === user;
  }

  function meetKeyless({ person }: ReadRow, place: number): void {
    if (person !== undefined) count(keyless, person, place);
  }

  // One of an unknown key is believed as a head is: when what is signed later on covers it. But not
  // once a known key has signed: from then on it was that one's to sign, and any other is made up.
  function isBelieved(event: Event): boolean {
    if (event.signedness !== 'unknown-key') return event.signedness === 'signed';
    const { place, keyId } = event;
    if (heads.lastGood() >= place && (heads.firstGood() ?? 0) >= place) return true;
    const text = `Row ${place} says that person ${event.person} was forgotten, signed by ${keyId}, a key that is not known here.`;
    findings.add({ kind: 'key-unknown', sequence: place, text });
    return false;
  }

  function forgottenPersons(): ReadonlyMap<number, Event> {
    const forgotten = new Map<number, Event>();
    for (const event of events) {
      const { place: sequence, person, keyId, signedness } = event;
      if (signedness === 'forged') {
        const text = `Row ${sequence} says that a person was forgotten, and was not signed by the key that it names, ${keyId}.`;
        findings.add({ kind: 'event-forged', sequence, text });
      } else if (!forgotten.has(person) && isBelieved(event)) forgotten.set(person, event);
    }
    return forgotten;
  }

  function judgeErased(forgotten: ReadonlyMap<number, Event>): void {
    for (const [person, rows] of erased) {
      const event = forgotten.get(person);
      // After that event no row is that person's: whoever comes back gets another number.
      if (event === undefined || event.place <= rows.last) {
        const text = `${values(person, rows)} are erased, and no event after it says that this person was forgotten.`;
        findings.add({ kind: 'erased', ...range(rows.first, rows.last), text });
      } else if (rows.count > event.rows) {
        const text = `${values(person, rows)} are erased, and the event at row ${event.place} says so of ${event.rows} only.`;
        findings.add({ kind: 'erased', ...range(rows.first, rows.last), text });
      }
    }
  }

  function judgeForgotten(forgotten: ReadonlyMap<number, Event>): void {
    for (const [person, { place }] of forgotten) {
      const rows = whole.get(person);
      if (rows !== undefined && rows.first < place) {
        const text = `${values(person, rows)} are there, though row ${place} says that this person was forgotten: only a part of the rows was erased.`;
        findings.add({ kind: 'erased', ...range(rows.first, rows.last), text });
      }
      if (!persons.has(person) && names?.has(person) !== true) continue;
      const text = `Row ${place} says that person ${person} was forgotten, whose name and key are in the store.`;
      findings.add({ kind: 'person', sequence: place, text });
    }
  }

  function finish(): ErasedMet {
    const forgotten = forgottenPersons();
    judgeErased(forgotten);
    judgeForgotten(forgotten);
    for (const [person, rows] of misnamed) {
      const text = `${values(person, rows)} name somebody else than the store's list of persons does.`;
      findings.add({ kind: 'person', ...range(rows.first, rows.last), text });
    }
    for (const [person, rows] of keyless) {
      const text = `${values(person, rows)} can't be checked: the key of this person is not in the store.`;
      findings.add({ kind: 'key-missing', ...range(rows.first, rows.last), text });
    }
    const byUnknown = [...forgotten.values()].filter(
      ({ signedness }) => signedness === 'unknown-key',
    );
    return {
      rows: [...erased.values()].reduce((sum, rows) => sum + rows.count, 0),
      byUnknown: byUnknown.length,
    };
  }

  return { meet, meetKeyless, finish };
}

function count(all: Map<number, Rows>, person: number, place: number): void {
  const rows = all.get(person) ?? { first: place, last: place, count: 0 };
  rows.first = Math.min(rows.first, place);
  rows.last = Math.max(rows.last, place);
  rows.count += 1;
  all.set(person, rows);
}

function values(person: number, { first, last, count: rows }: Rows): string {
  const some = rows === last - first + 1 ? '' : ` (${rows} of them)`;
  return `${rowsText(first, last)}${some}: the values of person ${person}`;
}
