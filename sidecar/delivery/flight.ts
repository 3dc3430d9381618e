// One parcel on its way: sent until each of its rows is acknowledged or set aside. It is divided where a
// request is too long, or where one row of it may be at fault. That a row is, and not the destination, is
// only believed when another request was taken since the piece's last failure. What is acknowledged is
// not sent again.
import type { StoredRow } from '../audit/row.ts';
import { explain } from '../fault.ts';
import type { Encoded, Feed } from './feed.ts';
import type { Pace } from './pace.ts';
import type { Read, Renew } from './renew.ts';
import { readRejection, type Rejection } from '../otlp/read-response.ts';
import type { Answer, Failure, Transport } from '../otlp/transport.ts';

/** Longest request of more than one row. Receivers take 4 MiB by default. */
export const MAX_REQUEST_BYTES = 2 * 1024 * 1024;

/** Failures of a single row, each while others were taken, before it is set aside. */
export const MAX_SUSPECT = 5;
/** The same where it is said that it may succeed later. */
export const MAX_SUSPECT_RETRIES = 10;

/** The same for a row that alone is told to wait, which is most often about all. */
export const MAX_SUSPECT_BUSY = 30;

/**
 * Failures of a piece while nothing else was taken, before it is divided all the same: where nothing else
 * is left to be sent, its own halves must show whether the destination is well.
 */
export const MAX_UNPROVEN = 4;

/** Who hears what became of the rows. */
export type Ledger = {
  /** So many spans or log records were acknowledged; of these the rejection was not kept. */
  taken(items: number, rejection: Rejection | undefined, rows: readonly StoredRow[]): void;
  /** It will not be sent again. */
  refused(row: StoredRow, items: number, reason: string): void;
};

export type FlightParts = {
  readonly feed: Feed;
  readonly transport: Pick<Transport, 'send'>;
  readonly pace: Pick<Pace, 'enter' | 'isTakenSince' | 'instant'>;
  readonly ledger: Ledger;
  readonly renew: Renew;
  /** Hears how many rows are left, whenever that has changed. */
  readonly onLeft?: (rows: number) => void;
  /** Hears of each request that failed, and of each row that was refused. */
  readonly onFailure?: (kind: Failure['kind']) => void;
  /** Whether one request taken since a piece's first failure shows enough: somebody waits for the end. */
  readonly isHasty?: boolean;
};

/** Some rows that go as one request. */
type Piece = Read & {
  /** The instant of its last failure; 0 when it has not failed. */
  readonly failedAt: number;
  /** Failures while others were taken; and in which nothing was. */
  readonly suspect: number;
  readonly unproven: number;
};

type Outcome = {
  /** What is left of a piece, to be sent at once; or behind all others. */
  readonly next?: readonly Piece[];
  readonly later?: readonly Piece[];
  readonly answer?: Answer;
  /** The rows are at fault rather than the destination. */
  readonly isSuspect?: boolean;
};

/** Resolves to whether all rows are dealt with; not, when the pace was closed before. Never rejects. */
export async function fly(read: Read, parts: FlightParts): Promise<boolean> {
  let waiting: readonly Piece[] =
    read.rows.length === 0 ? [] : [{ ...read, failedAt: 0, suspect: 0, unproven: 0 }];
  for (let piece = waiting[0]; piece !== undefined; piece = waiting[0]) {
    const outcome = await send(piece, parts);
    if (outcome === undefined) return false;
    // One that failed goes behind the others: they show whether the destination is well.
    waiting = [...(outcome.next ?? []), ...waiting.slice(1), ...(outcome.later ?? [])];
    parts.onLeft?.(waiting.reduce((sum, { rows }) => sum + rows.length, 0));
  }
  return true;
}

/** Resolves to what became of a piece; undefined when it can't be sent any more. */
async function send(piece: Piece, parts: FlightParts): Promise<Outcome | undefined> {
  const turn = await parts.pace.enter(piece.failedAt);
  if (turn === undefined) return undefined;
  const outcome = await attempt(piece, parts);
  const { answer, isSuspect = false } = outcome;
  turn.end(answer, { isSuspect, isSingle: piece.rows.length === 1 });
  return outcome;
}

async function attempt(piece: Piece, parts: FlightParts): Promise<Outcome> {
  const { feed, transport, ledger, renew } = parts;
  try {
    const now = { ...piece, ...(await renew(piece)) };
    const { rows } = now;
    const { bytes, items, problem } = encoded(feed, rows);
    if (problem !== undefined) return refused(now, rows.length, problem, ledger);
    if (items === 0) ledger.taken(0, undefined, rows);
    if (items === 0) return {};
    if (bytes.length > MAX_REQUEST_BYTES && rows.length > 1) return { next: halves(now, 0) };
    const answer = await transport.send(feed.signal, bytes);
    return { ...judged(now, items, answer, parts), answer };
  } catch (error) {
    // The store is away: what is to be sent isn't known.
    return { later: [piece], answer: { kind: 'retry', problem: explain(error) } };
  }
}

// A row that can't be encoded is a fault of ours; all others must get through all the same.
function encoded(feed: Feed, rows: readonly StoredRow[]): Encoded & { problem?: string } {
  try {
    return feed.encode(rows);
  } catch (error) {
    return { bytes: Buffer.alloc(0), items: 0, problem: `${NOT_ENCODED}: ${explain(error)}` };
  }
}

function judged(piece: Piece, items: number, answer: Answer, parts: FlightParts): Outcome {
  if (answer.kind === 'refused') {
    const outcome = refused(piece, items, answer.problem, parts.ledger);
    if (outcome.next === undefined) parts.onFailure?.(answer.kind);
    return outcome;
  }
  if (answer.kind !== 'acknowledged') return failed(piece, items, answer, parts);
  parts.ledger.taken(items, readRejection(answer.response, items), piece.rows);
  return {};
}

function refused(piece: Piece, items: number, reason: string, ledger: Ledger): Outcome {
  const [row, ...others] = piece.rows;
  if (others.length > 0) return { next: halves(piece, 0) };
  if (row !== undefined) ledger.refused(row, items, reason);
  return {};
}

function failed(piece: Piece, items: number, failure: Failure, parts: FlightParts): Outcome {
  const { pace, isHasty = false } = parts;
  parts.onFailure?.(failure.kind);
  // That it has enough is said of whatever it is sent: several rows are not divided for it at once.
  const isTold = isBusy(failure) && piece.rows.length > 1;
  const isOwnFault = !isTold && pace.isTakenSince(piece.failedAt);
  const failedAt = isHasty && piece.failedAt > 0 ? piece.failedAt : pace.instant();
  const now = { ...piece, failedAt };
  if (isOwnFault) return { ...suspected(now, items, failure, parts), isSuspect: true };
  const unproven = piece.unproven + 1;
  const most = isHasty && failure.kind !== 'retry' ? 1 : MAX_UNPROVEN;
  const isToProve = piece.rows.length > 1 && unproven >= most;
  return { later: isToProve ? halves(piece, failedAt) : [{ ...now, unproven }] };
}

function suspected(
  piece: Piece,
  items: number,
  failure: Failure,
  { ledger }: FlightParts,
): Outcome {
  const { rows, failedAt } = piece;
  const suspect = piece.suspect + 1;
  if (rows.length > 1) return { later: halves(piece, failedAt) };
  if (suspect < mostSuspect(failure)) return { later: [{ ...piece, suspect }] };
  return refused(piece, items, failure.problem, ledger);
}

function mostSuspect(failure: Failure): number {
  if (isBusy(failure)) return MAX_SUSPECT_BUSY;
  return failure.kind === 'retry' ? MAX_SUSPECT_RETRIES : MAX_SUSPECT;
}

// It has enough for now, and says when to come back: whatever it is sent.
function isBusy(failure: Failure): boolean {
  return failure.kind === 'retry' && failure.afterMs !== undefined;
}

function halves({ rows, mark }: Piece, failedAt: number): readonly Piece[] {
  const middle = Math.ceil(rows.length / 2);
  return [rows.slice(0, middle), rows.slice(middle)].map((half) => ({
    rows: half,
    mark,
    failedAt,
    suspect: 0,
    unproven: 0,
  }));
}

/** What stands before the reason why a row can't be encoded. */
export const NOT_ENCODED = "it can't be encoded";
