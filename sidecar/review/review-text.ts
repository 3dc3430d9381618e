// A review in words, for whoever reads the log of a pipeline; and the declared list as a table. Pure.
import { column, visible, visibleJson } from '../visible.ts';
import type { DeclaredName } from './declared.ts';
import type { Destination, Signal } from '../otlp/destination.ts';
import type { Json } from './decode.ts';
import type { UsedName } from './review.ts';

/** What was looked at for one destination and signal. */
export type Reviewed = {
  readonly destination: string;
  readonly signal: Signal;
  readonly requests: number;
  readonly items: number;
  readonly bytes: number;
  readonly names: readonly UsedName[];
  /** Of headers that are not on the list of whoever asks. */
  readonly headersNotAllowed: readonly string[];
};

const ITEMS: Readonly<Record<Signal, string>> = {
  traces: 'spans',
  logs: 'log records',
  metrics: 'metrics',
};

/** Returns whether nothing leaves that may not. */
export function isClean({ names, headersNotAllowed }: Reviewed): boolean {
  return headersNotAllowed.length === 0 && names.every(({ isAllowed }) => isAllowed);
}

/** Returns the summary, and a line for each name that may not leave. */
export function reviewText(reviewed: Reviewed): string {
  const { destination, signal, requests, items, bytes, names, headersNotAllowed } = reviewed;
  const personal = new Set(
    names.flatMap(({ declared, name }) => (declared?.isPersonal ? [name] : [])),
  );
  return [
    `${visible(destination)}, ${signal}: ${items} ${ITEMS[signal]} in ${requests} requests, ${bytes} bytes`,
    `  ${names.length} names, ${isClean(reviewed) ? 'all of them declared and allowed' : 'not all of them declared and allowed'}`,
    ...(personal.size === 0 ? [] : [`  about a person: ${[...personal].join(', ')}`]),
    ...names.filter(({ isAllowed }) => !isAllowed).map(problemText),
    ...headersNotAllowed.map((name) => `  ! not on the list: the header ${visible(name)}`),
    '',
  ].join('\n');
}

function problemText({ where, name, count, declared }: UsedName): string {
  const what = declared === undefined ? 'not declared' : 'not on the list';
  return `  ! ${what}: ${visible(name)} in ${visible(where)}, ${count} times`;
}

/** Returns one request in its envelope; the values of headers are nobody's to see. */
export function requestJson(
  { name, endpoint }: Pick<Destination, 'name' | 'endpoint'>,
  signal: Signal,
  headers: readonly string[],
  request: Json,
  indent?: number,
): string {
  const masked = Object.fromEntries(headers.map((header) => [header, '***']));
  const envelope = { destination: name, endpoint, signal, headers: masked, request };
  // Line by line: its own line breaks are no part of any value.
  const lines = JSON.stringify(envelope, undefined, indent).split('\n');
  return lines.map(visibleJson).join('\n');
}

/** Returns the declared names as a table. */
export function declaredTable(names: readonly DeclaredName[]): string {
  const header = lineOf('SIGNAL', 'KIND', 'PERSONAL', 'NAME', 'WHERE');
  const lines = names.map(({ signal, kind, isPersonal, name, where }) =>
    lineOf(signal, kind, isPersonal ? 'yes' : 'no', visible(name), where),
  );
  return [header, ...lines, ''].join('\n');
}

/** Returns the declared names as JSON lines. */
export function declaredJson(names: readonly DeclaredName[]): string {
  const lines = names.map(({ isPersonal, ...rest }) =>
    visibleJson(JSON.stringify({ ...rest, personal: isPersonal })),
  );
  return lines.map((line) => `${line}\n`).join('');
}

function lineOf(signal: string, kind: string, personal: string, name: string, where: string) {
  const cells = [column(signal, 8), column(kind, 10), column(personal, 9), column(name, 34), where];
  return cells.join(' ');
}
