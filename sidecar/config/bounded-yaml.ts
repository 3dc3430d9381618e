// YAML of an operator's file, parsed within bounds: it is read again while requests are answered, by the thread that answers
// them. The library compares each key with all before it, and takes long to say what is wrong in many places.
import { type Document, isScalar, type LineCounter, parseDocument } from 'yaml';

/**
 * Characters that begin, end or part what the file is made of, counted wherever they stand: settings of 20 KB have some
 * 2,500 of them, and texts some 800 a language. So many of the worst kind are parsed in some 300 ms.
 */
export const MAX_PARTS = 10_000;
/** Of keys within one section, all together: a section of 500 keys needs a quarter of it. */
export const MAX_KEY_COMPARISONS = 500_000;

const PARTS = /[\n\r,[\]{}:?!&*%"'-]/g;

/** Returns the document, mistakes and all, without a warning that would quote its text; undefined beyond the bounds. */
export function parseBounded(text: string, lineCounter?: LineCounter): Document.Parsed | undefined {
  if (hasMoreParts(text)) return undefined;
  let compared = 0;
  const uniqueKeys = (one: unknown, other: unknown) => {
    // The library goes on behind the section that this ends, and meets it again at the next key.
    if (++compared > MAX_KEY_COMPARISONS) throw new RangeError('too many keys');
    return one === other || (isScalar(one) && isScalar(other) && one.value === other.value);
  };
  const quiet = { prettyErrors: false, logLevel: 'error', uniqueKeys } as const;
  const document = parseDocument(text, { ...quiet, ...(lineCounter && { lineCounter }) });
  return compared > MAX_KEY_COMPARISONS ? undefined : document;
}

function hasMoreParts(text: string): boolean {
  let parts = 0;
  for (const _part of text.matchAll(PARTS)) if (++parts > MAX_PARTS) return true;
  return false;
}
