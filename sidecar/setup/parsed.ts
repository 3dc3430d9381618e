// What became of a text that somebody typed: a value, or a sentence that says what is allowed.

export type Parsed<T> = { readonly value: T } | { readonly problem: string };

const MAX_QUOTED_CHARS = 80;

/** Returns a text as one bounded line in quotes that a terminal shows and does not obey. */
export function quoted(text: string): string {
  const cut = text.length > MAX_QUOTED_CHARS ? `${text.slice(0, MAX_QUOTED_CHARS)}…` : text;
  // JSON leaves DEL, the C1 controls and what turns the writing direction as they are.
  return JSON.stringify(cut).replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escaped);
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

/** Returns the refusal of a text, with what is allowed instead. */
export function refuse(text: string, allowed: string): { readonly problem: string } {
  return { problem: `read ${text === '' ? 'nothing' : quoted(text)}; allowed is ${allowed}` };
}
