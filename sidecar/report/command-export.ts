// `signet audit export`: every row that fits, oldest first, into a file or a pipe.
import { Command } from 'commander';
import { explain, Fault } from '../fault.ts';
import { formatOption, LISTS_HELP, questionOf, withFilters } from './command-options.ts';
import {
  EXIT_CANNOT_CREATE,
  EXIT_IO,
  print,
  reading,
  say,
  STORE_EXIT_CODES,
  storeCommand,
  type AuditCommandParts,
} from './command-store.ts';
import { createExportFile, type ExportFile } from './export-file.ts';
import type { FilterOptions, Question } from './filter.ts';
import { isoTime } from '../audit/format-text.ts';
import { linesOf, piecesOf, type Lines } from './lines.ts';
import { createProgress } from './progress.ts';
import { query } from './query.ts';
import type { AuditReader } from '../audit/reader.ts';

const FORMATS = ['csv', 'jsonl'] as const;

export type ExportOptions = FilterOptions & {
  readonly state?: string;
  readonly format?: (typeof FORMATS)[number];
  readonly output?: string;
};

const EXIT_INTERRUPTED = 130; // 128 and SIGINT, as shells have it

const HELP = `
${LISTS_HELP}

What is exported is what is there when it begins, requests and events, oldest first. A file has its
name only once it is whole, and only its owner may read it (mode 0600).

JSON lines are exact, and the same as \`signet audit --format json\`. CSV is for spreadsheets: RFC 4180,
a column for each JSON field (gate.number for number in gate), lists and details as JSON. What is no
character to see is spelled out (\\x1b), and a text that a spreadsheet would take for a formula, because
it begins with = + - @, a tab or a carriage return, has an apostrophe in front, as it has behind a
semicolon.

Examples:
  $ signet audit export --since 2026-10-01 --until 2026-11-01 --output october.csv
  $ signet audit export --team payments --decision deny --format jsonl | gzip > denied.jsonl.gz
  $ signet audit export --kind event,lost --output events.jsonl

Exit codes:
  0   exported
  2   an option is wrong; all mistakes are listed
${STORE_EXIT_CODES}, or the file can't be written to its end
  73  the file can't be made
  130 interrupted; no file is left
`;

/** Returns the command; `parentOptions` are those that stood before its name. */
export function exportCommand(
  parts: AuditCommandParts,
  parentOptions: () => FilterOptions & { readonly state?: string },
): Command {
  const command = withFilters(new Command('export'))
    .description('all rows that fit, as CSV or JSON lines')
    .addOption(formatOption(FORMATS, 'csv for a file named so, else jsonl'))
    .option('--output <file>', 'write to a file (default: standard output)');
  return storeCommand(command, HELP).action((own: ExportOptions) =>
    runExport(command, { ...parentOptions(), format: undefined, ...own }, parts),
  );
}

type Given = Omit<ExportOptions, 'format'> & { readonly format: ExportOptions['format'] };

async function runExport(command: Command, options: Given, parts: AuditCommandParts) {
  const { after: _after, by: _by, follow: _follow, limit: _limit, ...filters } = options;
  const question = questionOf(command, filters, Date.now() * 1000);
  const { output, format = output?.endsWith('.csv') ? 'csv' : 'jsonl' } = options;
  const lines = linesOf(format === 'csv' ? 'csv' : 'json', {});
  await reading(options, parts, async (reader) => {
    if (output === undefined) await writeRows(reader, question, lines, print);
    else await writeFile(reader, question, lines, output);
  });
}

async function writeFile(reader: AuditReader, question: Question, lines: Lines, path: string) {
  // Heard before there is a file: an interrupted export leaves none.
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  const file = await fileOrNone(path);
  if (file === undefined) return;
  try {
    const count = await writeRows(reader, question, lines, file.write, interrupted.signal);
    if (interrupted.signal.aborted) process.exitCode = EXIT_INTERRUPTED;
    else await file.finish();
    if (process.stderr.isTTY && !interrupted.signal.aborted) say(`${count} rows in ${path}\n`);
  } catch (error) {
    if (error instanceof Fault) throw error;
    say(`signet: --output: ${path} can't be written: ${explain(error)}\n`);
    process.exitCode = EXIT_IO;
  } finally {
    await file.discard();
  }
}

// Nothing is held but one page and one piece.
async function writeRows(
  reader: AuditReader,
  question: Question,
  { header, line }: Lines,
  write: (text: string) => Promise<void>,
  signal?: AbortSignal,
): Promise<number> {
  const progress = createProgress();
  let count = 0;
  try {
    await write(header);
    for await (const piece of piecesOf(query(reader, question), line)) {
      if (signal?.aborted) break;
      await write(piece.text);
      count += piece.count;
      progress.tell(`${count} rows, up to ${isoTime(piece.last.startedAtUs)}`);
    }
  } finally {
    progress.end();
  }
  return count;
}

async function fileOrNone(path: string): Promise<ExportFile | undefined> {
  try {
    return await createExportFile(path);
  } catch (error) {
    say(`signet: --output: ${explain(error)}\n`);
    process.exitCode = EXIT_CANNOT_CREATE;
    return undefined;
  }
}
