// OTLP's answer to a request (opentelemetry-proto 1.x), as far as it says that items which were
// acknowledged were not kept: its `partial_success`. The answers for traces, logs and metrics have the
// same fields under other names (trace_service.proto, logs_service.proto, metrics_service.proto).
import { visible } from '../visible.ts';
import type { Hide } from './hide-credentials.ts';
import { createMessage, wrapField, writeInteger, writeText, writtenBytes } from './protobuf.ts';
import { fieldOf, textOf } from './read-protobuf.ts';

/** What a destination says of items that it has taken and not kept. */
export type Rejection = {
  /** Or log records, or data points. */
  readonly spans: number;
  /** Its own words, cut, and safe to print. */
  readonly reason: string;
};

const MAX_REASON_CHARS = 500;

/**
 * Returns what was rejected of so many items, and never more than these; undefined when nothing was, or
 * when the answer is none of OTLP's.
 */
export function readRejection(response: Buffer, sent: number): Rejection | undefined {
  const partialSuccess = fieldOf(response, 1);
  if (!Buffer.isBuffer(partialSuccess)) return undefined;
  const spans = fieldOf(partialSuccess, 1);
  // Of the negative ones, which have the sign bit of 64, nothing can be believed.
  if (typeof spans !== 'number' || spans === 0 || spans >= 2 ** 63) return undefined;
  const reason = textOf(partialSuccess, 2).slice(0, MAX_REASON_CHARS);
  return { spans: Math.min(spans, sent), reason: visible(reason) };
}

const JSON_COUNTS = ['rejectedSpans', 'rejectedLogRecords', 'rejectedDataPoints'] as const;

/**
 * Returns OTLP's answer in JSON as the same answer in protobuf, with its partial success only; empty when
 * it is none. Some receivers answer in JSON whatever they were sent.
 */
export function responseFromJson(json: Buffer): Buffer {
  const partialSuccess = partialSuccessOf(json);
  // 64 bits are texts in protobuf's JSON.
  const counts = JSON_COUNTS.map((name) => Number(partialSuccess[name]));
  const count = counts.find((one) => Number.isInteger(one) && one > 0);
  if (count === undefined) return Buffer.alloc(0);
  const { errorMessage } = partialSuccess;
  return partial(
    Math.min(count, Number.MAX_SAFE_INTEGER),
    typeof errorMessage === 'string' ? errorMessage : '',
  );
}

/** Returns the answer with what it says hidden; the same one where there is nothing to hide. */
export function hideInResponse(response: Buffer, hide: Hide): Buffer {
  const partialSuccess = fieldOf(response, 1);
  if (!Buffer.isBuffer(partialSuccess)) return response;
  const said = textOf(partialSuccess, 2);
  const told = hide(said);
  const count = fieldOf(partialSuccess, 1);
  return told === said ? response : partial(typeof count === 'number' ? count : 0, told);
}

// More than is exact is more than was ever sent.
function partial(count: number, reason: string): Buffer {
  const message = createMessage(1024);
  writeText(message, 2, reason);
  writeInteger(message, 1, count < 2 ** 63 ? Math.min(count, Number.MAX_SAFE_INTEGER) : 0);
  wrapField(message, 1, 0);
  return writtenBytes(message);
}

function partialSuccessOf(json: Buffer): Record<string, unknown> {
  try {
    const { partialSuccess } = JSON.parse(json.toString()) as { partialSuccess?: unknown };
    return Object(partialSuccess) as Record<string, unknown>;
  } catch {
    return {};
  }
}
