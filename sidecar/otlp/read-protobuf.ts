// Protobuf's wire format, read as far as an answer needs it. Whatever the bytes are: never throws, reads
// none that are not there, and takes no more than one look at each.

/** A field's value: a number for varints (exact up to 2^53), else its bytes, in place. */
export type FieldValue = number | Buffer;

/** Returns the field's value; the last one where it comes twice (protobuf, "Last One Wins"). */
export function fieldOf(message: Buffer, wanted: number): FieldValue | undefined {
  return fieldsOf(message, wanted)?.at(-1);
}

/** Returns all values of a repeated field; undefined when the message is none. */
export function fieldsOf(message: Buffer, wanted: number): FieldValue[] | undefined {
  const found: FieldValue[] = [];
  for (let at = 0; at < message.length;) {
    const tag = readVarint(message, at);
    const read = tag && readValue(message, tag.end, tag.value % 8);
    if (tag === undefined || read === undefined) return undefined;
    if (Math.floor(tag.value / 8) === wanted) found.push(read.value);
    at = read.end;
  }
  return found;
}

/** Returns the text of a field; empty when there is none. */
export function textOf(message: Buffer, wanted: number): string {
  const value = fieldOf(message, wanted);
  return Buffer.isBuffer(value) ? value.toString() : '';
}

type Read = { readonly value: FieldValue; readonly end: number };

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
