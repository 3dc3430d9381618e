// One line of Caddy's JSON access log → an entry, checked field by field. Pure; it never throws,
// whatever the bytes. What the fields mean for a row is decided in to-row.ts.
import { isPlausible } from './plausible.ts';
import { countMembers, repeatsKey } from './repeated-key.ts';
import type { SetAsideReason } from './set-aside.ts';

/** What Caddy said about one request. Absent is what it did not say, or said in a wrong type. */
export type Entry = {
  /** Caddy's `ts`, the end of the request: microseconds since the epoch. */
  readonly endedAtUs: number;
  /** 0 as well when the client left or the app died before an answer. */
  readonly durationUs: number;
  /** 0 when the client left before an answer. */
  readonly status: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** `remote_ip`: whoever holds the connection. */
  readonly peerAddress: string;
  /** `client_ip`: the client behind trusted proxies, else the peer. */
  readonly clientAddress: string;
  /** `HTTP/1.1`; empty when Caddy did not say. */
  readonly protocol: string;
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly uri: string;
  /** Lower case. */
  readonly uuid?: string | undefined;
  readonly route?: string | undefined;
  /** The name of a block that is open by `import unprotected`: the gate was not to be asked. */
  readonly unprotected?: string | undefined;
  readonly stamp?: string | undefined;
  /** When the request was passed on to the app: milliseconds since the epoch. */
  readonly proxiedAtMs?: number | undefined;
  /** Of the last call that a reverse proxy made: the sidecar's when the app was not called. */
  readonly upstream?: string | undefined;
  readonly upstreamDurationUs?: number | undefined;
  /** Until the response headers. Only beside a duration: without one it is `forward_auth`'s. */
  readonly upstreamLatencyUs?: number | undefined;
  readonly retries?: number | undefined;
};

type Fields = Readonly<Record<string, unknown>>;

/** The top-level keys that a row is made from: a line with one of them twice is not believed. */
const RELIED_ON: ReadonlySet<string> = new Set([
  'logger',
  'ts',
  'request',
  'bytes_read',
  'duration',
  'size',
  'status',
  'uuid',
  'route',
  'unprotected',
  'stamp',
  'proxied_ms',
  'upstream',
  'upstream_latency_ms',
  'upstream_duration_ms',
  'retries',
]);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

// RFC 3339, and Caddy's `iso8601`, which writes its offset without a colon.
const TIMESTAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)$/;

/**
 * Returns the entry of one line (without its newline), or why it is none. Needed are `ts`,
 * `duration`, `status` and `request.{method,host,uri}`; bytes that are no UTF-8 become U+FFFD.
 * `nowUs` is in microseconds since the epoch.
 */
export function parseLine(bytes: Buffer, nowUs: number): Entry | { setAside: SetAsideReason } {
  const text = bytes.toString('utf8');
  const line = parseJson(text);
  if (line === undefined) return { setAside: 'not-json' };
  if (!isFields(line) || !isAccessLine(line)) return { setAside: 'not-access' };
  if (repeatsReliedOn(text, line)) return { setAside: 'duplicate-key' };
  const entry = entryOf(line);
  if (entry === undefined) return { setAside: 'not-access' };
  return isPlausible(entry, nowUs) ? entry : { setAside: 'time-implausible' };
}

function entryOf(line: Fields): Entry | undefined {
  const request = isFields(line['request']) ? line['request'] : {};
  const endedAtUs = timestampUs(line['ts']);
  const durationUs = microseconds(line['duration'], 1e6);
  const status = wholeNumber(line['status']);
  const method = text(request['method']);
  const host = text(request['host']);
  const uri = text(request['uri']);
  if (endedAtUs === undefined || durationUs === undefined || status === undefined) return undefined;
  if (method === undefined || host === undefined || uri === undefined) return undefined;
  const peerAddress = text(request['remote_ip']) ?? '';
  // From here on what the snippets add with `log_append`: numbers, or text that holds a number, null,
  // or empty.
  const upstreamDurationUs = microseconds(line['upstream_duration_ms'], 1e3);
  const upstreamLatencyUs =
    upstreamDurationUs === undefined ? undefined : microseconds(line['upstream_latency_ms'], 1e3);
  const responseBytes = wholeNumber(line['size']) ?? 0;
  return {
    endedAtUs,
    durationUs,
    status: hasLeft(status, responseBytes, upstreamDurationUs) ? 0 : status,
    requestBytes: wholeNumber(line['bytes_read']) ?? 0,
    responseBytes,
    peerAddress,
    clientAddress: text(request['client_ip']) ?? peerAddress,
    protocol: protocolOf(text(request['proto']) ?? ''),
    method,
    scheme: isFields(request['tls']) ? 'https' : 'http',
    host,
    uri,
    uuid: uuidOf(line['uuid']),
    route: filledText(line['route']),
    unprotected: filledText(line['unprotected']),
    stamp: filledText(line['stamp']),
    proxiedAtMs: wholeNumber(line['proxied_ms']),
    upstream: filledText(line['upstream']),
    upstreamDurationUs,
    upstreamLatencyUs,
    retries: wholeNumber(line['retries']),
  };
}

// Of a client that left before an answer Caddy says 0 up to 2.11.4, and 499 from 2.11.5 on
// (caddyserver/caddy#7396). A 499 of the app's own has a duration.
function hasLeft(status: number, responseBytes: number, upstreamDurationUs?: number): boolean {
  return status === 499 && responseBytes === 0 && upstreamDurationUs === undefined;
}

// To count first takes 0.9 µs a line, to compare all names 2.3.
/** Of extended CONNECT by HTTP/3 Go has the client's `:protocol` in its place, any text (quic-go 0.63). */
const protocolOf = (text: string) => (text === '' || text.startsWith('HTTP/') ? text : 'HTTP/3.0');

function repeatsReliedOn(text: string, line: Fields): boolean {
  return countMembers(text) !== Object.keys(line).length && repeatsKey(text, RELIED_ON);
}

// Caddy's error log has nearly the same fields, and may be sent to the same file: its lines are
// not a second request.
function isAccessLine(line: Fields): boolean {
  const logger = line['logger'];
  return typeof logger !== 'string' || logger.startsWith('http.log.access');
}

function timestampUs(value: unknown): number | undefined {
  if (typeof value !== 'string') return microseconds(value, 1e6);
  const match = TIMESTAMP.exec(value);
  if (match === null) return undefined;
  const [, seconds = '', fraction = '', offset = ''] = match;
  const ms = Date.parse(seconds + offset.replace(/^(.\d\d)(\d\d)$/, '$1:$2'));
  return safe(ms * 1000 + Math.round(Number(`0.${fraction || '0'}`) * 1e6));
}

// Seconds since 1970 as a float64 are exact to 0.24 µs, and the product to as much again: rounding
// gives the microsecond that Caddy meant.
function microseconds(value: unknown, perUnit: number): number | undefined {
  const number = numberOf(value);
  return number === undefined ? undefined : safe(Math.round(number * perUnit));
}

function wholeNumber(value: unknown): number | undefined {
  const number = numberOf(value);
  return number === undefined ? undefined : safe(number);
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && /^\d{1,20}(\.\d{1,20})?$/.test(value)) return Number(value);
  return undefined;
}

function safe(number: number): number | undefined {
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function uuidOf(value: unknown): string | undefined {
  return typeof value === 'string' && UUID.test(value) ? value.toLowerCase() : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function filledText(value: unknown): string | undefined {
  return value === '' ? undefined : text(value);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
