// What a heredoc says: its text up to the closing marker, without the indent of the marker's own line.
// After Caddy 2.11's lexer.go.

const MARKER = /^[A-Za-z0-9_-]+$/;

/** Returns the marker of an opening `<<MARKER`, or what is wrong with it. */
export function readMarker(opening: string): { marker: string } | { wrong: string } {
  const marker = opening.slice(2);
  if (marker === '') return { wrong: 'a heredoc needs a marker behind <<' };
  if (marker.startsWith('<')) return { wrong: 'a heredoc begins with two <, not more' };
  if (!MARKER.test(marker)) {
    return { wrong: 'a heredoc marker has only letters, digits, dashes and underscores' };
  }
  return { marker };
}

/** Returns the text that Caddy makes of everything between the opening line and the end of the marker. */
export function finishHeredoc(
  raw: string,
  marker: string,
): { text: string } | { wrong: string; lineOffset: number } {
  const lastBreak = raw.lastIndexOf('\n');
  const indent = raw.slice(lastBreak + 1, raw.length - marker.length);
  const lines = raw
    .slice(0, lastBreak + 1)
    .split('\n')
    .slice(0, -1);
  const cut: string[] = [];
  for (const [index, line] of lines.entries()) {
    const isEmpty = line === '' || line === '\r';
    if (!isEmpty && !line.startsWith(indent)) {
      return {
        wrong: 'a heredoc line is indented less than its end marker',
        lineOffset: index + 1,
      };
    }
    cut.push(isEmpty ? '' : line.slice(indent.length).replaceAll('\r', ''));
  }
  return { text: cut.join('\n') };
}
