// Why a Caddyfile could not be read: a value, because what is wrong in a file is no fault of ours. And how
// much is read at most, so that a file that imports itself a million times ends in such a value, too.
import type { Place } from './token.ts';

export type CaddyfileProblem = {
  readonly reason:
    | 'unreadable' // the file, or one that it imports, is not there or can't be read
    | 'syntax' // Caddy would refuse it
    | 'import-cycle'
    | 'too-large'; // beyond LIMITS
  /** A sentence for the operator. */
  readonly message: string;
  readonly place: Place;
};

/** What is read at most. The largest configurations that we know of stay far below. */
export const LIMITS = {
  files: 10_000,
  imports: 100_000,
  /** How deep imports may stand in imports. */
  importDepth: 500,
  /** How deep blocks may stand in blocks. */
  blockDepth: 200,
  /** Tokens of all files, each counted as often as it is imported. */
  tokens: 1_000_000,
  /** Their characters, UTF-16 units. */
  characters: 64 * 1024 * 1024,
} as const;
