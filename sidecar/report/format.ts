// One row as one line for people: the table, the live line, and the demo's output are all this.
import { styleText } from 'node:util';
import { EVENT_CODES } from '../audit/event.ts';
import { localTime, milliseconds } from '../audit/format-text.ts';
import { column, visible } from '../visible.ts';
import { isRequest, type EventRow, type RequestRow, type Row } from '../audit/row.ts';

export type FormatOptions = {
  /** Whether to use colours; default no. */
  readonly colour?: boolean;
  /** Characters of the terminal; the path takes what the others leave. Default 160. */
  readonly width?: number;
  /** Whether a line begins with its date; default no. */
  readonly isDated?: boolean;
};

export type Formatter = {
  /** Returns the names of the columns. */
  readonly header: () => string;
  /** Returns the row's line, without a newline. */
  readonly line: (row: MaybeForgotten) => string;
};

/** A row, and whether its person was forgotten. */
export type MaybeForgotten = Row & { readonly isForgotten?: true };

type Style = Parameters<typeof styleText>[0];
type Cell = { readonly text: string; readonly style?: Style | undefined };

/** Stands where a value is unknown. */
export const UNKNOWN = '—';

/** Stands where a value was erased. */
export const FORGOTTEN = '(forgotten)';

const WIDTHS = {
  time: 12,
  datedTime: 23,
  user: 14,
  team: 10,
  type: 7,
  method: 7,
  minPath: 16,
  status: 3,
  ms: 9,
  // `deny team-not-allowed`; the few longer reasons push the trace id aside.
  decision: 23,
  trace: 32,
} as const;

const DEFAULT_WIDTH = 160;

/** Returns the formatter of lines: fixed columns, so that rows can be printed as they come. */
export function createFormatter(options: FormatOptions = {}): Formatter {
  const { colour = false, width = DEFAULT_WIDTH, isDated = false } = options;
  const timeWidth = isDated ? WIDTHS.datedTime : WIDTHS.time;
  const pathWidth = Math.max(WIDTHS.minPath, width - widthBesidesPath(timeWidth));

  const paint = ({ text, style }: Cell) =>
    colour && style !== undefined ? styleText(style, text, { validateStream: false }) : text;

  const lineOf = (cells: readonly Cell[]) => cells.map(paint).join(' ').trimEnd();

  const header = () =>
    lineOf([
      { text: column('TIME', timeWidth), style: 'dim' },
      { text: column('USER', WIDTHS.user), style: 'dim' },
      { text: column('TEAM', WIDTHS.team), style: 'dim' },
      { text: column('TYPE', WIDTHS.type), style: 'dim' },
      { text: column('METHOD', WIDTHS.method), style: 'dim' },
      { text: column('PATH', pathWidth), style: 'dim' },
      { text: 'ST.', style: 'dim' },
      { text: 'MS'.padStart(WIDTHS.ms), style: 'dim' },
      { text: column('DECISION', WIDTHS.decision), style: 'dim' },
      { text: 'TRACE', style: 'dim' },
    ]);

  const line = (row: MaybeForgotten) =>
    lineOf([
      { text: localTime(row.startedAtUs, isDated) },
      { text: column(userText(row), WIDTHS.user), style: 'bold' },
      { text: column(shown(row.identity?.team), WIDTHS.team) },
      { text: column(shown(row.identity?.type), WIDTHS.type) },
      ...(isRequest(row) ? requestCells(row, pathWidth) : eventCells(row, pathWidth)),
      { text: shown(row.traceId), style: 'dim' },
    ]);

  return { header, line };
}

function requestCells(row: RequestRow & MaybeForgotten, pathWidth: number): Cell[] {
  const path = row.isForgotten ? FORGOTTEN : visible(row.path);
  return [
    { text: column(visible(row.method), WIDTHS.method) },
    { text: column(path, pathWidth) },
    { text: statusText(row.status).padStart(WIDTHS.status), style: statusStyle(row.status) },
    { text: milliseconds(row.durationUs).padStart(WIDTHS.ms) },
    { text: decisionText(row).padEnd(WIDTHS.decision), style: decisionStyle(row) },
  ];
}

// What happened stands where others have the request's line, and its code where they have a decision.
function eventCells(row: EventRow, pathWidth: number): Cell[] {
  const width = WIDTHS.method + 1 + pathWidth;
  const style = row.kind === 'lost' ? 'red' : 'magenta';
  return [
    { text: column(eventText(row), width), style },
    { text: ' '.repeat(WIDTHS.status + 1 + WIDTHS.ms) },
    { text: `${row.kind} ${EVENT_CODES[row.event]}`.padEnd(WIDTHS.decision), style },
  ];
}

/** Returns an event's name and its details: `sign-in provider=https://login.example.com`. */
export function eventText({ event, details }: EventRow): string {
  const words = Object.entries(details).map(([name, value]) => `${name}=${value}`);
  return visible([event, ...words].join(' '));
}

/** Returns who it was, as far as that is known, and may be. */
export function userText(row: MaybeForgotten): string {
  if (row.isForgotten) return FORGOTTEN;
  return shown(row.identity?.user ?? (isRequest(row) ? undefined : row.user));
}

/** Returns the decision, with its reason unless it was allowed. */
export function decisionText({ decision, reason }: RequestRow): string {
  return decision === 'allow' ? decision : visible(`${decision} ${reason}`);
}

/** Returns the colour of a decision. */
export function decisionStyle({ kind, decision }: RequestRow): Style {
  if (kind === 'unexplained') return 'red';
  switch (decision) {
    case 'allow':
      return 'green';
    case 'login':
      return 'cyan';
    case 'deny':
      return 'red';
    case 'none':
      return 'dim';
  }
}

/** Returns the colour of a status: by its class, and red for a client that left. */
export function statusStyle(status: number): Style {
  if (status === 0 || status >= 500) return 'red';
  if (status >= 400) return 'yellow';
  return status >= 300 ? 'cyan' : 'green';
}

// A client that left before an answer has none.
function statusText(status: number): string {
  return status === 0 ? UNKNOWN : String(status);
}

function shown(value: string | undefined): string {
  return value === undefined ? UNKNOWN : visible(value);
}

function widthBesidesPath(timeWidth: number): number {
  const { user, team, type, method, status, ms, decision, trace } = WIDTHS;
  const spaces = 9;
  return timeWidth + user + team + type + method + status + ms + decision + trace + spaces;
}
