// What an import's arguments make of the tokens it brings: `{args[0]}`, `{args[1:]}`, the old `{args.0}`.
// After Caddy 2.11's importargs.go, and of its replacer what those need.
import { LIMITS } from './problem.ts';
import { countBreaks, type Token } from './token.ts';

/** Returns what stands for a token that was imported with these arguments: itself, another, or several. */
export function fillIn(token: Token, args: readonly Token[]): readonly Token[] {
  const range = rangeOf(token.text, args.length);
  if (range !== undefined) {
    return args.slice(...range).map((arg) => retell(token, arg.text, [arg]));
  }
  if (!/[{}]/.test(token.text)) return [token];
  const used: Token[] = [];
  let grown = 0;
  // A backslash in front of a brace is used up, too.
  const text = token.text.replaceAll(
    /\\([{}])|\{args(?:\.([+-]?\d+)|\[([+-]?\d+)\])\}/g,
    (piece, brace?: string, old?: string, index?: string) => {
      if (brace !== undefined) return brace;
      const arg = args[Number(old ?? index)];
      // Long arguments, often: what is more than this is refused behind this, by the stream.
      if (arg === undefined || grown > LIMITS.characters) return piece;
      grown += arg.text.length;
      used.push(arg);
      return arg.text;
    },
  );
  return text === token.text ? [token] : [retell(token, text, used)];
}

/** First and last (exclusive) argument of `{args[1:3]}`, when it is a token of its own. */
function rangeOf(text: string, count: number): [number, number] | undefined {
  const [, from, to] = /^\{args\[([+-]?\d*):([+-]?\d*)\]\}$/.exec(text) ?? [];
  if (from === undefined || to === undefined) return undefined;
  const [first, last] = [from === '' ? 0 : Number(from), to === '' ? count : Number(to)];
  return first >= 0 && first <= last && last <= count ? [first, last] : undefined;
}

function retell(token: Token, text: string, used: readonly Token[]): Token {
  const given = used.find((arg) => !arg.fromEnvironment) ?? used[0];
  return {
    ...token,
    text,
    breaks: countBreaks(text, token.quote),
    fromEnvironment: token.fromEnvironment || used.some((arg) => arg.fromEnvironment),
    ...(given !== undefined && {
      givenAt: given.givenAt ?? { file: given.file, line: given.line },
    }),
  };
}
