// Which language a page is in: RFC 4647's lookup among those that there are. Asked only when a page is made.

/** A browser sends a handful of languages; what a client sends beyond that isn't looked at. */
export const MAX_CHARS = 512;
export const MAX_RANGES = 16;
const RANGE = /^([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,4}|\*)(?:\s*;\s*q=([01](?:\.\d{0,3})?))?$/;

/**
 * Returns the first of `available` that `Accept-Language` prefers (RFC 9110 12.5.4: `de-AT, de;q=0.9`), or the
 * first of all. A range that is more specific than what there is finds the less specific one: `de-AT` finds `de`.
 */
export function chooseLanguage(
  acceptLanguage: string | undefined,
  available: readonly [string, ...string[]],
): string {
  const byTag = new Map(available.map((tag) => [tag.toLowerCase(), tag]));
  for (const range of rangesOf(acceptLanguage ?? '')) {
    const found = range === '*' ? available[0] : lookUp(range, byTag);
    if (found !== undefined) return found;
  }
  return available[0];
}

function rangesOf(header: string): string[] {
  const ranges: { range: string; quality: number }[] = [];
  for (const part of header.slice(0, MAX_CHARS).split(',', MAX_RANGES)) {
    const [, range, quality = '1'] = RANGE.exec(part.trim()) ?? [];
    if (range !== undefined) ranges.push({ range: range.toLowerCase(), quality: Number(quality) });
  }
  const wanted = ranges.filter(({ quality }) => quality > 0);
  // The sort is stable: of equals the one that stands first.
  return wanted.toSorted((a, b) => b.quality - a.quality).map(({ range }) => range);
}

function lookUp(range: string, byTag: ReadonlyMap<string, string>): string | undefined {
  const parts = range.split('-');
  for (; parts.length > 0; parts.pop()) {
    const found = byTag.get(parts.join('-'));
    if (found !== undefined) return found;
  }
  return undefined;
}
