// What a destination would get, held against what is declared. It looks at the bytes, and at nothing that
// made them. Pure.
import { decodeRequest, type Json, type See } from './decode.ts';
import { declaredNames, type DeclaredName, type NameKind } from './declared.ts';
import type { Signal } from '../otlp/destination.ts';

/** A name that leaves, and how often it stood there. */
export type UsedName = Omit<DeclaredName, 'kind' | 'isPersonal'> & {
  readonly count: number;
  /** Absent where it is not declared. */
  readonly declared?: DeclaredName;
  /** It is declared, and allowed by whoever asks. */
  readonly isAllowed: boolean;
};

export type Review = {
  /** Returns a request as OTLP's JSON, and counts what is in it. Throws RangeError for bytes that are none. */
  add(bytes: Buffer): Json;
  /** Returns the names so far: those that may not leave first. */
  names(): readonly UsedName[];
};

/** OTLP's own are the same around everything: no organisation's list names them. */
const NOT_LISTED: ReadonlySet<NameKind> = new Set(['field', 'frame']);

/**
 * Returns the review of a signal. `resource` are names of the resource's attributes; `allowed`, where it
 * is given, the only names that may leave.
 */
export function createReview(
  signal: Signal,
  resource: readonly string[],
  allowed?: ReadonlySet<string>,
): Review {
  const keyOf = (where: string, name: string) => JSON.stringify([where, name]);
  const declared = new Map(
    declaredNames(signal, resource).map((each) => [keyOf(each.where, each.name), each]),
  );
  const counts = new Map<string, number>();

  const see: See = (where, name) => {
    const key = keyOf(where, name);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };

  function used([key, count]: [string, number]): UsedName {
    const [where, name] = JSON.parse(key) as [string, string];
    const found = declared.get(key);
    const isAllowed = found !== undefined && isAllowedBy(allowed, found);
    return { signal, where, name, count, ...(found && { declared: found }), isAllowed };
  }

  return {
    add: (bytes) => decodeRequest(signal, bytes, see),
    names: () => {
      const names = [...counts].map(used);
      return names.toSorted((one, other) => Number(one.isAllowed) - Number(other.isAllowed));
    },
  };
}

/** Returns whether a list allows a name; without one everything that is declared is. */
export function isAllowedBy(
  allowed: ReadonlySet<string> | undefined,
  { kind, name }: Pick<DeclaredName, 'kind' | 'name'>,
): boolean {
  return allowed === undefined || NOT_LISTED.has(kind) || allowed.has(name);
}
