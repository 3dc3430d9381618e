// A destination's own words, as far as they are repeated to people. Pure.
import { cut, visible } from '../audit/format-text.ts';
import { textOf } from './read-protobuf.ts';

/** Longest quotation. */
const MAX_CHARS = 300;

/** Returns the words cut, and safe to print. */
export function quote(text: string): string {
  // First the length: what is beyond is not even looked at.
  return visible(cut(text.slice(0, 2 * MAX_CHARS).trim(), MAX_CHARS));
}

/** Returns what the body of an HTTP answer says: google.rpc.Status, the same in JSON, or plain text. */
export function quoteBody(contentType: string, body: Buffer): string {
  if (contentType.includes('protobuf')) return quote(textOf(body, 2));
  if (contentType.includes('json')) return quote(messageOf(body.toString()));
  return contentType.startsWith('text/plain') ? quote(body.toString()) : '';
}

function messageOf(json: string): string {
  try {
    const { message } = Object(JSON.parse(json)) as { message?: unknown };
    return typeof message === 'string' ? message : json;
  } catch {
    return json;
  }
}
