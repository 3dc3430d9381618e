// What destinations got and were spared, and what their budgets would make of days like those that were:
// a part of `signet spans`. Pure.
import { visible } from '../visible.ts';
import type { Budget, Destination } from '../otlp/destination.ts';
import { forecast, type Forecast, type Hour } from '../delivery/forecast.ts';
import { parseVolume, utcDay } from '../delivery/volume.ts';
import { roughText, wholeText, type VolumePeriod } from '../report/format-volume.ts';
import type { VolumePart } from '../report/span-volume.ts';
import { WORTHS } from '../trace/worth.ts';

/** What is asked of a destination's configuration. */
export type BudgetedDestination = Pick<Destination, 'name' | 'signals' | 'budget'>;

/** One destination in a time: whole days in UTC, as far as they are remembered. */
export type DestinationVolume = {
  readonly name: string;
  /** Not among those with traces that are configured. */
  readonly isGone?: true;
  readonly sent: number;
  readonly leftOut: Readonly<Record<string, number>>;
  readonly budget?: Budget;
  /** Of a day like those of the time; where there is a budget, and a day that could be looked at. */
  readonly forecast?: Forecast;
};

/** The notes that volume.ts writes, by the name of the cursor. */
export type VolumeNotes = ReadonlyMap<string, string>;

const HOUR_US = 3_600_000_000;

/**
 * Returns the destinations that are configured, and those that are not but got spans in that time. Where
 * the configuration isn't known, all that got some.
 */
export function destinationVolumes(
  notes: VolumeNotes,
  configured: readonly BudgetedDestination[] | undefined,
  parts: readonly VolumePart[],
  period: VolumePeriod,
): DestinationVolume[] {
  const hours = hoursOf(parts, period);
  const traced = (configured ?? []).filter(({ signals }) => signals.includes('traces'));
  const known = new Set(traced.map(({ name }) => name));
  return [
    ...traced.map(({ name, budget }) => ({
      name,
      ...soFar(notes, name, period),
      ...(budget !== undefined && { budget }),
      ...(budget !== undefined && period.days >= 1 && { forecast: forecast(hours, budget) }),
    })),
    ...[...notes.keys()]
      .filter((name) => !known.has(name) && !name.includes('/')) // `x/logs`: no spans
      .map((name) => ({
        name,
        ...(configured !== undefined && { isGone: true as const }),
        ...soFar(notes, name, period),
      }))
      .filter(({ sent, leftOut }) => sent > 0 || Object.keys(leftOut).length > 0),
  ];
}

/** Returns their lines for people, with their ends. */
export function destinationsText(volumes: readonly DestinationVolume[]): string {
  return volumes
    .flatMap(linesOf)
    .map((line) => `${line}\n`)
    .join('');
}

function soFar(notes: VolumeNotes, name: string, { sinceUs, untilUs }: VolumePeriod) {
  const [from, to] = [utcDay(sinceUs / 1000), utcDay(untilUs / 1000)];
  const leftOut: Record<string, number> = {};
  let sent = 0;
  for (const [day, volume] of parseVolume(notes.get(name))) {
    if (day < from || day > to) continue;
    sent += volume.sent;
    for (const [reason, spans] of Object.entries(volume.leftOut)) {
      leftOut[reason] = (leftOut[reason] ?? 0) + spans;
    }
  }
  return { sent, leftOut };
}

function hoursOf(parts: readonly VolumePart[], period: VolumePeriod): Hour[] {
  return timesOfHours(period).map((times, number) => {
    const its = parts.filter(({ hour }) => hour === number);
    const spansOf = (worth: string) =>
      its.filter((part) => part.worth === worth).reduce((sum, { spans }) => sum + spans, 0);
    return Object.fromEntries(
      WORTHS.map((worth) => [worth, times === 0 ? 0 : spansOf(worth) / times]),
    );
  });
}

// How often each hour of the day came: in a day and a half, half of them twice.
function timesOfHours({ fromUs, untilUs }: VolumePeriod): number[] {
  const times = Array.from({ length: 24 }, () => 0);
  for (let hour = Math.floor(fromUs / HOUR_US); hour * HOUR_US < untilUs; hour++) {
    const us = Math.min(untilUs, (hour + 1) * HOUR_US) - Math.max(fromUs, hour * HOUR_US);
    times[hour % 24] = (times[hour % 24] ?? 0) + us / HOUR_US;
  }
  return times;
}

function linesOf(volume: DestinationVolume): string[] {
  const { name, isGone, sent, leftOut } = volume;
  const gone = isGone ? ' (gets no spans any more)' : '';
  const reasons = Object.entries(leftOut)
    .toSorted(([, one], [, other]) => other - one)
    .map(([reason, spans]) => `${visible(reason)} ${wholeText(spans)}`);
  const missing = reasons.length === 0 ? 'nothing left out' : `left out: ${reasons.join(', ')}`;
  return [
    `${visible(name)}${gone}: ${wholeText(sent)} spans sent; ${missing}`,
    ...budgetLines(volume).map((line) => `  ${line}`),
  ];
}

function budgetLines({ budget, forecast: told }: DestinationVolume): string[] {
  if (budget === undefined) return [];
  if (told === undefined) return ['its budget: with rows of a day it can be said what it would do'];
  return [...dayLines(budget, told), ...secondLines(budget, told)];
}

function dayLines({ spansPerDay }: Budget, { wantedPerDay, stops }: Forecast): string[] {
  if (spansPerDay === undefined) return [];
  const share = Math.round((wantedPerDay / spansPerDay) * 100);
  const told = stops.map(
    ({ worth, fromHour }) => `'${worth}' is left out from between ${hours(fromHour)} UTC on`,
  );
  const line = `a day like these makes ${share} % of its budget of ${wholeText(spansPerDay)} spans a day`;
  return [told.length === 0 ? line : `${line}: ${told.join(', ')}`];
}

// An hour's average hides its peaks: below the budget, that nothing is left out can't be promised.
function secondLines({ spansPerSecond }: Budget, { busiestPerSecond }: Forecast): string[] {
  if (spansPerSecond === undefined) return [];
  const share = 1 - spansPerSecond / busiestPerSecond;
  const sure = share > 0 ? `; at least ${Math.floor(share * 100)} % of it is left out` : '';
  const busiest = `the busiest hour makes ${roughText(busiestPerSecond)} spans/s on average`;
  return [`${busiest}, its budget is ${wholeText(spansPerSecond)} spans/s${sure}`];
}

function hours(from: number): string {
  const text = (hour: number) => `${String(hour).padStart(2, '0')}:00`;
  return `${text(from)} and ${text(from + 1)}`;
}
