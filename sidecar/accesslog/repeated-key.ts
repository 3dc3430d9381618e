// Finds a key that stands twice in a JSON object. JSON.parse keeps the last one in silence: a line
// that was stamped twice would be believed in the part that its writer chose to put last.

/**
 * Returns whether one of `keys` stands more than once at the top of the object in `json`, which
 * must be valid JSON. Strings are skipped as a whole, from their quote to the next one that is not
 * escaped: what a client wrote into a value, quotes and colons included, can't look like a key.
 */
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
  while (json[before] === '\\') before -= 1;
  return (at - before) % 2 === 0;
}
