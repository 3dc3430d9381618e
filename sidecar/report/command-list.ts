// `signet audit`: lists rows, page by page or live. What a row looks like is decided in format*.ts,
// grouping is in command-groups.ts.
import type { Command } from 'commander';
import { runGroups } from './command-groups.ts';
import { questionOf } from './command-options.ts';
import {
  hasColours,
  isTerminal,
  print,
  reading,
  say,
  terminalWidth,
  type AuditCommandParts,
} from './command-store.ts';
import type { FilterOptions, Question } from './filter.ts';
import { follow } from './follow.ts';
import { linesOf, piecesOf, type LineFormat, type Lines } from './lines.ts';
import { formatPageKey } from './page-key.ts';
import { query } from './query.ts';
import type { AuditReader, ReadRow } from '../audit/reader.ts';

export type ListOptions = FilterOptions & {
  readonly state?: string;
  readonly format?: LineFormat;
};

/** Most rows on a terminal when no limit is named, and in front of those that are followed. */
export const TERMINAL_LIMIT = 1000;
export const FOLLOW_LIMIT = 10;

const DAY_US = 86_400_000_000;

type Listing = {
  readonly question: Question;
  readonly format: LineFormat;
  readonly nowUs: number;
};

/** Lists, pages, follows or groups, as the options say. */
export async function runList(
  command: Command,
  options: ListOptions,
  parts: AuditCommandParts,
): Promise<void> {
  const nowUs = Date.now() * 1000;
  const question = questionOf(command, options, nowUs);
  const format = options.format ?? (isTerminal() ? 'table' : 'json');
  const listing = { question, format, nowUs };
  await reading(options, parts, async (reader) => {
    if (question.by !== undefined) await runGroups(reader, question, question.by, format);
    else if (options.follow) await runFollow(reader, listing);
    else if (question.after !== undefined) await runPage(reader, listing);
    else await runNewest(reader, listing);
  });
}

async function runNewest(reader: AuditReader, listing: Listing): Promise<void> {
  const { limit = isTerminal() ? TERMINAL_LIMIT : undefined } = listing.question;
  const question = { ...listing.question, ...(limit !== undefined && { limit }) };
  const { count } = await printRows(query(reader, question), listing);
  if (!isTerminal()) return;
  if (count === 0) say('(nothing yet that fits)\n');
  if (count === limit && listing.question.limit === undefined) {
    say(`(the newest ${count}; --limit gives more)\n`);
  }
}

async function runPage(reader: AuditReader, listing: Listing): Promise<void> {
  const { limit = isTerminal() ? TERMINAL_LIMIT : Number.MAX_SAFE_INTEGER } = listing.question;
  const rows = query(reader, { ...listing.question, limit: limit + 1 });
  const { last } = await printRows(taken(rows, limit), listing);
  if (last === undefined) return isTerminal() ? say('(nothing more that fits)\n') : undefined;
  const { done } = await rows.next();
  if (!done) say(`next: ${formatPageKey(last)}\n`);
}

async function runFollow(reader: AuditReader, listing: Listing): Promise<void> {
  const { question } = listing;
  const places = await reader.places();
  const rows = query(reader, { ...question, limit: question.limit ?? FOLLOW_LIMIT }, places);
  const { lines } = await printRows(rows, listing);
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  for await (const row of follow(reader, question, places, interrupted.signal)) {
    await print(lines.line(row));
  }
}

type Printed = {
  readonly lines: Lines;
  readonly count: number;
  readonly last: ReadRow | undefined;
};

// Times have their date where the rows, whose oldest comes first, may be of several days.
async function printRows(rows: AsyncGenerator<ReadRow>, listing: Listing): Promise<Printed> {
  const { question, format, nowUs } = listing;
  const first = await rows.next();
  const fromUs = first.done ? nowUs : first.value.startedAtUs;
  const width = terminalWidth();
  const lines = linesOf(format, {
    colour: hasColours(),
    isDated: (question.untilUs ?? nowUs) - fromUs > DAY_US,
    ...(width !== undefined && { width }),
  });
  await print(lines.header);
  let count = 0;
  let last: ReadRow | undefined;
  for await (const piece of piecesOf(startingWith(first, rows), lines.line)) {
    await print(piece.text);
    count += piece.count;
    last = piece.last;
  }
  return { lines, count, last };
}

async function* startingWith(first: IteratorResult<ReadRow, void>, rows: AsyncGenerator<ReadRow>) {
  if (first.done) return;
  yield first.value;
  yield* rows;
}

// By hand: `for await` would end the rows, and whether there are more is asked afterwards.
async function* taken(rows: AsyncGenerator<ReadRow>, limit: number): AsyncGenerator<ReadRow> {
  for (let count = 0; count < limit; count++) {
    const { done, value } = await rows.next();
    if (done) return;
    yield value;
  }
}
