// `signet audit open`: decisions of the gate without a line yet, from its journals and the store's
// accounts: streams, downloads and WebSockets that are under way, and what may turn out to be lost.
import { Command } from 'commander';
import { sizeOf } from './audit/account.ts';
import { read } from './audit/accounts.ts';
import { knownIds } from './audit/append.ts';
import { formatOption } from './report/command-options.ts';
import { isTerminal, print, say, STORE_EXIT_CODES, storeCommand } from './report/command-store.ts';
import type { Queries } from './audit/database.ts';
import { isoTime, localTime } from './audit/format-text.ts';
import { column, visible, visibleJson } from './visible.ts';
import { noteOf } from './audit/notes.ts';
import type { AuditReader } from './audit/reader.ts';
import {
  ownChain,
  readingAt,
  stateOf,
  type RecordParts,
  type Whereabouts,
} from './report/whereabouts.ts';
import { isInUse } from './lock.ts';
import { readJournals } from './decisions/journal-file.ts';
import { pendingOf, type Pending } from './decisions/pending.ts';
import { journalFolder } from './places.ts';
import { OPEN_DECISIONS } from './decisions/reckon.ts';

type OpenOptions = { readonly format?: 'table' | 'json' };

const HELP = `
A decision is open from the gate's answer until Caddy has written the request's line, which it does at the
end. Where the journal has no more room for it, only numbers are known; they stand as a range. What has no
line after a day (a refusal: after a minute) becomes a row of its own, decision-lost. The list is as fresh
as the recorder: while that is behind, or not running, requests that have ended are in it.

Examples:
  $ signet audit open
  $ signet audit open --format json | jq 'select(.ageSeconds > 3600)'

Exit codes:
  0   listed, also when nothing is open
  2   an option is wrong
${STORE_EXIT_CODES}
`;

/** Returns the command. */
export function openCommand(parts: RecordParts): Command {
  const command = new Command('open')
    .description('requests that are under way: decided, and not yet in Caddy’s log')
    .addOption(formatOption(['table', 'json'], 'table on a terminal, else json'));
  return storeCommand(command, HELP).action((options: OpenOptions) =>
    run(parts.locate(stateOf(command)), options),
  );
}

async function run(where: Whereabouts, { format }: OpenOptions): Promise<void> {
  const nowUs = Date.now() * 1000;
  await readingAt(where, async (reader) => {
    const open = await openNow(where, reader, nowUs);
    const isTable = format === undefined ? isTerminal() : format === 'table';
    // A socket outlives the sidecar, but not Caddy: nobody writes down here how it went on.
    if (open.length > 0 && !isInUse(where.stateFolder)) {
      say('No sidecar runs here: what has ended since it stopped is still in this list.\n');
    }
    if (isTable) await print(tableOf(open, nowUs));
    else await print(open.map((one) => `${jsonOf(one, nowUs)}\n`).join(''));
  });
}

// The journals first: what is recorded meanwhile is in the accounts then, and its rows are there.
async function openNow(
  where: Whereabouts,
  reader: AuditReader,
  nowUs: number,
): Promise<readonly Pending[]> {
  const queries = readOnly(reader);
  const chain = await ownChain(where, reader);
  const { journals, problems } = readJournals(journalFolder(where.stateFolder));
  for (const problem of problems) say(`${problem}\n`);
  const accounts = [...(await read(queries, chain)).values()];
  const kept = parsed(await noteOf(queries, chain, OPEN_DECISIONS));
  const pending = pendingOf({ accounts, journals, kept, nowUs });
  const rows = await knownIds(
    queries,
    pending.flatMap(({ noted }) => noted?.requestId ?? []),
  );
  return pending.filter(({ noted }) => noted === undefined || !rows.has(noted.requestId));
}

function readOnly(reader: AuditReader): Queries {
  const refuse = () => Promise.reject(new Error('this reads only'));
  return { all: (sql, values = []) => reader.all(sql, values), run: refuse, insert: refuse };
}

// What can't be read is the recorder's to mend.
function parsed(text: string | undefined): readonly Pending[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? (value as Pending[]) : [];
  } catch {
    return [];
  }
}

function tableOf(open: readonly Pending[], nowUs: number): string {
  if (open.length === 0) return '(nothing is open)\n';
  const header = lineOf(['SINCE', 'AGE', 'DECISION', 'USER', 'ROUTE', 'NUMBER', 'REQUEST']);
  return [header, ...open.map((one) => rowOf(one, nowUs)), ''].join('\n');
}

function rowOf(one: Pending, nowUs: number): string {
  const { noted, range, sinceUs } = one;
  const since = localTime(sinceUs, true).slice(0, 19);
  const numbers = sizeOf(range) === 1 ? String(range.first) : `${range.first}-${range.last}`;
  if (noted === undefined) {
    const unknown = sizeOf(range) === 1 ? 'one, not known' : `${sizeOf(range)}, not known`;
    return lineOf([since, age(nowUs - sinceUs), unknown, '', '', numbers, '']);
  }
  const { decision, user = '-', route, requestId } = noted;
  const texts = [decision, visible(user), visible(route), numbers, visible(requestId)];
  return lineOf([since, age(nowUs - sinceUs), ...texts]);
}

const WIDTHS = [19, 7, 16, 24, 20, 12];

function lineOf(texts: readonly string[]): string {
  const cells = texts.map((text, at) => (WIDTHS[at] ? column(text, WIDTHS[at]) : text));
  return cells.join('  ').trimEnd();
}

function age(us: number): string {
  const seconds = Math.max(0, Math.floor(us / 1_000_000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

function jsonOf({ bootId, range, noted, sinceUs }: Pending, nowUs: number): string {
  const { first, last } = range;
  return visibleJson(
    JSON.stringify({
      since: isoTime(sinceUs),
      ageSeconds: Math.max(0, Math.floor((nowUs - sinceUs) / 1_000_000)),
      boot: bootId,
      ...(noted === undefined ? { first, last, known: false } : { number: first }),
      ...(noted && {
        requestId: noted.requestId,
        decision: noted.decision,
        ...(noted.user !== undefined && { user: noted.user }),
        route: noted.route,
      }),
    }),
  );
}
