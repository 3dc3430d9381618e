// One instrument's series, by the values of its labels. There is a most of them: what comes beyond is
// one series of its own (OpenTelemetry's metrics SDK, "Cardinality limits").
import { LABELS } from './instruments.ts';
import type { Labels } from './snapshot.ts';

/** Longest value of a label, in characters. */
export const MAX_LABEL_CHARS = 100;

/** Values in the order of the names; undefined for an absent label. */
export type Values = readonly (string | undefined)[];

export type Series<T> = {
  /** Returns the series of these values; it is made when it is new. */
  of(values: Values): T;
  all(): readonly Labelled<T>[];
};

type Labelled<T> = { readonly labels: Labels; readonly series: T };
type Node<T> = { readonly branches: Map<string | undefined, Node<T>>; series?: T };

/**
 * Returns an instrument without a series yet; `maxSeries` counts the one for all others. Found by one
 * map for each label: a key made of all of them would be a new text, with a new hash, for each row.
 */
export function createSeries<T>(
  names: readonly string[],
  maxSeries: number,
  make: () => T,
): Series<T> {
  const root: Node<T> = { branches: new Map() };
  const known: Labelled<T>[] = [];
  let others: T | undefined;

  function of(values: Values): T {
    let node: Node<T> | undefined = root;
    for (const value of values) {
      node = node.branches.get(bounded(value));
      if (node === undefined) return add(values.map(bounded));
    }
    return node.series ?? add(values.map(bounded));
  }

  function add(values: Values): T {
    if (known.length >= maxSeries - 1) return (others ??= make());
    const node = values.reduce(branchOf, root);
    const series = make();
    node.series = series;
    known.push({ labels: labelsOf(names, values), series });
    return series;
  }

  function all(): readonly Labelled<T>[] {
    if (others === undefined) return known;
    return [...known, { labels: { [LABELS.overflow]: true }, series: others }];
  }

  return { of, all };
}

function branchOf<T>({ branches }: Node<T>, value: string | undefined): Node<T> {
  const found = branches.get(value);
  if (found !== undefined) return found;
  const made: Node<T> = { branches: new Map() };
  branches.set(value, made);
  return made;
}

// An empty value and none are the same to Prometheus; half a surrogate pair is no text on any wire.
function bounded(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (value.length <= MAX_LABEL_CHARS && value.isWellFormed()) return value;
  const cut = value.length <= MAX_LABEL_CHARS ? value : `${value.slice(0, MAX_LABEL_CHARS - 1)}…`;
  return cut.toWellFormed();
}

function labelsOf(names: readonly string[], values: Values): Labels {
  const labels: Record<string, string> = {};
  for (const [index, name] of names.entries()) {
    const value = values[index];
    if (value !== undefined) labels[name] = value;
  }
  return labels;
}
