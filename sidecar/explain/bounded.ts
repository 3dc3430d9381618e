// Tries regular expressions for a bounded time: what RE2 reads once, JavaScript may go through until the end of days.
// What took too long is not known. Nothing is ever told otherwise than without the bound.
import { createContext, Script } from 'node:vm';

/** Of one try. Those that end at all are through in microseconds. */
const MAX_MS = 250;
/** Up to here a text is tried as it is by an expression with one quantifier, and not of a group: that can't take long. */
const SHORT = 1_000;

const sandbox = createContext(Object.create(null) as Record<string, unknown>);
/** Expression → length of the shortest text that took it too long: longer ones are not tried again. */
const tooLong = new Map<string, number>();

/** Returns the first match, null where there is none, or undefined where it took too long. Never throws. */
export function firstMatch(regExp: RegExp, text: string): RegExpExecArray | null | undefined {
  if (isQuick(regExp, text)) return regExp.exec(text);
  return bounded(FIRST, regExp, text) as RegExpExecArray | null | undefined;
}

/** Returns the text with every match replaced, or undefined where it took too long. Never throws. */
export function replacedEvery(
  text: string,
  regExp: RegExp,
  by: (match: RegExpExecArray) => string,
): string | undefined {
  const every = new RegExp(regExp.source, `${regExp.flags}g`);
  const matches = isQuick(regExp, text) ? [...text.matchAll(every)] : bounded(ALL, every, text);
  if (matches === undefined) return undefined;
  let made = '';
  let end = 0;
  for (const match of matches as readonly RegExpExecArray[]) {
    made += text.slice(end, match.index) + by(match);
    end = match.index + match[0].length;
  }
  return made + text.slice(end);
}

const FIRST = new Script('regExp.exec(text)');
const ALL = new Script('[...text.matchAll(regExp)]');

function isQuick({ source }: RegExp, text: string): boolean {
  const quantifiers = source.match(/\)?[*+?{]/g) ?? [];
  return (
    text.length <= SHORT && quantifiers.length <= 1 && quantifiers[0]?.startsWith(')') !== true
  );
}

function bounded(script: Script, regExp: RegExp, text: string): unknown {
  const key = String(regExp);
  if (text.length >= (tooLong.get(key) ?? Infinity)) return undefined;
  try {
    return script.runInContext(Object.assign(sandbox, { regExp, text }), { timeout: MAX_MS });
  } catch {
    tooLong.set(key, text.length);
    return undefined;
  }
}
