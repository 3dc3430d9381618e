// A line of the log → what became of it: usually one entry, or one line set aside. Lines that Caddy was
// killed in the middle of are glued to the next one, which must not be lost with them.
import { parseLine, type Entry } from './line.ts';
import { setAsideLine, type SetAsideLine } from './set-aside.ts';

/** What one line held, in its order; `bytes` are those of each entry itself. */
export type Read = {
  readonly entries: readonly { readonly entry: Entry; readonly bytes: Buffer }[];
  readonly setAside: readonly SetAsideLine[];
};

// How each of Caddy's lines begins. Inside a JSON string its quotes would be escaped: no client can
// write this into a value.
const BEGINNING = Buffer.from('{"level":"');

/** Times in a row that the writing of a line may break off within its first ten bytes. */
export const MAX_TORN_ENDS = 8;

/**
 * Returns the entries of a line, and what of it is set aside. Never throws. `nowUs` is in microseconds
 * since the epoch.
 */
export function readEntries(bytes: Buffer, nowUs: number): Read {
  const parsed = parseLine(bytes, nowUs);
  if (!('setAside' in parsed)) return { entries: [{ entry: parsed, bytes }], setAside: [] };
  if (parsed.setAside !== 'not-json') {
    return { entries: [], setAside: [setAsideLine(bytes, parsed.setAside)] };
  }
  const entries: { entry: Entry; bytes: Buffer }[] = [];
  const setAside: SetAsideLine[] = [];
  for (const piece of piecesOf(bytes)) {
    const entry = parseLine(piece, nowUs);
    if (!('setAside' in entry)) entries.push({ entry, bytes: piece });
    else setAside.push(setAsideLine(piece, reasonOf(piece, entry.setAside)));
  }
  return { entries, setAside };
}

// From each beginning of a line to the next one; before that a beginning that is itself torn.
function piecesOf(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(BEGINNING, 1); at >= 0; at = bytes.indexOf(BEGINNING, at + 1)) {
    pieces.push(...withoutTornEnd(bytes.subarray(from, at)));
    from = at;
  }
  return [...pieces, ...withoutTornEnd(bytes.subarray(from))];
}

// No line ends like one begins. What does may be torn more than once; it stays one piece.
function withoutTornEnd(piece: Buffer): Buffer[] {
  let end = piece.length;
  for (let times = 0; times < MAX_TORN_ENDS; times++) end -= tornBytesBefore(piece, end);
  if (end === 0 || end === piece.length) return [piece];
  return [piece.subarray(0, end), piece.subarray(end)];
}

// How many of the bytes before `end` are what a line begins with.
function tornBytesBefore(piece: Buffer, end: number): number {
  for (let length = Math.min(BEGINNING.length - 1, end); length > 0; length--) {
    if (piece.compare(BEGINNING, 0, length, end - length, end) === 0) return length;
  }
  return 0;
}

function reasonOf(piece: Buffer, reason: SetAsideLine['reason']): SetAsideLine['reason'] {
  const beginning = BEGINNING.subarray(0, piece.length);
  const isTorn = reason === 'not-json' && piece.indexOf(beginning) === 0;
  return isTorn ? 'half-line' : reason;
}
