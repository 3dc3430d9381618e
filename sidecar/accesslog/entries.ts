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

/** Returns the entries of a line, and what of it is set aside. Never throws. */
export function readEntries(bytes: Buffer): Read {
  const parsed = parseLine(bytes);
  if (!('setAside' in parsed)) return { entries: [{ entry: parsed, bytes }], setAside: [] };
  if (parsed.setAside !== 'not-json') {
    return { entries: [], setAside: [setAsideLine(bytes, parsed.setAside)] };
  }
  const entries: { entry: Entry; bytes: Buffer }[] = [];
  const setAside: SetAsideLine[] = [];
  for (const piece of piecesOf(bytes)) {
    const entry = parseLine(piece);
    if (!('setAside' in entry)) entries.push({ entry, bytes: piece });
    else setAside.push(setAsideLine(piece, reasonOf(piece, entry.setAside)));
  }
  return { entries, setAside };
}

// From each beginning of a line to the next one.
function piecesOf(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(BEGINNING, 1); at >= 0; at = bytes.indexOf(BEGINNING, at + 1)) {
    pieces.push(bytes.subarray(from, at));
    from = at;
  }
  return [...pieces, bytes.subarray(from)];
}

function reasonOf(piece: Buffer, reason: SetAsideLine['reason']): SetAsideLine['reason'] {
  const isTorn = reason === 'not-json' && piece.indexOf(BEGINNING) === 0;
  return isTorn ? 'half-line' : reason;
}
