// A destination's own words, as far as they are repeated to people. Pure.
import { cut, visible } from '../visible.ts';
import type { Hide } from './hide-credentials.ts';
import { textOf } from './read-protobuf.ts';

/** Longest quotation. */
const MAX_CHARS = 300;

/** Returns the words cut, and safe to print; what is no text (libraries promise more than they keep) is none. */
export function quote(text: unknown): string {
  if (typeof text !== 'string') return '';
  // First the length: what is beyond is not even looked at.
  return visible(cut(text.slice(0, 2 * MAX_CHARS).trim(), MAX_CHARS));
}

/** Returns what the body of an HTTP answer says: google.rpc.Status, the same in JSON, or plain text. */
export function quoteBody(contentType: string, body: Buffer, hide: Hide): string {
  return quote(hide(wordsOf(contentType, body)));
}

function wordsOf(contentType: string, body: Buffer): string {
  if (contentType.includes('protobuf')) return textOf(body, 2);
  if (contentType.includes('json')) return messageOf(body.toString());
  return contentType.startsWith('text/plain') ? body.toString() : '';
}

function messageOf(json: string): string {
  try {
    const { message } = Object(JSON.parse(json)) as { message?: unknown };
    return typeof message === 'string' ? message : json;
  } catch {
    return json;
  }
}
