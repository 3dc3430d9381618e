// Changes of a key ring's text: a key is added, made the first, taken out. Comments stay where they stand. Pure:
// the new key and the time are handed in; the file is written in write-keys.ts.
import { Fault } from '../fault.ts';
import { type KeyRing, parseKeys } from './keys.ts';

/** A new key: base64 of 32 random bytes, and when it was made. */
export type FreshKey = { readonly key: string; readonly atMs: number };

/** The mark of a key that waits to be put in front, in the comment on its line. */
const STAGED = /#\s*staged\b/;

/** One key of the text. */
type Place = { readonly line: number; readonly key: string };

/**
 * Returns the text with a further key on a line of its own: `first` seals from now on; `last` only opens, until
 * all who share the ring know it, and is marked as staged.
 * @throws {Fault} ERR_KEYS if the text is no ring, has this key, or one is to be staged and one is.
 */
export function addKey(text: string, how: 'first' | 'last', { key, atMs }: FreshKey): string {
  const places = placesOf(text);
  const line = `${key} # ${how === 'last' ? 'staged' : 'added'} ${new Date(atMs).toISOString().slice(0, 19)}Z`;
  placesOf(line);
  if (places.some((place) => place.key === key)) throw new Fault('ERR_KEYS', 'it has this key');
  const lines = linesOf(text);
  if (how === 'last' && stagedLine(lines, places) !== undefined) {
    throw new Fault('ERR_KEYS', 'a key is staged already');
  }
  const at = how === 'first' ? (places[0]?.line ?? 0) : (places.at(-1)?.line ?? 0) + 1;
  return textOf(lines.toSpliced(at, 0, line));
}

/**
 * Returns the text with its last key, which has to be marked as staged, as the first, which seals; all others go on
 * opening. The mark goes: a second time would put the old key, which may have leaked, in front again.
 * @throws {Fault} ERR_KEYS if the text is no ring, or nothing is staged.
 */
export function promoteLast(text: string): string {
  const places = placesOf(text);
  const lines = linesOf(text);
  const [first] = places;
  const staged = stagedLine(lines, places);
  if (!first || staged === undefined) throw new Fault('ERR_KEYS', 'nothing is staged');
  const line = (lines[staged] ?? '').replace(STAGED, '# added');
  return textOf(lines.toSpliced(staged, 1).toSpliced(first.line, 0, line));
}

/** Returns the id of the key that waits to be put in front: the last, if it is marked; undefined if there is none. */
export function stagedKey(text: string, idsOf: (ring: KeyRing) => string[]): string | undefined {
  const parsed = parseKeys(text);
  const isThere = stagedLine(linesOf(text), placesOf(text)) !== undefined;
  return isThere && 'keys' in parsed ? idsOf(parsed).at(-1) : undefined;
}

/** Where the last key stands, if it is marked, alone on its line, and not the one that seals. */
function stagedLine(lines: readonly string[], places: readonly Place[]): number | undefined {
  const last = places.at(-1);
  if (last === undefined || places.length === 1) return undefined;
  const content = lines[last.line] ?? '';
  const isAlone = keysOf(content).length === 1;
  return isAlone && STAGED.test(content) ? last.line : undefined;
}

/**
 * Returns the text without the key of this id; `idsOf` tells the ids of a ring's keys, in their order.
 * @throws {Fault} ERR_KEYS if there is none of this id, or it is the first, which seals.
 */
export function removeKey(text: string, id: string, idsOf: (ring: KeyRing) => string[]): string {
  const places = placesOf(text);
  const parsed = parseKeys(text);
  const ids = 'keys' in parsed ? idsOf(parsed) : [];
  if (!ids.includes(id))
    throw new Fault('ERR_KEYS', `there is no key ${id}; there is ${ids.join(', ')}`);
  if (ids[0] === id) {
    throw new Fault('ERR_KEYS', `${id} is the key that seals; make another one the first before`);
  }
  // From the end, so that the lines before keep their numbers.
  const gone = places.filter((_, at) => ids[at] === id).toReversed();
  return textOf(gone.reduce(cut, linesOf(text)));
}

function placesOf(text: string): Place[] {
  const parsed = parseKeys(text);
  if ('problem' in parsed) throw new Fault('ERR_KEYS', `it is no key ring: ${parsed.problem}`);
  return linesOf(text).flatMap((content, line) => keysOf(content).map((key) => ({ line, key })));
}

/** As parseKeys has it: between commas, `#` begins a comment. */
function keysOf(line: string): string[] {
  const items = line.replace(/#.*/, '').split(',');
  return items.map((item) => item.trim()).filter((item) => item !== '');
}

/** Returns the lines without a key: its whole line with the comment, or, where others stand beside it, itself. */
function cut(lines: readonly string[], { line, key }: Place): string[] {
  const content = lines[line] ?? '';
  const keys = keysOf(content);
  if (keys.length === 1) return lines.toSpliced(line, 1);
  const comment = /#.*/.exec(content)?.[0];
  const others = keys.toSpliced(keys.lastIndexOf(key), 1).join(',');
  const rest = comment === undefined ? others : `${others} ${comment}`;
  return lines.toSpliced(line, 1, rest);
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function textOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
