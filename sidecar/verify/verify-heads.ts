// The signed heads of a chain, the store's own and published ones, held against the rows. Each is kept
// as its hash, some 400 bytes, whatever the number of rows.
import { range, rowsText, type Finding, type Findings } from './finding.ts';
import { isSignedBy, type Head } from '../audit/head.ts';
import type { PublicKeys } from '../audit/signing-key.ts';
import { judgeHeads, type Anchor, type HeadSummary } from './verify-tail.ts';

export type Heads = {
  /** Returns the hashes that are signed for this row, by whomever. */
  hashesAt(sequence: number): readonly Uint8Array[];
  /**
   * A row was met that may have one of these hashes. When it fits the chain, a head that it doesn't
   * fit is a finding; otherwise the row is one itself.
   */
  meet(sequence: number, hashes: readonly Uint8Array[], fitsChain: boolean): void;
  /**
   * The next row goes on from this signed hash, and not from the one that stands there: so the signed
   * one is right, whoever signed it. That the row was rewritten is a finding, unless it is `isTold`.
   */
  confirm(sequence: number, hash: Uint8Array, isTold: boolean): void;
  /** The last row up to which everything is signed; 0 when nothing is. */
  lastGood(): number;
  /** The first row for which a head of a known key is there that it fits; undefined when there is none. */
  firstGood(): number | undefined;
  /** All rows were met; the last one is (or would have to be) `end`. */
  finish(end: number): HeadsMet;
};

export type HeadsMet = {
  /** Heads in the store that a known key signed. */
  readonly stored: number;
  /** Published heads of this chain that a known key signed, without those before its first row. */
  readonly published: number;
  /** The last head that a row fits. */
  readonly last?: HeadSummary;
  /** The keys that heads name, from the first row on, and how many each. */
  readonly keys: readonly KeyMet[];
};

export type KeyMet = { readonly id: string; readonly heads: number; readonly isKnown: boolean };

export type HeadsGiven = {
  readonly chain: string;
  readonly stored: Iterable<Head>;
  readonly published: Iterable<Head>;
  /** The rows begin after this one; what is signed about earlier rows can't be checked any more. */
  readonly start: number;
};

/** Rows up to the first head that they don't fit, and the last head that they don't fit either. */
type Rewriting = { readonly from: number; readonly to: number; until: number };

/** Returns the heads, after their signatures were checked. */
export function readHeads(given: HeadsGiven, publicKeys: PublicKeys, findings: Findings): Heads {
  const anchors = new Map<number, Anchor[]>();
  const forgedAt = new Set<number>(); // in the store: told of already
  let good: Anchor | undefined;
  let rewriting: Rewriting | undefined;
  let rewrittenTo = 0;
  for (const head of given.stored) read(head, 'isStored');
  for (const head of given.published) read(head, 'isPublished');

  function read(head: Head, where: 'isStored' | 'isPublished'): void {
    if (head.chain !== given.chain) return;
    const there = anchors.get(head.sequence) ?? [];
    const same = there.find((anchor) => isSameHead(anchor, head));
    // A signature that was checked in the store need not be checked again in its publication.
    const signedness = same ? undefined : isSignedBy(head, publicKeys);
    if (same) same[where] = true;
    else if (signedness === 'forged') refuse(head, where);
    else if (head.sequence >= given.start) {
      const { signature } = head;
      const places = { isStored: false, isPublished: false, [where]: true };
      there.push({ ...summaryOf(head), signature, isKnown: signedness === 'signed', ...places });
      anchors.set(head.sequence, there);
    }
  }

  function refuse(head: Head, where: 'isStored' | 'isPublished'): void {
    findings.add(forged(head, where));
    if (where === 'isStored') forgedAt.add(head.sequence);
  }

  function meet(sequence: number, hashes: readonly Uint8Array[], fitsChain: boolean): void {
    const there = anchors.get(sequence);
    if (there === undefined) return;
    const texts = hashes.map(hex);
    for (const anchor of there) {
      if (texts.includes(anchor.hash)) anchor.fits = true;
      else if (fitsChain) anchor.fits ??= false;
    }
    const known = there.filter(({ isKnown }) => isKnown);
    if (known.length === 0) return;
    if (known.every(({ fits }) => fits === true)) {
      endRewriting();
      if (sequence >= lastGood()) good = known[0];
    } else if (fitsChain) {
      rewriting ??= { from: Math.min(lastGood() + 1, sequence), to: sequence, until: sequence };
      rewriting.until = sequence; // the heads after it don't fit either
    }
  }

  function endRewriting(): void {
    if (rewriting === undefined) return;
    findings.add(rewritten(rewriting));
    rewrittenTo = rewriting.until;
    rewriting = undefined;
  }

  function confirm(sequence: number, hash: Uint8Array, isTold: boolean): void {
    const anchor = anchors.get(sequence)?.find((other) => other.hash === hex(hash));
    if (anchor === undefined) return;
    endRewriting();
    const from = Math.max(lastGood(), rewrittenTo) + 1;
    if (!isTold && from <= sequence) {
      findings.add(rewritten({ from, to: sequence, until: sequence }));
    }
    anchor.fits = true;
    if (anchor.isKnown) good = anchor;
  }

  function lastGood(): number {
    return good?.sequence ?? given.start;
  }

  function firstGood(): number | undefined {
    let first: number | undefined;
    for (const [sequence, there] of anchors) {
      const isGood = there.some(({ isKnown, fits }) => isKnown && fits);
      if (isGood && sequence < (first ?? Infinity)) first = sequence;
    }
    return first;
  }

  function hashesAt(sequence: number): Uint8Array[] {
    return (anchors.get(sequence) ?? []).map(({ hash }) => Buffer.from(hash, 'hex'));
  }

  function finish(end: number): HeadsMet {
    endRewriting();
    const all = [...anchors.values()].flat();
    const ends = { start: given.start, end, lastGood: lastGood() };
    judgeHeads(all, { ...ends, forgedAt }, findings);
    const known = all.filter(({ isKnown }) => isKnown);
    return {
      stored: known.filter(({ isStored }) => isStored).length,
      published: known.filter(({ isPublished }) => isPublished).length,
      ...(good && { last: summaryOf(good) }),
      keys: keysOf(all),
    };
  }

  return { hashesAt, meet, confirm, lastGood, firstGood, finish };
}

function isSameHead(anchor: Anchor, head: Head): boolean {
  const { hash, signedAtUs, keyId, signature } = anchor;
  const isSame = hash === head.hash && signedAtUs === head.signedAtUs;
  return isSame && keyId === head.keyId && signature === head.signature;
}

function summaryOf({ sequence, hash, signedAtUs, keyId }: HeadSummary): HeadSummary {
  return { sequence, hash, signedAtUs, keyId };
}

function keysOf(anchors: readonly Anchor[]): KeyMet[] {
  const keys = new Map<string, KeyMet>();
  for (const { keyId: id, isKnown } of anchors) {
    keys.set(id, { id, isKnown, heads: (keys.get(id)?.heads ?? 0) + 1 });
  }
  return [...keys.values()];
}

function forged({ sequence, keyId }: Head, where: 'isStored' | 'isPublished'): Finding {
  const which = where === 'isStored' ? "The store's head" : 'A published head';
  const text = `${which} at row ${sequence} was not signed by the key that it names, ${keyId}.`;
  return { kind: 'head-forged', sequence: Number.isSafeInteger(sequence) ? sequence : 0, text };
}

function rewritten({ from, to, until }: Rewriting): Finding {
  const text = `${rowsText(from, to)} rewritten: the head that was signed at row ${to} does not fit. Values were changed, or rows added or removed, and the hashes made anew.`;
  const finding = { kind: 'rewritten', ...range(from, to) } as const;
  if (until === to) return { ...finding, text };
  const more = `The heads after it, up to row ${until}, do not fit either.`;
  return { ...finding, until, text: `${text} ${more}` };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
