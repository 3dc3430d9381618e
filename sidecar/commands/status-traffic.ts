// What a sidecar's metrics say of the traffic since it started: requests by decision, and how long they took.
// Reads Prometheus's text by line, and of it only what it needs. Pure.

export type Traffic = {
  readonly requests: number;
  readonly byDecision: Readonly<Record<string, number>>;
  /** Of all requests; absent without one, or when it lies beyond the last bucket. */
  readonly p95Seconds?: number;
};

const REQUESTS = 'signet_requests_total';
const BUCKETS = 'http_server_request_duration_seconds_bucket';
const SAMPLE = /^([a-z_]+)\{(.*)\} ([\d.e+-]+)$/;

/**
 * Returns the traffic; undefined where the text has no requests, as when the recorder does not answer, or where
 * they are no count.
 */
export function readTraffic(metrics: string): Traffic | undefined {
  if (!metrics.includes(`# TYPE ${REQUESTS} counter\n`)) return undefined;
  const byDecision = new Map<string, number>();
  const upTo = new Map<number, number>();
  for (const line of metrics.split('\n')) {
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    if (name === REQUESTS) add(byDecision, labelIn(labels, 'signet_decision') ?? 'other', value);
    if (name === BUCKETS) add(upTo, boundIn(labels), value);
  }
  const requests = [...byDecision.values()].reduce((sum, each) => sum + each, 0);
  if (!Number.isSafeInteger(requests) || requests < 0) return undefined;
  const p95Seconds = quantile(0.95, upTo);
  return {
    requests,
    byDecision: Object.fromEntries([...byDecision].toSorted(([, one], [, two]) => two - one)),
    ...(p95Seconds !== undefined && { p95Seconds }),
  };
}

function add<K>(sums: Map<K, number>, key: K, value: string | undefined): void {
  sums.set(key, (sums.get(key) ?? 0) + Number(value));
}

function boundIn(labels: string): number {
  const text = labelIn(labels, 'le');
  return text === '+Inf' ? Infinity : Number(text);
}

function labelIn(labels: string, name: string): string | undefined {
  return new RegExp(`(?:^|,)${name}="([^"\\\\]*)"`).exec(labels)?.[1];
}

// As Prometheus's histogram_quantile: straight within the bucket. Beyond the last bound nothing is known.
function quantile(share: number, upTo: ReadonlyMap<number, number>): number | undefined {
  const buckets = [...upTo].toSorted(([one], [two]) => one - two);
  const rank = share * (buckets.at(-1)?.[1] ?? 0);
  const index = buckets.findIndex(([, count]) => count >= rank);
  const [bound = Infinity, count = 0] = buckets[index] ?? [];
  if (!(rank > 0) || !Number.isFinite(bound)) return undefined;
  const [from, before] = buckets[index - 1] ?? [0, 0];
  return from + (bound - from) * ((rank - before) / (count - before));
}
