// Finds a key that stands twice in a JSON object. JSON.parse keeps the last one in silence: a line
// that was stamped twice would be believed in the part that its writer chose to put last. Texts must be
// valid JSON. Strings are skipped as a whole, from their quote to the next one that is not escaped: what
// a client wrote into a value, quotes and colons included, can't look like a key.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/**
 * Returns how many members stand at the top of the object in `json`: as many as JSON.parse found keys,
 * or more, and then some key stands more than once.
 */
export function countMembers(json: string): number {
  let count = 0;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfString(json, at);
    else if (code === COLON && depth === 1) count += 1;
    else if (code === OPENING_BRACE || code === OPENING_BRACKET) depth += 1;
    else if (code === CLOSING_BRACE || code === CLOSING_BRACKET) depth -= 1;
  }
  return count;
}

/** Returns whether one of `keys` stands more than once at the top of the object in `json`. */
export function repeatsKey(json: string, keys: ReadonlySet<string>): boolean {
  const seen = new Set<string>();
  let depth = 0;
  let lastString = '';
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === '"') {
      const end = endOfString(json, at);
      if (depth === 1) lastString = json.slice(at, end + 1);
      at = end;
    } else if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') depth -= 1;
    else if (char === ':' && depth === 1) {
      const key = keyOf(lastString);
      if (seen.has(key)) return true;
      if (keys.has(key)) seen.add(key);
    }
  }
  return false;
}

// `"st\u0061mp"` is the key `stamp`, too.
function keyOf(string: string): string {
  return string.includes('\\') ? String(JSON.parse(string)) : string.slice(1, -1);
}

function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end < 0 ? json.length : end;
}

function isEscaped(json: string, at: number): boolean {
  let before = at - 1;
  while (json.charCodeAt(before) === BACKSLASH) before -= 1;
  return (at - before) % 2 === 0;
}
