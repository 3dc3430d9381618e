// Figures of several rounds in one: medians, and ratios that are made within each round, because what
// the machine does meanwhile is much the same for both. Pure.
import { median } from '../fixtures/figures.ts';
import type { Figure } from './edge-run.ts';

export type Spread = { readonly median: number; readonly min: number; readonly max: number };

type Pick = (figure: Figure) => number;

/** What measures and is not measured. */
const APPARATUS = ['load', 'receiver'];

/** Signet's own threads: gate, recorder, and the engine's for both. */
const SIDECAR = ['gate', 'recorder', 'sidecar-other'];

export const perSecond: Pick = (figure) => figure.perSecond;

/** Returns the same with the time until the last span had arrived. */
export const sustainedPerSecond: Pick = (figure) => figure.sustainedPerSecond;

/** Returns microseconds of CPU per request of Caddy, app and whoever checks, and records. */
export const wholeCpuUs: Pick = ({ cpu }) =>
  sum(Object.entries(cpu).flatMap(([name, us]) => (APPARATUS.includes(name) ? [] : [us])));

/** Returns microseconds of CPU per request of Caddy and app: what one core of theirs has to do. */
export const caddyCpuUs: Pick = ({ cpu }) => sum([cpu['edge'] ?? 0, cpu['app'] ?? 0]);

/** Returns microseconds of CPU per request of the sidecar: gate, recorder and export together. */
export const sidecarCpuUs: Pick = ({ cpu }) => sum(SIDECAR.map((name) => cpu[name] ?? 0));

/** Returns microseconds of CPU per request of one process or thread. */
export const cpuOf =
  (name: string): Pick =>
  ({ cpu }) =>
    cpu[name] ?? 0;

/** Returns a variant's figure over the rounds; undefined when it was not measured. */
export function figureOf(
  figures: readonly Figure[],
  variant: string,
  pick: Pick,
): Spread | undefined {
  return spreadOf(figures.filter((figure) => figure.variant === variant).map(pick));
}

/** Returns one variant's figure divided by another's, over the rounds that have both. */
export function ratioOf(
  figures: readonly Figure[],
  [over, pickOver]: readonly [string, Pick],
  [under, pickUnder]: readonly [string, Pick],
): Spread | undefined {
  const ratios = figures.flatMap((figure) => {
    if (figure.variant !== over) return [];
    const other = figures.find(({ variant, round }) => variant === under && round === figure.round);
    return other === undefined ? [] : [pickOver(figure) / pickUnder(other)];
  });
  return spreadOf(ratios);
}

/** Returns median and ends; undefined without any value. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
