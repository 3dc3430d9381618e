// What the signed heads say once all rows were met: is the end cut off, does a published head lack in
// the store, and is what is signed signed by somebody known.
import { isAbout, range, rowsText, type Finding, type Findings } from './finding.ts';
import type { Head } from '../audit/head.ts';

export type HeadSummary = Pick<Head, 'sequence' | 'hash' | 'signedAtUs' | 'keyId'>;

/** A head, its signature checked, as it is held against the rows. */
export type Anchor = Omit<Head, 'chain'> & {
  readonly isKnown: boolean;
  isStored: boolean;
  isPublished: boolean;
  /** Absent while no row that fits the chain was met in its place. */
  fits?: boolean;
};

type Ends = {
  /** The rows begin after this one. */
  readonly start: number;
  readonly end: number;
  /** The last row up to which everything is signed. */
  readonly lastGood: number;
  /** Where the store has a forged head, of which is told. */
  readonly forgedAt: ReadonlySet<number>;
};

/** Adds what is found. `anchors` are all heads but forged ones. */
export function judgeHeads(
  anchors: readonly Anchor[],
  { start, end, lastGood, forgedAt }: Ends,
  findings: Findings,
): void {
  // What a known key signed later on vouches for the row: then it is the head that is wrong.
  const told = findings.list();
  for (const anchor of anchors) {
    const isMisfit = !anchor.isKnown && anchor.fits === false && anchor.sequence <= lastGood;
    if (isMisfit && !told.some((finding) => isAbout(finding, anchor.sequence)))
      findings.add(strange(anchor));
  }
  const last = highest(anchors);
  if (last === undefined) return;
  if (last.sequence > end) findings.add(cut(last, end, lastGood));
  if (!last.isKnown) findings.add(keyUnknown(last, lastGood));
  const unstored = anchors.filter(
    ({ fits, isKnown, isPublished, isStored, sequence }) =>
      fits && isKnown && isPublished && !isStored && sequence > start && !forgedAt.has(sequence),
  );
  if (unstored.length > 0) findings.add(headMissing(unstored));
}

function highest(anchors: readonly Anchor[]): Anchor | undefined {
  let last: Anchor | undefined;
  for (const anchor of anchors) {
    const isLater = last === undefined || anchor.sequence > last.sequence;
    if (isLater || (anchor.sequence === last?.sequence && anchor.isKnown)) last = anchor;
  }
  return last;
}

function strange({ sequence, keyId }: Anchor): Finding {
  const text = `The head at row ${sequence} is of another hash than the row, and of a key that nobody knows, ${keyId}.`;
  return { kind: 'head-forged', sequence, text };
}

function cut({ sequence, isStored }: Anchor, end: number, lastGood: number): Finding {
  const head = isStored ? 'a head in the store' : 'a published head';
  const what = `${rowsText(end + 1, sequence)} cut off: ${head} tells of row ${sequence}`;
  const finding = { kind: 'cut', ...range(end + 1, sequence) } as const;
  if (lastGood >= end) return { ...finding, text: `${what}.` };
  const open = `Nothing signed vouches for ${rowsText(lastGood + 1, end).toLowerCase()} any more`;
  return { ...finding, since: lastGood + 1, text: `${what}. ${open}.` };
}

function headMissing(anchors: readonly Anchor[]): Finding {
  const sequences = anchors.map(({ sequence }) => sequence);
  const first = sequences.reduce((a, b) => Math.min(a, b));
  const last = sequences.reduce((a, b) => Math.max(a, b));
  const rows = first === last ? `at row ${first}` : `from row ${first} to row ${last}`;
  const text = `Published and fitting, but not in the store: ${anchors.length} head(s), ${rows}.`;
  return { kind: 'head-missing', ...range(first, last), text };
}

function keyUnknown({ sequence, keyId, fits }: Anchor, lastGood: number): Finding {
  const from = Math.min(lastGood + 1, sequence);
  const rows = rowsText(from, sequence);
  const text = `${rows} signed only by ${keyId}, a key that is not known here.`;
  const misfit = fits === false ? ' It does not fit them either.' : '';
  return { kind: 'key-unknown', ...range(from, sequence), text: `${text}${misfit}` };
}
