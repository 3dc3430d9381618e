// Measuring by CPU time, in rounds: wall time says little on a machine that does other things too.
// It measures what runs in this process, or what a function says that another one used.
import { median } from '../fixtures/figures.ts';

/** One line of the table: a median, and between which values the rounds lay. */
export type PartFigure = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly spread?: [number, number];
  readonly note?: string;
};

/** How long it may take, and who hears how far it is. */
export type PartsOptions = {
  readonly short: boolean;
  readonly onProgress: (text: string) => void;
};

/** What one round handled, and what it took; in microseconds of CPU unless it says otherwise. */
export type Round = { readonly items: number; readonly us: number };

const MICROS = 'µs CPU';

/** Rounds that count, and least CPU of each. The first one is a warm-up and doesn't count. */
export function roundsOf(short: boolean): { readonly rounds: number; readonly leastUs: number } {
  return short ? { rounds: 3, leastUs: 30_000 } : { rounds: 7, leastUs: 100_000 };
}

/** Returns microseconds of CPU of this process since it began: all its threads, GC and JIT too. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Returns what a batch took. */
export async function timed(items: number, work: () => unknown): Promise<Round> {
  const beforeUs = cpuUs();
  await work();
  return { items, us: cpuUs() - beforeUs };
}

/** Measures a batch of so many items, again and again until each round has its least CPU. */
export async function measured(
  name: string,
  options: PartsOptions,
  items: number,
  batch: () => unknown,
  note?: string,
): Promise<PartFigure> {
  const { rounds, leastUs } = roundsOf(options.short);
  const taken: Round[] = [];
  while (taken.length <= rounds) taken.push(await oneRound(items, leastUs, batch));
  return figureOf(name, taken.slice(1), note);
}

async function oneRound(items: number, leastUs: number, batch: () => unknown): Promise<Round> {
  const sum = { items: 0, us: 0 };
  while (sum.us < leastUs) {
    const { us } = await timed(items, batch);
    sum.items += items;
    sum.us += us;
  }
  return sum;
}

/** Returns the figure of these rounds: CPU per item. */
export function figureOf(name: string, rounds: readonly Round[], note?: string): PartFigure {
  return figureOfValues(
    name,
    rounds.map(({ items, us }) => us / items),
    MICROS,
    note,
  );
}

/** Returns the figure of these values. */
export function figureOfValues(
  name: string,
  values: readonly number[],
  unit: string,
  note?: string,
): PartFigure {
  return {
    name,
    value: median(values),
    unit,
    spread: [Math.min(...values), Math.max(...values)],
    ...(note !== undefined && { note }),
  };
}
