// The block that an import is given, `import protect … { … }`, and its parts by name, `{blocks.NAME}`.
import type { Stream } from './stream.ts';
import { isClose, isNewLine, isOpen, type Token } from './token.ts';

/** Reads the block behind an import's arguments, without its braces; undefined where there is none. */
export function takeBlock(stream: Stream): readonly Token[] | undefined {
  const opening = stream.peek();
  if (stream.endsLine() || opening === undefined || !isOpen(opening)) return undefined;
  stream.next();
  const tokens: Token[] = [];
  for (let depth = 1; stream.next();) {
    const token = stream.current()!;
    if (isOpen(token)) depth++;
    if (isClose(token)) depth--;
    if (depth === 0) return tokens;
    tokens.push(token);
  }
  stream.stop('syntax', 'the block of this import is not closed', opening);
  return tokens;
}

/** Returns what stands behind each name in an import's block; of two with one name the last. */
export function partsOf(block: readonly Token[]): ReadonlyMap<string, readonly Token[]> {
  const parts = new Map<string, readonly Token[]>();
  for (let at = 0; at < block.length;) {
    const part: Token[] = [];
    const name = block[at]!.text;
    for (at++; at < block.length; at++) {
      const token = block[at]!;
      if (isNewLine(block[at - 1], token) || isOpen(token)) break;
      part.push(token);
    }
    if (at < block.length && !isNewLine(block[at - 1], block[at]!))
      at = takeNested(block, at, part);
    parts.set(name, part);
  }
  return parts;
}

/** Adds what stands between the braces that open at `at`; returns where to go on. */
function takeNested(block: readonly Token[], at: number, into: Token[]): number {
  let depth = 1;
  for (at++; at < block.length; at++) {
    const token = block[at]!;
    if (isOpen(token)) depth++;
    if (isClose(token)) depth--;
    if (depth === 0) return at + 1;
    into.push(token);
  }
  return at;
}
