// The answer of `signet spans`: read from a store, and said as text or JSON.
import { isoTime } from '../audit/format-text.ts';
import { visibleJson } from '../visible.ts';
import type { AuditReader } from '../audit/reader.ts';
import { VOLUME_NOTES } from '../delivery/volume.ts';
import { BILL_DAYS, per, volumeText, type VolumePeriod } from '../report/format-volume.ts';
import { firstRequestUs, spanVolume, type VolumeQuestion } from '../report/span-volume.ts';
import { groupVolume, type VolumeGrouping, type VolumeTable } from '../report/volume-groups.ts';
import {
  destinationsText,
  destinationVolumes,
  type BudgetedDestination,
  type DestinationVolume,
} from './spans-destinations.ts';

export type SpanVolume = {
  readonly period: VolumePeriod;
  readonly table: VolumeTable;
  readonly destinations: readonly DestinationVolume[];
};

export type VolumeShape = {
  readonly by: readonly VolumeGrouping[];
  /** Groups of the table. */
  readonly limit: number;
  /** Those that are configured; undefined where that isn't known. */
  readonly destinations: readonly BudgetedDestination[] | undefined;
};

const DAY_US = 86_400_000_000;

/** Returns the volume of a chain's requests and destinations. */
export async function readVolume(
  reader: AuditReader,
  chain: string,
  question: VolumeQuestion,
  { by, limit, destinations }: VolumeShape,
): Promise<SpanVolume> {
  const period = await periodOf(reader, chain, question);
  const parts = await spanVolume(reader, chain, question);
  const notes = await volumeNotes(reader, chain);
  return {
    period,
    table: groupVolume(parts, by, limit),
    destinations: destinationVolumes(notes, destinations, parts, period),
  };
}

/** Returns it for people. */
export function textOf(
  { period, table, destinations }: SpanVolume,
  by: readonly VolumeGrouping[],
  colour: boolean,
): string {
  const volume = volumeText(table, by, period, { colour });
  return destinations.length === 0 ? volume : `${volume}\n${destinationsText(destinations)}`;
}

/** Returns it as one line of JSON. */
export function jsonOf({ period, table, destinations }: SpanVolume): string {
  const { groups, rest, all } = table;
  const projected = <T extends { readonly spans: number }>(sum: T) => ({
    ...sum,
    spans: Math.round(sum.spans),
    spansPerDay: rounded(per(1, sum.spans, period)),
    [`spansPer${BILL_DAYS}Days`]: rounded(per(BILL_DAYS, sum.spans, period)),
  });
  const value = {
    since: isoTime(period.sinceUs),
    until: isoTime(period.untilUs),
    days: period.days,
    ...projected(all),
    groups: groups.map(projected),
    ...(rest.groups > 0 && { rest: projected(rest) }),
    destinations,
  };
  return `${visibleJson(JSON.stringify(value))}\n`;
}

function rounded(number: number | undefined): number | null {
  return number === undefined ? null : Math.round(number);
}

// With a store younger than what is asked for, a day's volume is that of the days that there were.
async function periodOf(
  reader: AuditReader,
  chain: string,
  { sinceUs, untilUs }: VolumeQuestion,
): Promise<VolumePeriod> {
  const firstUs = (await firstRequestUs(reader, chain)) ?? untilUs;
  const fromUs = Math.min(untilUs, Math.max(sinceUs, firstUs));
  return { sinceUs, untilUs, fromUs, days: (untilUs - fromUs) / DAY_US };
}

async function volumeNotes(reader: AuditReader, chain: string): Promise<Map<string, string>> {
  const sql = 'SELECT name, value FROM notes WHERE chain = ? AND name LIKE ? ORDER BY name';
  const found = await reader.all(sql, [chain, `${VOLUME_NOTES}%`]);
  return new Map(
    found.map(({ name, value }) => [String(name).slice(VOLUME_NOTES.length), String(value)]),
  );
}
