// What went through each route in a window: how many requests, how many of them failed, and how long the
// app took. Counts are of all requests; of times there is a sample where there are very many.
import type { Columns, Value } from '../audit/database.ts';
import type { AuditReader } from '../audit/reader.ts';
import type { Window } from './windows.ts';

/** A route's requests in a window. */
export type Counted = {
  /** Absent where the Caddyfile names none: blocks without `protect`. */
  readonly route?: string;
  /** Those that were answered. */
  readonly requests: number;
  /** Answers of 500 and more. */
  readonly errors: number;
  /** Answers that broke off: the app died, or the client left; Caddy's line is the same for both. */
  readonly cut: number;
  /** Not among the requests: their clients left before an answer, which is nobody's failure by itself. */
  readonly left: number;
  /** Those whose time says something of the app. */
  readonly timed: number;
};

type Reader = Pick<AuditReader, 'all'>;

/** More times than these are not fetched for a route and a side: some more than that, or fewer. */
export const MAX_TIMES = 20_000;

// A request counts where the app was asked, or would have been: a refusal is no error of the app's. One
// that began in the window and ended behind it counts on neither side: what is still under way now could
// not count either, and what a restart has cut off belongs to nobody.
const IN_WINDOW =
  'started_at_us >= ? AND started_at_us < ? AND (started_at_us + duration_us <= ?) IS TRUE ' +
  "AND (decision = 'allow' OR reason = 'unprotected') IS TRUE";

// Caddy 2.11 ends an answer that it can't finish with a panic: status and size are there, but no time.
const IS_CUT =
  'status BETWEEN 1 AND 499 AND status <> 101 ' +
  'AND upstream_started_at_us IS NOT NULL AND upstream_latency_us IS NULL';

/** Bytes of a body that come with the headers, in the first segments (RFC 6928: 14,600 bytes with them). */
export const MAX_TIMED_BODY_BYTES = 8192;

// Until the app's headers, which is all that is the app's of a stream, a download or a WebSocket. What
// Caddy answered alone took what it took. An error is no time: failing at once is not fast. Nor is what
// was uploaded: that takes as long as the client takes.
const TIME =
  `CASE WHEN status < 1 OR status >= 500 OR request_bytes > ${MAX_TIMED_BODY_BYTES} THEN NULL ` +
  'WHEN upstream_latency_us IS NOT NULL THEN upstream_latency_us ' +
  'WHEN upstream_started_at_us IS NULL AND status <> 101 THEN duration_us END';

// Not by the column: SQLite would read the whole index of the routes to have them in order.
const COUNTED =
  `SELECT coalesce(route, '') AS name, ` +
  'sum(CASE WHEN status <> 0 THEN 1 ELSE 0 END) AS requests, ' +
  'sum(CASE WHEN status >= 500 THEN 1 ELSE 0 END) AS errors, ' +
  `sum(CASE WHEN ${IS_CUT} THEN 1 ELSE 0 END) AS cut, ` +
  'sum(CASE WHEN status = 0 THEN 1 ELSE 0 END) AS left_early, ' +
  `sum(CASE WHEN (${TIME}) IS NULL THEN 0 ELSE 1 END) AS timed ` +
  `FROM audit_rows WHERE ${IN_WINDOW} GROUP BY coalesce(route, '')`;

/** Returns what went through each route; of only these, where some are named. */
export async function countTraffic(
  reader: Reader,
  { fromUs, toUs }: Window,
  routes?: readonly string[],
): Promise<readonly Counted[]> {
  const found = await reader.all(COUNTED, [fromUs, toUs, toUs]);
  const counted = found.map(toCounted);
  return counted.filter(({ route }) => routes === undefined || routes.includes(route ?? ''));
}

/** Returns times of a route, in microseconds and in ascending order: all, or a uniform sample. */
export async function timesOf(
  reader: Reader,
  { fromUs, toUs }: Window,
  { route, timed }: Counted,
): Promise<Float64Array> {
  const sampled = sampling(timed);
  const ofRoute = route === undefined ? 'route IS NULL' : 'route = ?';
  const [found] = await reader.all(
    `SELECT string_agg(CAST(${TIME} AS TEXT), ',') AS times FROM audit_rows ` +
      `WHERE ${ofRoute} AND ${IN_WINDOW}${sampled.sql}`,
    [...(route === undefined ? [] : [route]), fromUs, toUs, toUs, ...sampled.values],
  );
  const text = found?.['times'];
  if (typeof text !== 'string') return new Float64Array();
  return Float64Array.from(text.split(','), Number).sort();
}

/** Rows among which the one that ended last is looked for: they come nearly in that order. */
const NEWEST_ROWS = 1000;

/** How far ahead of this one another machine's clock may be. */
export const MAX_AHEAD_US = 60_000_000;

/**
 * Returns up to when requests are recorded: when the latest had ended; undefined where there is none.
 * What claims to have ended later than now is no measure: one row of a clock that was a year ahead would
 * make a window of a year.
 */
export async function recordedUpTo(
  reader: AuditReader,
  nowUs: number,
): Promise<number | undefined> {
  const newest =
    'SELECT started_at_us + duration_us AS ended FROM audit_rows ' +
    `WHERE chain = ? AND kind = 'request' ORDER BY sequence DESC LIMIT ${NEWEST_ROWS}`;
  const sql = `SELECT max(ended) AS ended FROM (${newest}) AS newest WHERE ended <= ?`;
  const ends: number[] = [];
  for (const chain of await reader.chains()) {
    const [found] = await reader.all(sql, [chain, nowUs + MAX_AHEAD_US]);
    if (typeof found?.['ended'] === 'number') ends.push(found['ended']);
  }
  return ends.length === 0 ? undefined : Math.max(...ends);
}

const ID_STEPS = 0x1_0000;

// By the end of the request id, which is random: the database can tell, whoever asks gets the same, and
// no time of the day or kind of request is preferred.
function sampling(timed: number): { sql: string; values: Value[] } {
  if (timed <= MAX_TIMES) return { sql: '', values: [] };
  const below = Math.ceil((MAX_TIMES / timed) * ID_STEPS);
  return {
    sql: ' AND (substr(request_id, length(request_id) - 3) < ?) IS TRUE',
    values: [below.toString(16).padStart(4, '0')],
  };
}

function toCounted({ name, requests, errors, cut, left_early: left, timed }: Columns): Counted {
  return {
    ...(name !== '' && { route: String(name) }),
    requests: Number(requests),
    errors: Number(errors),
    cut: Number(cut),
    left: Number(left),
    timed: Number(timed),
  };
}
