// What a budget would do to a day like those that were: so that it is known before the bill comes. By
// averages of hours: of what a peak of seconds loses it says nothing. Pure.
import { WORTHS, type Worth } from '../trace/worth.ts';
import { DAY_SHARES } from './budget.ts';
import type { Budget } from '../otlp/destination.ts';

/** Spans of each worth in one hour of a day, on average; what isn't named is none. */
export type Hour = Readonly<Partial<Record<Worth, number>>>;

export type Forecast = {
  /** Spans that the requests of a day make. */
  readonly wantedPerDay: number;
  /** Of those, what the budget lets through; with one per second at most that. */
  readonly sentPerDay: number;
  /** Of the busiest hour, on average. */
  readonly busiestPerSecond: number;
  /** From which hour in UTC on the day has none left for a worth; in the order in which that happens. */
  readonly stops: readonly { readonly worth: Worth; readonly fromHour: number }[];
};

const HOUR_SECONDS = 3600;

/** Returns the forecast of a day of 24 hours, the first of them from midnight in UTC on. */
export function forecast(hours: readonly Hour[], budget: Budget): Forecast {
  const { spansPerSecond = Number.POSITIVE_INFINITY } = budget;
  const { spansPerDay = Number.POSITIVE_INFINITY } = budget;
  const stops: { worth: Worth; fromHour: number }[] = [];
  let sent = 0;
  for (const [fromHour, hour] of hours.entries()) {
    let leftInHour = spansPerSecond * HOUR_SECONDS;
    for (const worth of WORTHS) {
      const wanted = Math.min(hour[worth] ?? 0, leftInHour);
      const given = Math.min(wanted, Math.max(0, spansPerDay * DAY_SHARES[worth] - sent));
      if (given < wanted && stops.every((stop) => stop.worth !== worth)) {
        stops.push({ worth, fromHour });
      }
      sent += given;
      leftInHour -= given;
    }
  }
  const totals = hours.map(totalOf);
  return {
    wantedPerDay: Math.round(totals.reduce((sum, each) => sum + each, 0)),
    sentPerDay: Math.round(sent),
    busiestPerSecond: Math.max(0, ...totals) / HOUR_SECONDS,
    // Of one hour the cheapest first: it was given up first.
    stops: stops.toSorted((one, other) => one.fromHour - other.fromHour || order(other, one)),
  };
}

function totalOf(hour: Hour): number {
  return Object.values(hour).reduce((sum, spans) => sum + spans, 0);
}

function order(one: { worth: Worth }, other: { worth: Worth }): number {
  return WORTHS.indexOf(one.worth) - WORTHS.indexOf(other.worth);
}
