// The blocks of the Caddyfile that are closed because their requirement is invalid, as people are told of them. Pure.

/** So many are named; the log has all. */
const MAX_NAMED = 5;
const MAX_REMEMBERED = 1_000;
/** A name or a sentence holds what stands in the Caddyfile, which may be of any length. */
const MAX_ROUTE_CHARS = 64;
const MAX_PROBLEM_CHARS = 300;

export type ClosedBlocks = {
  /** Told of each block that was asked for, and what is wrong with it. */
  note(route: string, problem: string): void;
  /** Told that a block of this name was asked for with a requirement that holds. */
  mended(route: string): void;
  /** For `/readyz`. A block that was mended stays until it is asked for again: nobody else says so. */
  state(): { ready: boolean; problem?: string };
};

/** Returns the blocks that were found closed, none as yet. */
export function createClosedBlocks(): ClosedBlocks {
  const blocks = new Map<string, string>();

  return {
    note: (route, problem) => {
      if (blocks.size < MAX_REMEMBERED || blocks.has(route)) blocks.set(route, problem);
    },
    mended: (route) => void blocks.delete(route),
    state: () => (blocks.size === 0 ? { ready: true } : { ready: false, problem: text(blocks) }),
  };
}

function text(blocks: ReadonlyMap<string, string>): string {
  const named = [...blocks]
    .slice(0, MAX_NAMED)
    .map(
      ([route, problem]) => `${cut(route, MAX_ROUTE_CHARS)}: ${cut(problem, MAX_PROBLEM_CHARS)}`,
    );
  const more = blocks.size - named.length;
  const rest = more > 0 ? `; and ${more} more, see the log` : '';
  return `closed blocks: ${named.join('; ')}${rest} (told until they are asked for again, mended, or Signet takes over other settings)`;
}

function cut(whole: string, chars: number): string {
  return whole.length > chars ? `${whole.slice(0, chars).toWellFormed()}…` : whole;
}
