// Groups of requests as a table for people, as JSON lines and as CSV for programs.
import { styleText } from 'node:util';
import type { Grouping } from './filter.ts';
import { csvRecord } from './format-csv.ts';
import { milliseconds } from '../audit/format-text.ts';
import { column, visible, visibleJson } from '../visible.ts';
import { UNKNOWN } from './format.ts';
import type { Group } from './group.ts';

export type GroupFormatter = {
  /** Returns the names of the columns; undefined for JSON. */
  readonly header: () => string | undefined;
  /** Returns the group's line, without its end. */
  readonly line: (group: Group) => string;
};

const NAME_WIDTH = 30;
const WIDTH = 11;

/** Returns the formatter of a table: fixed columns, durations in milliseconds. */
export function createGroupTable(by: Grouping, { colour = false } = {}): GroupFormatter {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const names = ['REQUESTS', 'ERRORS', 'DENIED', 'P50 MS', 'P95 MS', 'P99 MS'];
  const header = [column(by.toUpperCase(), NAME_WIDTH), ...names.map(right)].join(' ');
  return {
    header: () => paint('dim', header),
    line: (group) =>
      [
        paint('bold', column(visible(group.name ?? UNKNOWN), NAME_WIDTH)),
        right(String(group.requests)),
        paint(group.errors > 0 ? 'red' : 'dim', right(String(group.errors))),
        paint(group.denied > 0 ? 'red' : 'dim', right(String(group.denied))),
        ...[group.p50Us, group.p95Us, group.p99Us].map((us) => right(milliseconds(us))),
      ].join(' '),
  };
}

/** Returns the formatter of JSON lines. The name stands under the grouping's own, if it is known. */
export function createGroupJson(by: Grouping): GroupFormatter {
  return {
    header: () => undefined,
    line: ({ name, ...group }) =>
      visibleJson(JSON.stringify({ [by]: name, ...inMilliseconds(group) })),
  };
}

/** Returns the formatter of CSV records, with the same names as JSON. */
export function createGroupCsv(by: Grouping): GroupFormatter {
  return {
    header: () => csvRecord([by, 'requests', 'errors', 'denied', 'p50Ms', 'p95Ms', 'p99Ms']),
    line: ({ name, ...group }) => csvRecord([name, ...Object.values(inMilliseconds(group))]),
  };
}

function inMilliseconds({ requests, errors, denied, p50Us, p95Us, p99Us }: Omit<Group, 'name'>) {
  return {
    requests,
    errors,
    denied,
    p50Ms: p50Us / 1000,
    p95Ms: p95Us / 1000,
    p99Ms: p99Us / 1000,
  };
}

function right(text: string): string {
  return text.padStart(WIDTH);
}
