// `signet audit show`: one request, trace or event in full.
import { Command } from 'commander';
import { formatOption } from './command-options.ts';
import {
  EXIT_FOUND_NOTHING,
  hasColours,
  print,
  reading,
  say,
  STORE_EXIT_CODES,
  storeCommand,
  type AuditCommandParts,
} from './command-store.ts';
import { find, IDS, MAX_FOUND, parseId } from './find.ts';
import { createFormatter } from './format.ts';
import { toJson } from './format-json.ts';
import type { ReadRow } from '../audit/reader.ts';
import { isRequest } from '../audit/row.ts';
import { formatTree } from './tree.ts';

type ShowFormat = 'tree' | 'json' | 'line';
export type ShowOptions = { readonly state?: string; readonly format?: ShowFormat };

const FORMATS: readonly ShowFormat[] = ['tree', 'json', 'line'];

const HELP = `
A request is shown with the events of its trace: its sign-in, and what else belongs to it.

Examples:
  $ signet audit show 4d032074-7bbc-4e5d-964f-a0f15a34b6f6            # a request id
  $ signet audit show 4d0320747bbc4e5d964fa0f15a34b6f6                # a trace id
  $ signet audit show sign-in:4d032074-7bbc-4e5d-964f-a0f15a34b6f6    # an event
  $ signet audit show decision-lost:6f1f9c1e-6d0c-4c4f-9f5e-2a7d3f0b9c11:17

Exit codes:
  0   found
  1   nothing with this id
  2   this is no id, or an option is wrong
${STORE_EXIT_CODES}
`;

/** Returns the command; `parentOptions` are those that stood before its name. */
export function showCommand(
  parts: AuditCommandParts,
  parentOptions: () => { readonly state?: string; readonly format?: string },
): Command {
  const command = new Command('show')
    .description('one request, trace or event in full, with its spans as a timed tree')
    .argument('<id>', 'a request id, a trace id, or the id of an event')
    .addOption(formatOption(FORMATS, 'tree'));
  return storeCommand(command, HELP).action((text: string, own: ShowOptions) => {
    const { state, format } = parentOptions();
    const before = {
      ...(state !== undefined && { state }),
      ...(isFormat(format) && { format }),
    };
    return runShow(command, text, { ...before, ...own }, parts);
  });
}

async function runShow(
  command: Command,
  text: string,
  { format = 'tree', ...options }: ShowOptions,
  parts: AuditCommandParts,
): Promise<void> {
  const id = parseId(text);
  if (id === undefined) {
    return command.error(`id: read ${JSON.stringify(text)}; allowed is ${IDS}`);
  }
  await reading(options, parts, async (reader) => {
    const rows = await find(reader, id);
    if (rows.length === 0) {
      say(`There is no row of ${id}. Is it still under way? \`signet audit open\` tells.\n`);
      process.exitCode = EXIT_FOUND_NOTHING;
      return;
    }
    const line = formatOf(format, parts);
    await print(rows.map((row) => `${line(row)}\n`).join(format === 'tree' ? '\n' : ''));
    if (rows.length >= MAX_FOUND) say(`(the first ${MAX_FOUND} of this trace)\n`);
  });
}

function formatOf(format: ShowFormat, { spansOf }: AuditCommandParts): (row: ReadRow) => string {
  if (format === 'json') return toJson;
  if (format === 'line') return createFormatter({ colour: hasColours(), isDated: true }).line;
  return (row) =>
    formatTree(row, isRequest(row) ? spansOf(row) : [], { colour: hasColours() }).trimEnd();
}

function isFormat(text: string | undefined): text is ShowFormat {
  return FORMATS.some((format) => format === text);
}
