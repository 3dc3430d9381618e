// How Go and Caddy read paths: escapes, cleaning, patterns. Written after Go's net/url and path and Caddy 2.11's
// CleanPath, because a path that is read otherwise here would be another path there.
import { posix } from 'node:path';

const UNRESERVED = /[A-Za-z0-9\-_.~$&+,/:;=@]/;
/** What may stand in an escaped path besides, though Go itself would escape it: `validEncoded` of net/url. */
const LEFT_ALONE = /^(?:[A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]]|%[0-9A-Fa-f]{2})*$/;

/** Returns the text with its escapes read, or undefined where one is malformed. Bytes that are no UTF-8 become U+FFFD. */
export function unescaped(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  const bytes = Buffer.from(
    text.replace(/[^%]+/gu, encodedBytes).replaceAll(/%(..)/g, byteOf),
    'latin1',
  );
  return bytes.toString('utf8');
}

/** Returns the path as Go's `EscapedPath` would write it: `raw` where that is a valid spelling, else made anew. */
export function escapedPath(path: string, raw: string): string {
  if (raw !== '' && LEFT_ALONE.test(raw) && unescaped(raw) === path) return raw;
  return path === '*'
    ? '*'
    : path.replaceAll(/[^]/gu, (one) => (UNRESERVED.test(one) ? one : escape(one)));
}

/** Returns the path without `.`, `..` and, if asked, repeated slashes; a slash at its end stays. */
export function cleanPath(path: string, mergeSlashes: boolean): string {
  if (mergeSlashes) return posix.normalize(path);
  // Something that no path holds goes between two slashes and out again, as Caddy does it.
  return posix.normalize(path.replaceAll(/\/(?=\/)/g, `/${FILLER}`)).replaceAll(FILLER, '');
}

const FILLER = '\u{10ffff}';

/** Returns the text in lower case as Go makes it: each character by itself. */
export function lower(text: string): string {
  return text.replaceAll(/[^]/gu, (one) =>
    String.fromCodePoint(one.toLowerCase().codePointAt(0) ?? 0),
  );
}

/** Returns whether Go's `path.Match` takes the pattern for the whole name; false for a malformed one. */
export function globMatches(pattern: string, name: string): boolean {
  const steps = globSteps(pattern);
  return steps !== undefined && matchesSteps(steps, Array.from(name));
}

/** One character, or `*`: any number of them, but no slash. */
type GlobStep = RegExp | '*';

const GLOB = /\*|\?|\[(\^?)((?:\\[^]|[^\]\\])+)\]|\\([^])|([^])/guy;

function globSteps(pattern: string): GlobStep[] | undefined {
  const steps: GlobStep[] = [];
  let end = 0;
  for (const match of pattern.matchAll(GLOB)) {
    const [whole, not = '', inside, escaped, plain] = match;
    end = match.index + whole.length;
    if (plain === '[' || plain === '\\') return undefined;
    if (whole === '*') steps.push('*');
    else if (whole === '?') steps.push(/^[^/]$/su);
    else if (inside === undefined) steps.push(one(literal(escaped ?? plain ?? '')));
    else steps.push(one(`[${not}${classSource(inside)}]`));
  }
  return end === pattern.length ? steps : undefined;
}

function one(source: string): RegExp {
  return new RegExp(`^${source}$`, 'su');
}

// Only the last `*` is ever tried anew, so that many of them take no longer.
function matchesSteps(steps: readonly GlobStep[], chars: readonly string[]): boolean {
  let [at, step, star, from] = [0, 0, -1, 0];
  while (at < chars.length) {
    const next = steps[step];
    if (next === '*') {
      [star, from] = [step, at];
      step++;
    } else if (next?.test(chars[at] ?? '')) {
      at++;
      step++;
    } else {
      if (star < 0 || chars[from] === '/') return false;
      from++;
      [at, step] = [from, star + 1];
    }
  }
  return steps.slice(step).every((left) => left === '*');
}

function classSource(inside: string): string {
  return inside.replaceAll(/\\([^])|([^])/gu, (_, escaped?: string, plain?: string) =>
    plain === '-' ? '-' : literal(escaped ?? plain ?? ''),
  );
}

/** Returns a regular expression's source that matches this text and nothing else. */
export function literal(text: string): string {
  return text.replaceAll(/[^]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`);
}

function encodedBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function byteOf(_: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

function escape(one: string): string {
  return [...Buffer.from(one, 'utf8')]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}
