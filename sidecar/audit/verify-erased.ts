// Erased values: allowed where the chain itself tells, later on, that the person was forgotten. And
// persons whose key is gone though their values are not. One finding a person, not one a row.
import { range, rowsText, type Findings } from './finding.ts';
import { forgottenPerson, type ReadRow } from './verify-row.ts';

export type Erased = {
  /** A row that fits the chain. */
  meet(row: ReadRow, place: number): void;
  /** A row that can't be checked, because the key of its person isn't there. */
  meetKeyless(row: ReadRow, place: number): void;
  /** All rows were met. Returns how many are erased. */
  finish(): number;
};

type Rows = { first: number; last: number; count: number };

export function createErased(findings: Findings): Erased {
  const erased = new Map<number, Rows>();
  const keyless = new Map<number, Rows>();
  const forgottenAt = new Map<number, number>();

  function meet(row: ReadRow, place: number): void {
    if (row.isErased && row.person !== undefined) count(erased, row.person, place);
    const person = forgottenPerson(row);
    if (person !== undefined) forgottenAt.set(person, place);
  }

  function meetKeyless({ person }: ReadRow, place: number): void {
    if (person !== undefined) count(keyless, person, place);
  }

  function finish(): number {
    for (const [person, rows] of erased) {
      // After that event no row is that person's: whoever comes back gets another number.
      if ((forgottenAt.get(person) ?? 0) > rows.last) continue;
      const text = `${values(person, rows)} are erased, and no event after it says that this person was forgotten.`;
      findings.add({ kind: 'erased', ...range(rows.first, rows.last), text });
    }
    for (const [person, rows] of keyless) {
      const text = `${values(person, rows)} can't be checked: the key of this person is not in the store.`;
      findings.add({ kind: 'key-missing', ...range(rows.first, rows.last), text });
    }
    return [...erased.values()].reduce((sum, rows) => sum + rows.count, 0);
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
