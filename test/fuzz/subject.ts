// A parser that is fuzzed as a text's reader: what it is fed with, and what must hold of whatever it makes of it.
import type { Random } from '../fixtures/random.ts';
import type { Tally } from './properties.ts';

export type Subject = {
  readonly name: string;
  /** Texts of its grammar: what is mutated. */
  readonly seeds: readonly string[];
  /** Pieces of its grammar, and what is close to one. */
  readonly units: readonly string[];
  /** Returns what is wrong with what came out, or undefined. Throws when the parser does. */
  readonly faultOf: (
    text: string,
    tally: Tally,
  ) => string | undefined | Promise<string | undefined>;
  /** What must take its time in proportion to the text's length; without it there is none. */
  readonly work?: (text: string) => unknown;
  /** Texts around so much of something, so that the end is not where the run is; default: the run alone. */
  readonly frames?: readonly ((filler: string) => string)[];
  /** Names in the tally that a run must have counted: the properties were asked about something. */
  readonly reached: readonly string[];
  /** A text of its own making, in place of a mutated seed. */
  readonly make?: (random: Random) => string;
};

/** Text that a header's value may be: visible ASCII, spaces and tabs. */
export const HEADER_TEXT = /^[\t\x20-\x7e]*$/;

/** What Caddy, a browser or a caller might leave in any text. */
export const ODD_TEXTS: readonly string[] = [
  ...['', ' ', '\t', '\u00a0', '\u2003', '\ufeff', '\0', '\r\n', '\n', '\x0b', '\x7f', '\x85'],
  ...['\u2028', '\u00e9', '\u20ac', '\u{1f600}', '\ud800', '\udc00', '\uff0f', '\uff3c', '\u2024'],
  ...['%', '%2', '%zz', '%00', '%0a', '%ff', '%c0%af', '%ed%a0%80', '%E2%80%A8', '%2541'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'x'.repeat(300)],
];

/** Counts what came out, by name. */
export function count(tally: Tally, name: string): void {
  tally[name] = (tally[name] ?? 0) + 1;
}

const OWN_OF_ALL = Object.getOwnPropertyNames(Object.prototype).join();
const OWN_OF_ARRAYS = Object.getOwnPropertyNames(Array.prototype).join();

/** Returns whether something was put where every object has it. */
export function isPolluted(): boolean {
  const isSame =
    Object.getOwnPropertyNames(Object.prototype).join() === OWN_OF_ALL &&
    Object.getOwnPropertyNames(Array.prototype).join() === OWN_OF_ARRAYS;
  return !isSame;
}
