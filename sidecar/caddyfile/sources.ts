// The files of a Caddyfile: each is read and lexed once, however often it is imported.
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { Environment } from './environment.ts';
import { isPattern } from './glob.ts';
import { tokenize } from './lexer.ts';
import { LIMITS } from './problem.ts';
import type { Stream } from './stream.ts';
import type { Place, Token } from './token.ts';

/** How files are come by: whoever reads a Caddyfile hands this in, and does the I/O. */
export type Reading = {
  /** A file's text; undefined where there is none. What it throws becomes the problem's message. */
  readonly readFile: (path: string) => string | undefined;
  /** The paths that fit an absolute glob pattern (`*` and `?`, not across `/`), sorted by code unit. */
  readonly listFiles: (pattern: string) => readonly string[];
  readonly env: Environment;
};

export type Sources = ReturnType<typeof createSources>;

/** Returns what opens files, and finds those that an import names. */
export function createSources({ readFile, listFiles, env }: Reading) {
  const opened = new Map<string, readonly Token[]>();

  const lex = (stream: Stream, path: string, given: string | undefined): readonly Token[] => {
    const text = given ?? attempt(stream, path, () => readFile(path));
    if (text === undefined) {
      stream.stop('unreadable', `${path} is not there`);
      return [];
    }
    const tokens = tokenize({ text, env, file: path });
    if (!('problem' in tokens)) return tokens;
    stream.stop(tokens.problem.reason, tokens.problem.message, tokens.problem.place);
    return [];
  };

  return {
    open(stream: Stream, path: string, text?: string): readonly Token[] {
      const known = opened.get(path);
      if (known !== undefined) return known;
      if (opened.size >= LIMITS.files) stream.stop('too-large', 'it imports too many files');
      const tokens = stream.problem() === undefined ? lex(stream, path, text) : [];
      opened.set(path, tokens);
      return tokens;
    },
    /** The files that an import's pattern means, from the folder of the file it stands in. */
    match(stream: Stream, { text, file, ...place }: Token): readonly string[] {
      const pattern = isAbsolute(text) ? text : join(dirname(file), text);
      if (!isPattern(pattern)) return [pattern];
      if (hasManyWildcards(pattern)) {
        stream.stop('syntax', `${text} has more than one wildcard`, { file, line: place.line });
        return [];
      }
      const found = attempt(stream, pattern, () => listFiles(pattern)) ?? [];
      // Caddy passes over hidden files, but not where the pattern asks for them.
      if (!basename(pattern).startsWith('*')) return found;
      return found.filter((path) => !basename(path).startsWith('.'));
    },
    files: (): readonly string[] => [...opened.keys()],
  };
}

/** What Caddy refuses, because it could take for ever. */
function hasManyWildcards(pattern: string): boolean {
  const isMany = (sign: string) => pattern.indexOf(sign) !== pattern.lastIndexOf(sign);
  return isMany('*') || isMany('?') || (pattern.includes('[') && pattern.includes(']'));
}

function attempt<T>(stream: Stream, path: string, act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    const place: Place | undefined = stream.current();
    const message = error instanceof Error ? error.message : String(error);
    stream.stop('unreadable', `${path} can't be read: ${message}`, place);
    return undefined;
  }
}
