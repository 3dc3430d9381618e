// The span volume of a time, summed up by team and route: the largest first, the rest as one. Pure.
import type { VolumePart } from './span-volume.ts';

export const VOLUME_GROUPINGS = ['team', 'route'] as const;
export type VolumeGrouping = (typeof VOLUME_GROUPINGS)[number];

export type VolumeGroup = {
  /** Absent for requests of which it isn't known: of the signed out, of unprotected blocks. */
  readonly team?: string;
  readonly route?: string;
  readonly requests: number;
  readonly spans: number;
};

/** Groups, what those beyond the limit have together, and all. */
export type VolumeTable = {
  readonly groups: readonly VolumeGroup[];
  readonly rest: Sum & { readonly groups: number };
  readonly all: Sum;
};

type Sum = { readonly requests: number; readonly spans: number };

/** Returns the table of at most `limit` groups. */
export function groupVolume(
  parts: readonly VolumePart[],
  by: readonly VolumeGrouping[],
  limit: number,
): VolumeTable {
  const groups = new Map<string, VolumeGroup>();
  for (const part of parts) {
    const names = Object.fromEntries(by.map((field) => [field, part[field]] as const));
    const key = JSON.stringify(by.map((field) => part[field] ?? null));
    const before = groups.get(key) ?? { ...present(names), requests: 0, spans: 0 };
    groups.set(key, { ...before, ...sumOf([before, part]) });
  }
  const sorted = [...groups.values()].toSorted(bySpans);
  const rest = sorted.slice(limit);
  return {
    groups: sorted.slice(0, limit),
    rest: { groups: rest.length, ...sumOf(rest) },
    all: sumOf(sorted),
  };
}

function present(names: Readonly<Record<string, string | undefined>>): Partial<VolumeGroup> {
  return Object.fromEntries(Object.entries(names).filter(([, name]) => name !== undefined));
}

function sumOf(parts: readonly Sum[]): Sum {
  return {
    requests: parts.reduce((sum, { requests }) => sum + requests, 0),
    spans: parts.reduce((sum, { spans }) => sum + spans, 0),
  };
}

function bySpans(one: VolumeGroup, other: VolumeGroup): number {
  const name = ({ team = '', route = '' }: VolumeGroup) => JSON.stringify([team, route]);
  return other.spans - one.spans || (name(one) < name(other) ? -1 : 1);
}
