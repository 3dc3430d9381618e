// What was read, as messages show it: one bounded line, without what may be a secret. Whoever can't tell
// a secret from a mistake says what kind of thing it is, and how long.

const MAX_SHOWN_CHARS = 80;

/** Returns a value as one bounded line, as far as it is no credential; a list or a mapping by its kind only. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return described(value);
  const open = openPart(value);
  const hidden = value.length - open.length;
  if (hidden === 0) return bounded(JSON.stringify(value));
  return open === ''
    ? described(value)
    : `${bounded(JSON.stringify(open))} and ${count(hidden, 'character')} more`;
}

/** Returns what kind of thing a value is, and how much of it, without quoting it. */
export function described(value: unknown): string {
  if (typeof value === 'string') return `a text of ${count(value.length, 'character')}`;
  if (Array.isArray(value)) return `a list of ${count(value.length, 'element')}`;
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  return `a mapping of ${count(Object.keys(value).length, 'key')}`;
}

/** Returns a list of texts as one bounded line, each as `shown`; other lists by their kind. */
export function shownList(list: readonly unknown[]): string {
  const isPlain = list.every((element) => typeof element === 'string');
  return isPlain ? bounded(`[${list.map(shown).join(', ')}]`) : described(list);
}

/** Returns whether what has this name may well be a secret. */
export function soundsSecret(name: string): boolean {
  return /assertion|secret|token|key|passw|credential/i.test(name);
}

/** Returns what was given as a URL and is refused: scheme and host of one, and of whatever else nothing. */
export function shownUrl(text: string): string {
  return text.includes('://') ? shown(text) : `${described(text)} that is no URL`;
}

/** Returns a text that was taken as it is, except for what may be a credential in a URL. */
export function shownWhole(text: string): string {
  const isSafe = !/[a-z]:\/{1,2}/i.test(text) || (!mayHaveUser(text) && !/[?#]/.test(text));
  return isSafe ? text : shown(text);
}

/** The name or password of a user, a query, a fragment and the path of a URL may all be a credential. */
function openPart(text: string): string {
  const scheme = /^[a-z][\w+.-]*:\/\//i.exec(text)?.[0] ?? '';
  if (mayHaveUser(text)) return scheme;
  if (scheme === '') return text.includes('://') ? '' : (/^[^?#]*/.exec(text)?.[0] ?? '');
  return scheme + (/^[^/?#\\\s]*/.exec(text.slice(scheme.length))?.[0] ?? '');
}

// A password may hold `/`, `?`, `#` and `@` as likely as not: nobody knows where its host would begin.
function mayHaveUser(text: string): boolean {
  const begin = text.search(/:|\/\//);
  return begin !== -1 && text.includes('@', begin);
}

function bounded(text: string): string {
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
