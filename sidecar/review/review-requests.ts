// The last requests of the store as the requests that a destination would get for them, made by the same
// feeds that delivery has. Sends nothing, and moves no cursor.
import type { AuditReader } from '../audit/reader.ts';
import type { StoredRow } from '../audit/row.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { spanIdsOf } from '../trace/ids.ts';
import type { Signal } from '../otlp/destination.ts';
import { encodeMetrics } from '../otlp/encode-metrics.ts';
import { createSpanFeed, type Feed, type SpansOf } from '../delivery/feed.ts';
import { createLogFeed } from '../delivery/log-feed.ts';

/** What requests are made with. */
export type RequestParts = {
  readonly resource: Readonly<Record<string, string>>;
  readonly version: string;
  readonly spansOf: SpansOf;
};

/** One request: its bytes are valid until the next. */
export type ReviewedRequest = { readonly bytes: Buffer; readonly items: number };

/** Rows of one request, as delivery takes them. */
const PAGE_ROWS = 500;

/** Returns the rows from the so-manieth last request on, with the events among them. */
export async function lastRows(
  reader: Pick<AuditReader, 'all' | 'rows'>,
  chain: string,
  requests: number,
): Promise<readonly StoredRow[]> {
  const lastOnes =
    "SELECT sequence FROM audit_rows WHERE chain = ? AND kind IN ('request', 'unexplained') " +
    'ORDER BY sequence DESC LIMIT ?';
  const sql = `SELECT min(sequence) AS first FROM (${lastOnes}) AS newest`;
  const [found] = await reader.all(sql, [chain, requests]);
  const first = found?.['first'] ?? null;
  if (first === null) return [];
  const rows = 'SELECT * FROM audit_rows WHERE chain = ? AND sequence >= ? ORDER BY sequence';
  return reader.rows(rows, [chain, first]);
}

/** Yields the requests of a signal. */
export function* requestsOf(
  signal: Signal,
  rows: readonly StoredRow[],
  parts: RequestParts,
): Generator<ReviewedRequest> {
  if (signal === 'metrics') {
    if (rows.length > 0) yield metricsRequest(rows, parts);
    return;
  }
  const feed = feedOf(signal, parts);
  for (let from = 0; from < rows.length; from += PAGE_ROWS) {
    const encoded = feed.encode(rows.slice(from, from + PAGE_ROWS));
    if (encoded.items > 0) yield encoded;
  }
}

function feedOf(signal: 'traces' | 'logs', { resource, version, spansOf }: RequestParts): Feed {
  return signal === 'logs'
    ? createLogFeed(resource, version)
    : createSpanFeed(resource, version, spansOf);
}

// As if the recorder had begun with these rows. How it stands itself is known only while it runs.
function metricsRequest(
  rows: readonly StoredRow[],
  { resource, version }: RequestParts,
): ReviewedRequest {
  const times = rows.map(({ startedAtUs }) => startedAtUs);
  const startedAtUs = times.reduce((one, other) => Math.min(one, other));
  const metrics = createMetrics({ startedAtUs, version, spanIdOf: (id) => spanIdsOf(id).ingress });
  metrics.observe(rows);
  const snapshot = metrics.snapshot(times.reduce((one, other) => Math.max(one, other)));
  return { bytes: encodeMetrics(snapshot, resource, version), items: snapshot.metrics.length };
}
