// Text that is safe to put on a terminal, and into JSON, and no longer than it may be. Pure. Whatever came from a client, a provider or a file goes
// through `visible` before it is printed.

// What a terminal obeys, or what makes text look like other text: C0 and C1 controls, DEL, marks
// that change direction, line separators, halves of surrogate pairs, and whatever has no width.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]/gu;

/** Returns the text with everything unprintable spelled out: `\x1b`, `\u202e`, `\u{e0041}`. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
  });
}

/** Returns JSON with the same characters as `\uXXXX`: still JSON, still the same values. */
export function visibleJson(json: string): string {
  return json.replace(UNSAFE, (char) =>
    char
      .split('') // UTF-16 code units: JSON escapes each half of a pair
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** Returns the text in at most `width` characters; one that was cut ends in `…`. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  const chars = Array.from(text);
  return chars.length <= width ? text : `${chars.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Returns the text cut and padded to exactly `width` characters. */
export function column(text: string, width: number): string {
  const short = cut(text, width);
  return short + ' '.repeat(width - Array.from(short).length);
}
