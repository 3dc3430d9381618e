// What is wrong with the settings, told so that it can be mended. All mistakes are collected first.
// How a value is shown is shown.ts's to say.

/** One mistake: where it stands, what was read there, what is allowed, what to do. */
export type ConfigError = {
  /** A variable's name, or a file and the path in it. */
  readonly where: string;
  /** The setting's path, where one is wrong by itself: for whoever needs some settings only. */
  readonly setting?: string;
  readonly read?: string;
  readonly allowed: string;
  readonly mend?: string;
};

/** Takes a mistake down, and lets the search for others go on. */
export type Report = (error: ConfigError) => void;

/** Returns the sentence and the list that a terminal shows, without a newline at the end. */
export function formatConfigErrors(errors: readonly ConfigError[]): string {
  const count = errors.length === 1 ? '1 setting needs' : `${errors.length} settings need`;
  return [`${count} mending.`, ...errors.map(formatOne)].join('\n\n');
}

function formatOne({ where, read, allowed, mend }: ConfigError): string {
  const lines = [`  ${where}`];
  if (read !== undefined) lines.push(`    read:    ${read}`);
  lines.push(`    allowed: ${allowed}`);
  if (mend !== undefined) lines.push(`    mend:    ${mend}`);
  return lines.join('\n');
}

/** Returns the known word with the fewest edits to `word`; undefined if none is known with so few. */
export function nearest(
  word: string,
  known: Iterable<string>,
  maxEdits = Infinity,
): string | undefined {
  let best: { name: string; edits: number } | undefined;
  for (const name of known) {
    const edits = countEdits(word.toLowerCase(), name.toLowerCase());
    if (edits <= maxEdits && (best === undefined || edits < best.edits)) best = { name, edits };
  }
  return best?.name;
}

/** Levenshtein's distance, row by row. */
function countEdits(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const swap = (above[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(swap, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[to.length] ?? 0;
}
