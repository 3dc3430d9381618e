// The words of `signet status`: lengths of time, sizes, and sentences broken to a terminal's width. Pure.
import { wholeText } from '../report/format-volume.ts';

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
] as const;

/** Returns a length of time in its two largest units: `2 h 5 min`, `12 s`. */
export function lengthText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const index = UNITS.findIndex(([, inSeconds]) => seconds >= inSeconds);
  const [unit, inSeconds] = UNITS[index] ?? ['s', 1];
  const first = `${Math.floor(seconds / inSeconds)} ${unit}`;
  const [smaller, inSmaller] = UNITS[index + 1] ?? ['s', 1];
  const rest = Math.floor((seconds % inSeconds) / inSmaller);
  return index === -1 || rest === 0 ? first : `${first} ${rest} ${smaller}`;
}

/** Returns bytes in the unit that fits: `812 bytes`, `1.2 MB`. */
export function sizeText(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB'];
  if (bytes < 1000) return `${wholeText(bytes)} bytes`;
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(1)} ${units[power - 1] ?? ''}`;
}

/** Returns the number with what is counted: `1 row`, `1,234 rows`. */
export function countText(number: number, noun: string): string {
  return `${wholeText(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** Returns the text in lines of at most `width` characters, broken at spaces; a longer word stays whole. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && longer.length > width) lines.push(line);
    line = line !== '' && longer.length > width ? word : longer;
  }
  return [...lines, line];
}

/** Returns phrases with commas between them, in lines as `wrapped` has them; a phrase that fits is not broken. */
export function wrappedPhrases(phrases: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const [index, phrase] of phrases.entries()) {
    const text = index < phrases.length - 1 ? `${phrase},` : phrase;
    const longer = lines.length === 0 ? text : `${lines.at(-1)} ${text}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(...wrapped(text, width));
  }
  return lines;
}
