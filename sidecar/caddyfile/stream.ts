// The tokens that are still to be read. An import puts its own in front of the rest, so that nothing is
// ever copied twice; whatever goes wrong ends the stream, and with it every loop that reads it.
import { LIMITS, type CaddyfileProblem } from './problem.ts';
import { isNewLine, type Place, type Token } from './token.ts';

export type Stream = {
  /** Moves on; false at the end, or after `stop`. */
  next(): boolean;
  /** The token that `next` came to; undefined before the first and behind the last. */
  current(): Token | undefined;
  previous(): Token | undefined;
  peek(): Token | undefined;
  /** Whether the current token begins a line. */
  beginsLine(): boolean;
  /** Whether it ends one. */
  endsLine(): boolean;
  /** Puts the current token back. */
  unread(): void;
  /** Goes on with these tokens, as if `before` had been read last. */
  splice(tokens: readonly Token[], before: Token | undefined): void;
  /** Ends the stream: only the first problem counts. */
  stop(reason: CaddyfileProblem['reason'], message: string, place?: Place): void;
  problem(): CaddyfileProblem | undefined;
};

/** Returns a stream over the tokens of `file`. */
export function createStream(file: string): Stream {
  // The next one is the last.
  const rest: Token[] = [];
  let [previous, current]: (Token | undefined)[] = [];
  let found: CaddyfileProblem | undefined;
  let [tokenCount, characterCount] = [0, 0];

  const stream: Stream = {
    next() {
      if (rest.length === 0) return false;
      previous = current;
      current = rest.pop();
      return true;
    },
    current: () => current,
    previous: () => previous,
    peek: () => rest.at(-1),
    beginsLine: () => current !== undefined && isNewLine(previous, current),
    endsLine() {
      const following = rest.at(-1);
      return current === undefined || following === undefined || isNewLine(current, following);
    },
    unread() {
      if (found !== undefined) return;
      if (current !== undefined) rest.push(current);
      [previous, current] = [undefined, previous];
    },
    splice(tokens, before) {
      if (found !== undefined) return;
      tokenCount += tokens.length;
      for (const token of tokens) characterCount += token.text.length;
      if (tokenCount > LIMITS.tokens || characterCount > LIMITS.characters) {
        return stream.stop('too-large', 'with all that it imports the Caddyfile is too large');
      }
      for (let at = tokens.length - 1; at >= 0; at--) rest.push(tokens[at]!);
      [previous, current] = [undefined, before];
    },
    stop(reason, message, place = current ?? previous ?? { file, line: 1 }) {
      found ??= { reason, message, place: { file: place.file, line: place.line } };
      rest.length = 0;
    },
    problem: () => found,
  };
  return stream;
}
