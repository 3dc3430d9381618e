// The report as Markdown, to be pasted as it is. Pure.
import type { EdgeReport } from './edge.ts';
import {
  cpuOf,
  figureOf,
  perSecond,
  ratioOf,
  sustainedPerSecond,
  wholeCpuUs,
  type Spread,
} from './edge-ratios.ts';
import type { Figure } from './edge-run.ts';
import type { Settings } from './edge-settings.ts';
import type { Target } from './edge-targets.ts';
import { isRecorded, VARIANTS, type Variant } from './edge-variants.ts';

const CPU_COLUMNS: readonly (readonly [title: string, process: string])[] = [
  ['Caddy', 'edge'],
  ['app', 'app'],
  ['oauth2-proxy', 'oauth2-proxy'],
  ['gate', 'gate'],
  ['recorder', 'recorder'],
  ['engine', 'sidecar-other'],
  ['receiver', 'receiver'],
  ['h2load', 'load'],
];

/** Returns the machine, a line per variant, the targets, and what was left out or is broken. */
export function edgeTable(
  { machine, figures, skipped, faults }: EdgeReport,
  targets: readonly Target[],
  { short, rounds, seconds }: Settings,
): string {
  const { cpu, cores, memoryGb, kernel, disk, versions } = machine;
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const settings = `${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s, 32 requests at once (HTTP/2: 8 connections of 4 streams)`;
  return [
    `${cpu}, ${cores} cores, ${memoryGb} GB, Linux ${kernel}, ${disk}; ${named.join(', ')}; ${settings}.`,
    '',
    ...variantTable(figures),
    '',
    'CPU is in microseconds per request: median of the rounds.',
    ...(short ? ['A short run tells whether all works; its figures say little.'] : []),
    ...lines(
      'Left out',
      skipped.map(({ what, why }) => `${what}: ${why}`),
    ),
    ...lines(
      'BROKEN',
      faults.map(({ variant, round, what }) => `${variant}, round ${round + 1}: ${what}`),
    ),
    '',
    ...targetTable(targets),
  ].join('\n');
}

function variantTable(figures: readonly Figure[]): string[] {
  const titles = [
    'requests/s',
    'until the last span',
    '÷ L2',
    'CPU ÷ L2',
    ...CPU_COLUMNS.map(([title]) => title),
  ];
  const measured = VARIANTS.filter(({ name }) => figures.some(({ variant }) => variant === name));
  return [
    `| | what | ${titles.join(' | ')} |`,
    `|---|---|${titles.map(() => '--:|').join('')}`,
    ...measured.map((variant) => `| ${variantCells(figures, variant).join(' | ')} |`),
  ];
}

function variantCells(figures: readonly Figure[], { name, what, edge }: Variant): string[] {
  // Like with like: the yardstick of the same protocol, on the same cores.
  const yardstick = name.includes('/') ? `L2/${name.split('/')[1]}` : 'L2';
  return [
    `**${name}**`,
    what,
    range(figureOf(figures, name, perSecond), 0),
    isRecorded(edge) ? range(figureOf(figures, name, sustainedPerSecond), 0) : '',
    range(ratioOf(figures, [name, perSecond], [yardstick, perSecond]), 2),
    range(ratioOf(figures, [name, wholeCpuUs], [yardstick, wholeCpuUs]), 2),
    ...CPU_COLUMNS.map(([, process]) => {
      const us = figureOf(figures, name, cpuOf(process))?.median ?? 0;
      return us === 0 ? '' : us.toFixed(0);
    }),
  ];
}

function targetTable(targets: readonly Target[]): string[] {
  return [
    '| what | target | measured | | |',
    '|---|--:|--:|---|---|',
    ...targets.map(({ what, limit, unit, value, isMet, note }) => {
      const bound = 'atLeast' in limit ? `≥ ${limit.atLeast}` : `≤ ${limit.atMost}`;
      const verdict = isMet === undefined ? 'not measured' : isMet ? 'met' : '**not met**';
      const measured = value === undefined ? '' : `${range(value, 2)} ${unit}`;
      return `| ${what} | ${bound} ${unit} | ${measured} | ${verdict} | ${note ?? ''} |`;
    }),
  ];
}

function range(spread: Spread | undefined, digits: number): string {
  if (spread === undefined) return '';
  const [median, min, max] = [spread.median, spread.min, spread.max].map((each) =>
    each.toFixed(digits),
  );
  return min === max ? `${median}` : `${median} (${min}–${max})`;
}

function lines(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ['', `${title}:`, '', ...items.map((item) => `- ${item}`)];
}
