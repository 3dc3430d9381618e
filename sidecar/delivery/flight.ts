// One parcel on its way: sent until each of its rows is acknowledged or set aside. It is divided where
// a request is too long, or where one row of it may be at fault; what is acknowledged is not sent again.
import type { StoredRow } from '../audit/row.ts';
import { explain } from '../fault.ts';
import type { Encoded, Feed } from './feed.ts';
import type { Pace } from './pace.ts';
import { readRejection, type Rejection } from '../otlp/read-response.ts';
import type { Answer, Transport } from '../otlp/transport.ts';

/** Longest request of more than one row. Receivers take 4 MiB by default. */
export const MAX_REQUEST_BYTES = 2 * 1024 * 1024;

/** Tries of a single row whose failure isn't clear, before it is set aside. */
export const MAX_UNCLEAR = 5;

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
  readonly pace: Pick<Pace, 'enter'>;
  readonly ledger: Ledger;
  /** Returns rows as they are in the store by now. Rejects with store faults. */
  readonly renew: (rows: readonly StoredRow[]) => Promise<readonly StoredRow[]>;
};

/** Some rows that go as one request; `failures` counts those of a single row that are unclear. */
type Piece = { readonly rows: readonly StoredRow[]; readonly failures: number };

/** Resolves to whether all rows are dealt with; not, when the pace was closed before. Never rejects. */
export async function fly(rows: readonly StoredRow[], parts: FlightParts): Promise<boolean> {
  const waiting: Piece[] = rows.length === 0 ? [] : [{ rows, failures: 0 }];
  for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) {
    const left = await send(piece, parts);
    if (left === undefined) return false;
    // Behind the others: where one part fails, the next success shows that the destination is well.
    waiting.push(...left);
  }
  return true;
}

/** Resolves to what is left of a piece: nothing, itself, or its halves; undefined when it can't be sent. */
async function send(piece: Piece, parts: FlightParts): Promise<readonly Piece[] | undefined> {
  const turn = await parts.pace.enter();
  if (turn === undefined) return undefined;
  const { left, answer } = await attempt(piece, turn.hasWaited, parts);
  turn.end(answer);
  return left;
}

type Attempt = { readonly left: readonly Piece[]; readonly answer?: Answer };

async function attempt(piece: Piece, isOld: boolean, parts: FlightParts): Promise<Attempt> {
  const { feed, transport, ledger, renew } = parts;
  try {
    const rows = isOld ? await renew(piece.rows) : piece.rows;
    const now = { ...piece, rows };
    const { bytes, items, problem } = encoded(feed, rows);
    if (problem !== undefined) return { left: refused(now, rows.length, problem, ledger) };
    if (items === 0) return { left: [] };
    if (bytes.length > MAX_REQUEST_BYTES && rows.length > 1) return { left: halves(now) };
    const answer = await transport.send(feed.signal, bytes);
    return { left: judged(now, items, answer, ledger), answer };
  } catch (error) {
    return { left: [piece], answer: { kind: 'retry', problem: explain(error) } };
  }
}

// A row that can't be encoded is a fault of ours; all others must get through all the same.
function encoded(feed: Feed, rows: readonly StoredRow[]): Encoded & { problem?: string } {
  try {
    return feed.encode(rows);
  } catch (error) {
    return { bytes: Buffer.alloc(0), items: 0, problem: `it can't be encoded: ${explain(error)}` };
  }
}

function judged(piece: Piece, items: number, answer: Answer, ledger: Ledger): readonly Piece[] {
  switch (answer.kind) {
    case 'acknowledged':
      ledger.taken(items, readRejection(answer.response, items), piece.rows);
      return [];
    case 'refused':
      return refused(piece, items, answer.problem, ledger);
    case 'unclear':
      return unclear(piece, items, answer.problem, ledger);
    case 'retry':
    case 'unauthorized':
    case 'misdirected':
      return [piece];
  }
}

function refused(piece: Piece, items: number, reason: string, ledger: Ledger): readonly Piece[] {
  const [row, ...others] = piece.rows;
  if (others.length > 0) return halves(piece);
  if (row !== undefined) ledger.refused(row, items, reason);
  return [];
}

// It may be the destination, or one row: a row alone gets several tries.
function unclear(piece: Piece, items: number, reason: string, ledger: Ledger): readonly Piece[] {
  const failures = piece.failures + 1;
  const isSpent = piece.rows.length > 1 || failures >= MAX_UNCLEAR;
  return isSpent ? refused(piece, items, reason, ledger) : [{ ...piece, failures }];
}

function halves({ rows }: Piece): readonly Piece[] {
  const middle = Math.ceil(rows.length / 2);
  return [rows.slice(0, middle), rows.slice(middle)].map((half) => ({ rows: half, failures: 0 }));
}
