// A part that is made anew only when what it is made of has changed: what it has learned goes on.
import { isDeepStrictEqual } from 'node:util';

/** One kind of part, and the one of it that holds. */
export type Kept<Options, Part> = {
  /** Returns the part that holds if it was made of the same, else a new one, which does not hold yet. */
  of(options: Options): Part;
  /** Keeps the one that was made last, or drops it; closes the other. */
  settle(which: 'keep' | 'drop'): void;
  /** Closes what there is. */
  close(): void;
};

/** Returns what keeps parts of one kind. */
export function createKept<Options, Part>(
  create: (options: Options) => Part,
  close: (part: Part) => void,
): Kept<Options, Part> {
  type Made = { readonly options: unknown; readonly part: Part };
  let holding: Made | undefined;
  let next: Made | undefined;

  function of(options: Options): Part {
    const opened = laidOpen(options);
    if (holding !== undefined && isDeepStrictEqual(holding.options, opened)) return holding.part;
    next = { options: opened, part: create(options) };
    return next.part;
  }

  function settle(which: 'keep' | 'drop'): void {
    if (next === undefined) return;
    const out = which === 'keep' ? holding : next;
    if (which === 'keep') holding = next;
    next = undefined;
    if (out !== undefined) close(out.part);
  }

  return {
    of,
    settle,
    close: () => {
      settle('drop');
      if (holding !== undefined) close(holding.part);
    },
  };
}

/** Returns what keeps any number of parts of one kind, each by itself: of a list that changes, the same ones go on. */
export function createKeptAll<Options, Part>(
  create: (options: Options) => Part,
  close: (part: Part) => void,
): Kept<readonly Options[], readonly Part[]> {
  type Made = { readonly options: unknown; readonly part: Part };
  let holding: readonly Made[] = [];
  let next: readonly Made[] | undefined;

  function of(all: readonly Options[]): readonly Part[] {
    next = all.map((options) => {
      const opened = laidOpen(options);
      const known = holding.find((made) => isDeepStrictEqual(made.options, opened));
      return known ?? { options: opened, part: create(options) };
    });
    return next.map(({ part }) => part);
  }

  function settle(which: 'keep' | 'drop'): void {
    if (next === undefined) return;
    const [kept, out] = which === 'keep' ? [next, holding] : [holding, next];
    for (const made of out) if (!kept.includes(made)) close(made.part);
    holding = kept;
    next = undefined;
  }

  return {
    of,
    settle,
    close: () => {
      settle('drop');
      for (const { part } of holding) close(part);
    },
  };
}

/** The same with its secrets as texts: a secret shows nobody what it is, a comparison either. */
function laidOpen(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(laidOpen);
  if (typeof value !== 'object' || value === null) return value;
  if ('reveal' in value && typeof value.reveal === 'function') return { secret: value.reveal() };
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, laidOpen(part)]));
}
