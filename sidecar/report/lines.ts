// Rows as lines of text in one of the formats, in pieces that are worth writing. Pure.
import { createFormatter, type FormatOptions } from './format.ts';
import { CSV_NEWLINE, csvHeader, toCsv } from './format-csv.ts';
import { toJson } from './format-json.ts';
import type { ReadRow } from '../audit/reader.ts';

export const LINE_FORMATS = ['table', 'json', 'line', 'csv'] as const;
export type LineFormat = (typeof LINE_FORMATS)[number];

export type Lines = {
  /** What stands above them, with its end; empty where nothing does. */
  readonly header: string;
  /** Returns a row's line with its end. */
  readonly line: (row: ReadRow) => string;
};

/** Characters that are written at once. */
const PIECE_CHARS = 64 * 1024;

/** Returns how rows become lines; the options are for the formats for people. */
export function linesOf(format: LineFormat, options: FormatOptions): Lines {
  if (format === 'json') return { header: '', line: (row) => `${toJson(row)}\n` };
  if (format === 'csv') {
    return { header: csvHeader() + CSV_NEWLINE, line: (row) => toCsv(row) + CSV_NEWLINE };
  }
  const { header, line } = createFormatter(options);
  return {
    header: format === 'table' ? `${header()}\n` : '',
    line: (row) => `${line(row)}\n`,
  };
}

/** Some lines, and the last row among them. */
export type Piece = { readonly text: string; readonly count: number; readonly last: ReadRow };

/** Yields the lines of all rows in pieces. */
export async function* piecesOf(
  rows: AsyncIterable<ReadRow>,
  line: Lines['line'],
): AsyncGenerator<Piece> {
  let text = '';
  let count = 0;
  let last: ReadRow | undefined;
  for await (const row of rows) {
    text += line(row);
    count += 1;
    last = row;
    if (text.length < PIECE_CHARS) continue;
    yield { text, count, last };
    text = '';
    count = 0;
  }
  if (last !== undefined && count > 0) yield { text, count, last };
}
