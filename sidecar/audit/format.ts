// One row as one line for people: the table, the live line, and the demo's output are all this.
import { styleText } from 'node:util';
import { column, localTime, milliseconds, visible } from './format-text.ts';
import type { Row } from './row.ts';

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
  readonly line: (row: Row) => string;
};

type Style = Parameters<typeof styleText>[0];
type Cell = { readonly text: string; readonly style?: Style | undefined };

/** Stands where a value is unknown. */
export const UNKNOWN = '—';

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

  const line = (row: Row) =>
    lineOf([
      { text: localTime(row.startedAtUs, isDated) },
      { text: column(shown(row.identity?.user), WIDTHS.user), style: 'bold' },
      { text: column(shown(row.identity?.team), WIDTHS.team) },
      { text: column(shown(row.identity?.type), WIDTHS.type) },
      { text: column(visible(row.method), WIDTHS.method) },
      { text: column(visible(row.path), pathWidth) },
      { text: statusText(row.status).padStart(WIDTHS.status), style: statusStyle(row.status) },
      { text: milliseconds(row.durationUs).padStart(WIDTHS.ms) },
      { text: decisionText(row).padEnd(WIDTHS.decision), style: decisionStyle(row) },
      { text: visible(row.traceId), style: 'dim' },
    ]);

  return { header, line };
}

/** Returns the decision, with its reason unless it was allowed. */
export function decisionText({ decision, reason }: Row): string {
  return decision === 'allow' ? decision : visible(`${decision} ${reason}`);
}

/** Returns the colour of a decision. */
export function decisionStyle({ decision }: Row): Style {
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
