// The span volume of a time as a table for people. What a destination makes of it is not here.
import { styleText } from 'node:util';
import { isoTime } from '../audit/format-text.ts';
import { column, visible } from '../visible.ts';
import { UNKNOWN } from './format.ts';
import type { VolumeGroup, VolumeGrouping, VolumeTable } from './volume-groups.ts';

/** What a bill is for. */
export const BILL_DAYS = 30;

export type VolumePeriod = {
  readonly sinceUs: number;
  readonly untilUs: number;
  /** From where on there are rows. */
  readonly fromUs: number;
  /** From there to the end; the base of what is projected. */
  readonly days: number;
};

const NAME_WIDTH = 20;
const WIDTH = 14;
const SHARE_WIDTH = 8;

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
const precise = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });

/** Returns the whole number with its thousands marked. */
export function wholeText(number: number): string {
  return whole.format(number);
}

/** Returns a rate or a length of time as far as it can be taken seriously: `81`, `0.35`. */
export function roughText(number: number): string {
  return number >= 10 ? whole.format(number) : precise.format(number);
}

/** Returns the table's lines, with their ends. */
export function volumeText(
  { groups, rest, all }: VolumeTable,
  by: readonly VolumeGrouping[],
  period: VolumePeriod,
  { colour = false } = {},
): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const names = (texts: readonly string[]) =>
    texts.map((text) => column(text, NAME_WIDTH)).join(' ');
  const total = (text: string) => names(by.map((_, index) => (index === 0 ? text : '')));
  const numbers = (sum: Pick<VolumeGroup, 'requests' | 'spans'>) => numbersText(sum, all, period);
  const heads = ['REQUESTS', 'SPANS'].map(right).join(' ');
  const more = ['SPANS/DAY', `/${BILL_DAYS} DAYS`].map(right).join(' ');
  const header = `${names(by.map((field) => field.toUpperCase()))} ${heads} ${'SHARE'.padStart(SHARE_WIDTH)} ${more}`;
  const lines = [
    paint('dim', periodText(period)),
    paint('dim', header),
    ...groups.map(
      (group) =>
        `${paint('bold', names(by.map((field) => nameIn(group, field))))} ${numbers(group)}`,
    ),
    ...(rest.groups > 0 ? [`${total(`(${rest.groups} more)`)} ${numbers(rest)}`] : []),
    `${paint('bold', total('all'))} ${numbers(all)}`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Returns a number of the time as one of so many days; undefined with less than a day of rows: hours are no day. */
export function per(days: number, number: number, period: VolumePeriod): number | undefined {
  return period.days < 1 ? undefined : (number / period.days) * days;
}

function numbersText(
  { requests, spans }: Pick<VolumeGroup, 'requests' | 'spans'>,
  all: VolumeTable['all'],
  period: VolumePeriod,
): string {
  const share = all.spans === 0 ? '' : `${((spans / all.spans) * 100).toFixed(1)} %`;
  const projected = [1, BILL_DAYS].map((days) => {
    const number = per(days, spans, period);
    return number === undefined ? UNKNOWN : wholeText(number);
  });
  return [
    ...[requests, spans].map((number) => right(wholeText(number))),
    share.padStart(SHARE_WIDTH),
    ...projected.map(right),
  ].join(' ');
}

function periodText({ sinceUs, untilUs, days }: VolumePeriod): string {
  const [since, until] = [sinceUs, untilUs].map((us) => `${isoTime(us).slice(0, 16)}Z`);
  const doubt = days < 1 ? '; less than a day, so nothing is said of a day' : '';
  return `${since} to ${until}: ${lengthText(days)} with rows${doubt}`;
}

function lengthText(days: number): string {
  if (days >= 2) return `${tenths.format(days)} days`;
  const hours = days * 24;
  return hours < 1 ? `${tenths.format(hours * 60)} minutes` : `${tenths.format(hours)} hours`;
}

function nameIn(group: VolumeGroup, field: VolumeGrouping): string {
  const name = group[field];
  return name === undefined ? UNKNOWN : visible(name);
}

function right(text: string): string {
  return text.padStart(WIDTH);
}
