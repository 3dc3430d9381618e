// What stands between a block's braces: directives, with their own blocks, and with imports followed. After
// `directives` and `directive` of Caddy 2.11's parse.go, which refuses what is refused here.
import type { Stream } from './stream.ts';
import { LIMITS } from './problem.ts';
import { isClose, isOpen, type Token } from './token.ts';
import type { Directive, Word } from './tree.ts';

/** A directive that is still being read. */
type Draft = Directive & { readonly args: Word[]; readonly block: Draft[] };

/**
 * Reads up to the brace that closes the block, or to the end where the site has none. `follow` puts what an
 * import names in front of the stream; without it, imports are directives like others.
 */
export function readBody(
  stream: Stream,
  braces: boolean,
  follow?: (stream: Stream) => void,
): readonly Directive[] {
  const roots: Draft[] = [];
  const open: Draft[] = [];
  let last: Draft | undefined;
  while (stream.next()) {
    const token = stream.current()!;
    const begins = last === undefined || stream.beginsLine();
    if (isClose(token) && open.length === 0) {
      if (!begins) stream.stop('syntax', 'a } stands on the line of a directive');
      return roots;
    }
    if (isClose(token)) last = open.pop();
    else if (token.text === 'import' && begins && follow !== undefined) {
      // At the top an import ends the directive before it. Within blocks Caddy goes by lines alone.
      if (open.length === 0) last = undefined;
      follow(stream);
    } else if (isOpen(token)) {
      checkOpening(stream, open.length, begins);
      if (last !== undefined) open.push(last);
      last = undefined;
    } else if (last === undefined || begins) {
      last = begin(token);
      (open.at(-1)?.block ?? roots).push(last);
    } else last.args.push(wordOf(token));
  }
  if (braces || open.length > 0) stream.stop('syntax', 'a block is not closed');
  return roots;
}

function checkOpening(stream: Stream, depth: number, begins: boolean): void {
  if (begins) stream.stop('syntax', 'a { stands at the beginning of a line');
  if (!stream.endsLine()) stream.stop('syntax', 'something stands behind a { on its line');
  if (depth >= LIMITS.blockDepth) stream.stop('too-large', 'blocks stand too deep in blocks');
}

function begin(token: Token): Draft {
  const { file, line, text, importedAt } = token;
  return { file, line, name: text, args: [], block: [], ...(importedAt && { importedAt }) };
}

function wordOf(token: Token): Word {
  const { text, quote, fromEnvironment, givenAt } = token;
  const { file, line } = givenAt ?? token;
  return { file, line, text, quoted: quote !== '', fromEnvironment };
}
