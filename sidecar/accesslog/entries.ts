// A line of the log → what became of it. Usually one entry or one line set aside; a line that Caddy was
// killed in the middle of is glued to the next one, and that next one must not be lost with it.
import { parseLine, type Entry } from './line.ts';
import { setAsideLine, type SetAsideLine, type SetAsideReason } from './set-aside.ts';

/** What one line held; `bytes` are those of the entry itself. */
export type Read = {
  readonly entry?: Entry;
  readonly bytes: Buffer;
  readonly setAside?: SetAsideLine;
};

// How each of Caddy's lines begins. Inside a JSON string its quotes would be escaped: no client can
// write this into a value.
const BEGINNING = Buffer.from('{"level":"');

/** Returns the entry of a line, and what of it is set aside. Never throws. */
export function readEntry(bytes: Buffer): Read {
  const parsed = parseLine(bytes);
  if (!('setAside' in parsed)) return { entry: parsed, bytes };
  if (parsed.setAside !== 'not-json') return setAsideWhole(bytes, parsed.setAside);
  const at = bytes.lastIndexOf(BEGINNING);
  if (at <= 0) return setAsideWhole(bytes, 'not-json');
  const rest = bytes.subarray(at);
  const recovered = parseLine(rest);
  if ('setAside' in recovered) return setAsideWhole(bytes, 'not-json');
  const torn = setAsideLine(bytes.subarray(0, at), 'half-line');
  return { entry: recovered, bytes: rest, setAside: torn };
}

function setAsideWhole(bytes: Buffer, reason: SetAsideReason): Read {
  return { bytes, setAside: setAsideLine(bytes, reason) };
}
