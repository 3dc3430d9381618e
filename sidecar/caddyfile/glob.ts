// Go's filepath.Match for one part of a path, as far as Caddy allows it in an import: one `*`, one `?`, and
// a backslash that takes the meaning from what follows.

/** Returns a test for names that fit; unlike a shell's, `*` takes a leading dot, too. */
export function matcherOf(part: string): (name: string) => boolean {
  const source = part.replaceAll(/\\(.)|([*?])|([\\^$.|+()[\]{}/-])/gsu, (piece, escaped, wild) => {
    if (wild !== undefined) return wild === '*' ? '[^/]*' : '[^/]';
    return `\\u{${(escaped ?? piece).codePointAt(0).toString(16)}}`;
  });
  const expression = new RegExp(`^${source}$`, 'su');
  return (name) => expression.test(name);
}

/** Whether a path asks for more than one file. */
export function isPattern(path: string): boolean {
  return /[*?[\\]/.test(path);
}
