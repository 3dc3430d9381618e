// A substituted text, character by character, with the line of the file's own text that each stands on.
import type { Substituted } from './environment.ts';

export type Characters = {
  /** The next one, or undefined at the end. */
  next(): string | undefined;
  /** The line, in the file, of the character that `next` returned last. */
  line(): number;
  /** Whether the environment had part in what was read since the last `forget`. */
  touched(): boolean;
  forget(): void;
  /** The rest of the text, from the next character on: where `wanted` ends in it, counted from here. */
  distanceTo(wanted: string): number | undefined;
};

/** Returns a reader; the byte order mark is left out. */
export function createCharacters({ text, spans }: Substituted): Characters {
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let span = 0;
  let nextLine = 1;
  let line = 1;
  let isTouched = false;

  /** Passes by the spans that ended, and tells whether this place is inside one. */
  const isSubstituted = (): boolean => {
    for (; span < spans.length && at >= spans[span]!.to; span++) {
      if (spans[span]!.from === spans[span]!.to) isTouched = true;
      nextLine += spans[span]!.breaks;
    }
    return span < spans.length && at >= spans[span]!.from;
  };

  return {
    next() {
      const substituted = isSubstituted();
      const character = text[at];
      if (character === undefined) return undefined;
      at++;
      line = nextLine;
      if (substituted) isTouched = true;
      else if (character === '\n') nextLine++;
      return character;
    },
    line: () => line,
    touched: () => isTouched,
    forget() {
      isTouched = false;
    },
    distanceTo(wanted) {
      const found = text.indexOf(wanted, at);
      return found < 0 ? undefined : found + wanted.length - at;
    },
  };
}
