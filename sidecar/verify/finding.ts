// What a verification finds: a closed list of kinds, and the sentences about them. It keeps the first
// thousand and counts the rest, so that a store with nothing sound in it costs no memory.

export type FindingKind =
  | 'changed' // a row that doesn't fit its place in the chain, or holds what no row can hold
  | 'missing' // rows that must be there, by the numbers of those around them
  | 'inserted' // a row that the chain doesn't hold
  | 'reordered' // rows that stand in another place than theirs
  | 'rewritten' // rows that fit each other, but not what was signed
  | 'cut' // rows after the last one, of which a head still tells
  | 'unproven' // rows beyond missing ones, which nothing signed vouches for
  | 'erased' // personal values are gone, but nobody was forgotten
  | 'key-missing' // a person's key is gone, so that the values can't be checked
  | 'person' // rows name somebody else than the list of persons does
  | 'event-forged' // nobody with a key signed that a person was forgotten
  | 'chain-missing' // heads of the chain were published, and it is not in the store
  | 'schema' // the database has what Signet never makes, or lacks what it makes
  | 'index' // an index does not hold what its table holds
  | 'head-forged' // a head that the key it names did not sign
  | 'head-missing' // a head was published, and is not in the store; or there is none at all
  | 'stub-forged' // the stub in place of removed rows isn't signed
  | 'key-unknown'; // what is signed was signed by a key that nobody knows

export type Finding = {
  readonly kind: FindingKind;
  /** The row, or the first of several; 0 where it is about none. */
  readonly sequence: number;
  /** The last of several. */
  readonly to?: number;
  /** The first and the last row that may be concerned as well: it can't be told from what is left. */
  readonly since?: number;
  readonly until?: number;
  /** One sentence or two, for people. */
  readonly text: string;
};

export type Findings = {
  add(finding: Finding): void;
  /** All that there were, also those that are not kept. */
  count(): number;
  /** Those that are kept, by sequence. */
  list(): readonly Finding[];
};

/** Findings that are kept. */
export const MAX_FINDINGS = 1000;

export function createFindings(): Findings {
  const kept: Finding[] = [];
  let count = 0;

  function add(finding: Finding): void {
    count += 1;
    if (kept.length < MAX_FINDINGS) kept.push(finding);
  }

  const list = () => kept.toSorted((a, b) => a.sequence - b.sequence);
  return { add, count: () => count, list };
}

/** Returns whether a finding is about this row, for sure or perhaps. */
export function isAbout(finding: Finding, row: number): boolean {
  const { sequence, to = sequence, since = sequence, until = to } = finding;
  return since <= row && row <= until;
}

/** Returns `Row 5` or `Rows 5 to 9`. */
export function rowsText(from: number, to: number): string {
  return from === to ? `Row ${from}` : `Rows ${from} to ${to}`;
}

/** Returns the range as a finding has it. */
export function range(sequence: number, to: number): { sequence: number; to?: number } {
  return to > sequence ? { sequence, to } : { sequence };
}
