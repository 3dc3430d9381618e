// OTLP's answer to a batch (opentelemetry-proto 1.x, trace_service.proto), as far as it says that spans
// which were acknowledged were not kept: its `partial_success`. What it says besides is skipped.

import { visible } from '../audit/format-text.ts';

/** What a destination says of spans that it has taken and not kept. */
export type Rejection = {
  readonly spans: number;
  /** Its own words, cut, and safe to print. */
  readonly reason: string;
};

const MAX_REASON_CHARS = 500;

/**
 * Returns what was rejected of so many spans, and never more than these; undefined when nothing was, or
 * when the answer is none of OTLP's.
 */
export function readRejection(response: Buffer, sent: number): Rejection | undefined {
  const partialSuccess = fieldOf(response, 1);
  if (!Buffer.isBuffer(partialSuccess)) return undefined;
  const spans = fieldOf(partialSuccess, 1);
  if (spans === 0 || !Number.isSafeInteger(spans)) return undefined;
  const reason = fieldOf(partialSuccess, 2);
  const text = Buffer.isBuffer(reason) ? reason.toString() : '';
  return { spans: Math.min(Number(spans), sent), reason: visible(text.slice(0, MAX_REASON_CHARS)) };
}

type Value = number | Buffer;
type Read = { readonly value: Value; readonly end: number };

// The last one counts where a field comes twice (protobuf, "Last One Wins").
function fieldOf(message: Buffer, wanted: number): Value | undefined {
  let found: Value | undefined;
  for (let at = 0; at < message.length;) {
    const tag = readVarint(message, at);
    const read = tag && readValue(message, tag.end, tag.value % 8);
    if (tag === undefined || read === undefined) return undefined;
    if (Math.floor(tag.value / 8) === wanted) found = read.value;
    at = read.end;
  }
  return found;
}

// By the type of the field; undefined when its end is missing, or no such type is known.
function readValue(message: Buffer, at: number, type: number): Read | undefined {
  if (type === 0) return readVarint(message, at);
  if (type === 1) return readBytes(message, at, 8);
  if (type === 5) return readBytes(message, at, 4);
  const length = type === 2 ? readVarint(message, at) : undefined;
  return length && readBytes(message, length.end, length.value);
}

function readBytes(message: Buffer, at: number, length: number): Read | undefined {
  const end = at + length;
  return end > message.length ? undefined : { value: message.subarray(at, end), end };
}

function readVarint(message: Buffer, from: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let at = from, weight = 1; at < message.length; at++, weight *= 128) {
    const byte = message[at] ?? 0;
    value += (byte % 128) * weight;
    if (byte < 128) return { value, end: at + 1 };
  }
  return undefined;
}
