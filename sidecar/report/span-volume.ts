// How many spans the requests of a time make, by team, route, worth and hour: counted in the database from
// what the rows hold. The same as trace/worth.ts and trace/refusal.ts say of one row; a test compares them.
import type { Columns, Value } from '../audit/database.ts';
import type { AuditReader } from '../audit/reader.ts';

export type VolumeQuestion = {
  /** Of the requests' starts, in microseconds since the epoch; the end doesn't belong to it. */
  readonly sinceUs: number;
  readonly untilUs: number;
  /** From where on a request is slow, and kept when it wasn't sampled. */
  readonly slowUs: number;
  /** As if traces were sampled by this ratio (0 to 1) and no rule, instead of as they were. */
  readonly ratio?: number;
};

/** Requests that have all of it in common. */
export type VolumePart = {
  readonly team?: string;
  readonly route?: string;
  readonly worth: string;
  /** Of the day, in UTC. */
  readonly hour: number;
  readonly requests: number;
  /** With a ratio what is to be expected; else what they make. */
  readonly spans: number;
};

type Reader = Pick<AuditReader, 'all'>;

const HOUR_US = 3_600_000_000;

const REFUSAL =
  "(decision = 'deny' OR (decision = 'login' AND reason <> 'no-credentials') " +
  "OR reason = 'gate-refused')";
const ALWAYS = `(${REFUSAL} OR kind = 'unexplained' OR reason = 'stamp-invalid')`;
const ERROR = "(status >= 500 OR kind = 'unexplained' OR reason = 'stamp-invalid')";
const SLOW = '(duration_us >= ? AND status <> 101)';
const WORTH = `CASE WHEN ${ERROR} THEN 'error' WHEN ${REFUSAL} THEN 'refusal' WHEN ${SLOW} THEN 'slow' ELSE 'other' END`;
const ALL_SPANS =
  '(1 + CASE WHEN gate_boot_id IS NULL THEN 0 ELSE 1 END' +
  ' + CASE WHEN upstream_started_at_us IS NULL THEN 0 ELSE 1 END)';
// Unsampled, an error or a slow request keeps its ingress span; a refusal is sampled, or of old.
const LATE_SPANS = "CASE WHEN worth IN ('error', 'slow') THEN 1 ELSE 0 END";

/** Returns the parts, in no order. */
export async function spanVolume(
  reader: Reader,
  chain: string,
  { sinceUs, untilUs, slowUs, ratio }: VolumeQuestion,
): Promise<VolumePart[]> {
  const rows =
    `SELECT team, route, sampled, ${WORTH} AS worth, ${ALL_SPANS} AS spans, ` +
    `CASE WHEN ${ALWAYS} THEN 1 ELSE 0 END AS always, started_at_us / ${HOUR_US} % 24 AS hour ` +
    "FROM audit_rows WHERE chain = ? AND kind IN ('request', 'unexplained') " +
    'AND started_at_us >= ? AND started_at_us < ?';
  const sql =
    `SELECT team, route, worth, hour, count(*) AS requests, sum(${spansSql(ratio)}) AS spans ` +
    `FROM (${rows}) AS requests GROUP BY team, route, worth, hour`;
  const values: Value[] = [slowUs, chain, sinceUs, untilUs];
  return (await reader.all(sql, values)).map(toPart);
}

/** Returns the start of the oldest request that is there, in microseconds; undefined without any. */
export async function firstRequestUs(reader: Reader, chain: string): Promise<number | undefined> {
  const sql =
    "SELECT started_at_us FROM audit_rows WHERE chain = ? AND kind IN ('request', 'unexplained') " +
    'ORDER BY started_at_us LIMIT 1';
  const [first] = await reader.all(sql, [chain]);
  return first === undefined ? undefined : Number(first['started_at_us']);
}

// A number of ours, written into the text: as a parameter PostgreSQL would take it for a whole one.
function spansSql(ratio: number | undefined): string {
  if (ratio === undefined) return `CASE WHEN sampled = 1 THEN spans ELSE ${LATE_SPANS} END`;
  const expected = `${ratio} * spans + (1 - ${ratio}) * ${LATE_SPANS}`;
  return `CASE WHEN always = 1 THEN spans ELSE ${expected} END`;
}

function toPart({ team, route, worth, hour, requests, spans }: Columns): VolumePart {
  return {
    ...(typeof team === 'string' && { team }),
    ...(typeof route === 'string' && { route }),
    worth: String(worth),
    hour: Number(hour),
    requests: Number(requests),
    spans: Number(spans),
  };
}
