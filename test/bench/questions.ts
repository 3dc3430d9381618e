// What the benchmark asks: as `signet audit` asks it, with the lines that it would print.
import type { Filter, Grouping, Question } from '../../sidecar/report/filter.ts';
import { find, parseId } from '../../sidecar/report/find.ts';
import { createGroupJson } from '../../sidecar/report/format-groups.ts';
import { group } from '../../sidecar/report/group.ts';
import { linesOf, piecesOf } from '../../sidecar/report/lines.ts';
import { openAuditReader } from '../../sidecar/audit/open.ts';
import { query } from '../../sidecar/report/query.ts';
import type { AuditReader } from '../../sidecar/audit/reader.ts';
import { DAY_US, DAYS, FIRST_DAY_US, userName } from './rows.ts';

export type BenchQuestion = {
  readonly name: string;
  /** Returns how many rows or groups were answered. */
  readonly ask: (reader: AuditReader) => Promise<number>;
  /** Returns the target for a store of so many rows. */
  readonly targetMs?: (rows: number) => number;
};

const MILLION = 1_000_000;

/** The question whose answer is as large in a larger store, and by how much its time may grow there. */
export const SAME_ANSWER = '--user X, as many rows';
export const MAX_GROWTH = 4 / 3;

const MIDDLE_DAY_US = FIRST_DAY_US + Math.floor(DAYS / 2) * DAY_US;
const ONE_DAY = { sinceUs: MIDDLE_DAY_US, untilUs: MIDDLE_DAY_US + DAY_US };
const PAGE = { limit: 100 };
const START = { startedAtUs: 0, requestId: '' };
const MIDDLE = { startedAtUs: MIDDLE_DAY_US, requestId: '' };

/** Returns the questions for a store of so many rows; some id in it is looked up for one of them. */
export async function questionsOf(path: string, count: number): Promise<readonly BenchQuestion[]> {
  const reader = await openAuditReader({ path });
  const some = await query(reader, { after: MIDDLE, limit: 1 }).next();
  await reader.close();
  const oneDay = { user: [userName(7)], ...ONE_DAY };
  // Ten times the rows in the same days are ten times the rows of a user's day.
  const untilUs = MIDDLE_DAY_US + Math.round((DAY_US * MILLION) / count);
  return [
    { ...listing('--user X, one day', oneDay), targetMs: () => 50 },
    listing(SAME_ANSWER, { ...oneDay, untilUs }),
    { ...grouping('team'), targetMs: (rows) => 1000 * Math.max(1, rows / MILLION) },
    grouping('user'),
    grouping('route'),
    grouping('type'),
    grouping('decision'),
    grouping('team', ONE_DAY, ', one day'),
    listing('--decision deny, one day', { decision: ['deny'], ...ONE_DAY }),
    listing('--status 5xx, one day', { status: [{ from: 500, to: 599 }], ...ONE_DAY }),
    listing('--team X, one day', { team: ['team-7'], ...ONE_DAY }),
    listing('--user X,Y,Z, one page', { user: [7, 8, 9].map(userName), after: START, ...PAGE }),
    listing('--event sign-in, one page', { event: ['sign-in'], after: MIDDLE, ...PAGE }),
    listing('the newest 1000', { limit: 1000 }),
    listing('the first page', { after: START, ...PAGE }),
    listing('a page in the middle', { after: MIDDLE, ...PAGE }),
    showing(some.value?.requestId ?? ''),
  ];
}

function listing(name: string, question: Question): BenchQuestion {
  const { line } = linesOf('json', {});
  const ask = async (reader: AuditReader) => {
    let rows = 0;
    for await (const { count } of piecesOf(query(reader, question), line)) rows += count;
    return rows;
  };
  return { name, ask };
}

function grouping(by: Grouping, filter: Filter = {}, what = ', everything'): BenchQuestion {
  const { line } = createGroupJson(by);
  const ask = async (reader: AuditReader) => (await group(reader, filter, by)).map(line).length;
  return { name: `--by ${by}${what}`, ask };
}

function showing(id: string): BenchQuestion {
  const { line } = linesOf('json', {});
  const ask = async (reader: AuditReader) =>
    (await find(reader, parseId(id) ?? '')).map(line).length;
  return { name: 'show by id', ask };
}
