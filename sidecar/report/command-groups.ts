// `signet audit --by`: groups of requests, as a table on a terminal, and lines for programs.
import { hasColours, isTerminal, print, say } from './command-store.ts';
import type { Grouping, Question } from './filter.ts';
import { CSV_NEWLINE } from './format-csv.ts';
import {
  createGroupCsv,
  createGroupJson,
  createGroupTable,
  type GroupFormatter,
} from './format-groups.ts';
import { group } from './group.ts';
import type { LineFormat } from './lines.ts';
import type { AuditReader } from '../audit/reader.ts';

/** Prints the groups; of more than the question's limit the largest. */
export async function runGroups(
  reader: AuditReader,
  question: Question,
  by: Grouping,
  format: LineFormat,
): Promise<void> {
  const groups = (await group(reader, question, by)).slice(0, question.limit);
  const { header, line } = formatterOf(by, format);
  const above = format === 'line' ? undefined : header();
  const lines = [...(above === undefined ? [] : [above]), ...groups.map(line)];
  const end = format === 'csv' ? CSV_NEWLINE : '\n';
  await print(lines.map((each) => each + end).join(''));
  if (groups.length === 0 && isTerminal()) say('(nothing yet that fits)\n');
}

function formatterOf(by: Grouping, format: LineFormat): GroupFormatter {
  if (format === 'json') return createGroupJson(by);
  if (format === 'csv') return createGroupCsv(by);
  return createGroupTable(by, { colour: hasColours() });
}
