// A regular expression of Go's (RE2) for JavaScript: the same matches, or none at all. What is spelled otherwise or
// not known to be the same is not guessed.
import { literal } from './go-path.ts';

const GO_SPACE = '[\\t\\n\\f\\r ]';
const GO_WORD = '[0-9A-Za-z_]';
const NOT_WORD = '[^0-9A-Za-z_]';

/** Compiled, or undefined where it can't be held to what Go would do. */
const compiled = new Map<string, RegExp | undefined>();

/** Returns the expression, or undefined where JavaScript can't be trusted to match as Go does. Never throws. */
export function goRegExp(pattern: string): RegExp | undefined {
  if (!compiled.has(pattern)) compiled.set(pattern, compile(pattern));
  return compiled.get(pattern);
}

function compile(pattern: string): RegExp | undefined {
  const [whole = '', flags = ''] = /^\(\?([ims]+)\)/.exec(pattern) ?? [];
  const source = translate(pattern.slice(whole.length), flags.includes('s'));
  if (source === undefined) return undefined;
  try {
    return new RegExp(source, `u${[...new Set(flags)].join('')}`);
  } catch {
    return undefined;
  }
}

const TOKEN =
  /\\Q|\\x\{([0-9A-Fa-f]+)\}|\\x([0-9A-Fa-f]{2})|\\([^])|\(\?P?<(\w+)>|\(\?i:|\(\?:|\(\?|\{\d+(?:,\d*)?\}|\[(\^?)(\]?(?:\\[^]|\[:|[^\]\\])*)\]|([^])/gu;

function translate(pattern: string, dotAll: boolean): string | undefined {
  let source = '';
  for (const match of pattern.matchAll(TOKEN)) {
    const piece = translated(match, dotAll);
    if (piece === undefined) return undefined;
    source += piece;
  }
  return source;
}

function translated(match: RegExpMatchArray, dotAll: boolean): string | undefined {
  const [whole, long, short, escaped, name, not, inside, plain] = match;
  if (whole === '\\Q' || whole === '(?') return undefined;
  if (long !== undefined || short !== undefined) return `\\u{${long ?? short}}`;
  if (escaped !== undefined) return escapedAs(escaped, false);
  if (name !== undefined) return `(?<${name}>`;
  if (inside !== undefined) return classOf(inside, not ?? '');
  if (plain === '.') return dotAll ? '[^]' : '[^\\n]';
  // Alone they are themselves to Go; to JavaScript they are mistakes.
  if (plain === '{' || plain === '}' || plain === ']') return `\\${plain}`;
  return plain === '[' || plain === '\\' ? undefined : whole;
}

function escapedAs(one: string, inClass: boolean): string | undefined {
  if (one === 's') return inClass ? '\\t\\n\\f\\r ' : GO_SPACE;
  if (one === 'S') return inClass ? undefined : '[^\\t\\n\\f\\r ]';
  if (one === 'w') return inClass ? '0-9A-Za-z_' : GO_WORD;
  if (one === 'W') return inClass ? undefined : NOT_WORD;
  if (one === 'd' || one === 'D') return `\\${one}`;
  if ('fnrtv'.includes(one)) return `\\${one}`;
  if (one === 'a') return '\\x07';
  if (!inClass && (one === 'b' || one === 'B')) return `\\${one}`;
  if (!inClass && one === 'A') return '(?<![^])';
  if (!inClass && one === 'z') return '(?![^])';
  return /[\p{L}\p{N}]/u.test(one) ? undefined : literal(one);
}

function classOf(inside: string, not: string): string | undefined {
  if (inside.includes('[:')) return undefined;
  let source = '';
  for (const [, hex, escaped, plain] of inside.matchAll(/\\x([0-9A-Fa-f]{2})|\\([^])|([^])/gu)) {
    const piece =
      hex !== undefined
        ? `\\u{${hex}}`
        : escaped === undefined
          ? inClass(plain ?? '')
          : escapedAs(escaped, true);
    if (piece === undefined) return undefined;
    source += piece;
  }
  return `[${not}${source}]`;
}

function inClass(one: string): string {
  return one === '-' || one === '^' ? (one === '-' ? '-' : '\\^') : literal(one);
}

/** Returns what a match fills in: by number and by name, with the matcher's own name before it and without. */
export function captures(match: RegExpExecArray, name: string): [key: string, value: string][] {
  const numbered = match.map((value, at): [string, string] => [String(at), value ?? '']);
  const named = Object.entries(match.groups ?? {}).map(([key, value]): [string, string] => [
    key,
    value ?? '',
  ]);
  return [...numbered, ...named].flatMap(([key, value]): [string, string][] => [
    ...(name === '' ? [] : [[`http.regexp.${name}.${key}`, value] as [string, string]]),
    [`http.regexp.${key}`, value],
  ]);
}
