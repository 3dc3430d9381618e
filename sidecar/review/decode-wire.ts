// Protobuf's wire format for a reader that must see everything: each field of a message, in its order,
// whatever its number. Bytes that are no message are an error. Knows nothing of OTLP.

export type WireField = {
  readonly number: number;
  /** Varints as unsigned 64 bits; all else as the bytes that there are. */
  readonly value: bigint | Buffer;
};

const VARINT = 0;
const DELIMITED = 2;
/** Types whose length is always the same: 64 and 32 bits. */
const FIXED_BYTES: Readonly<Record<number, number>> = { 1: 8, 5: 4 };
const MAX_VARINT_BYTES = 10;

/** Returns the fields of a message. Throws RangeError for bytes that are none. */
export function wireFields(message: Buffer): WireField[] {
  const fields: WireField[] = [];
  for (let at = 0; at < message.length;) {
    const tag = readVarint(message, at);
    const read = readValue(message, tag.end, Number(tag.value & 7n));
    fields.push({ number: Number(tag.value >> 3n), value: read.value });
    at = read.end;
  }
  return fields;
}

/** Returns the varints of a packed field, one behind the other. */
export function packedVarints(bytes: Buffer): bigint[] {
  const values: bigint[] = [];
  for (let at = 0; at < bytes.length;) {
    const read = readVarint(bytes, at);
    values.push(read.value);
    at = read.end;
  }
  return values;
}

type Read<T> = { readonly value: T; readonly end: number };

function readValue(message: Buffer, at: number, type: number): Read<bigint | Buffer> {
  if (type === VARINT) return readVarint(message, at);
  const fixed = FIXED_BYTES[type];
  if (fixed !== undefined) return readBytes(message, at, fixed);
  if (type !== DELIMITED) throw new RangeError(`no field has the type ${type}`);
  const length = readVarint(message, at);
  return readBytes(message, length.end, Number(length.value));
}

function readBytes(message: Buffer, at: number, length: number): Read<Buffer> {
  const end = at + length;
  if (end > message.length) throw new RangeError('a field is longer than its message');
  return { value: message.subarray(at, end), end };
}

function readVarint(message: Buffer, from: number): Read<bigint> {
  let value = 0n;
  for (let at = from; at < from + MAX_VARINT_BYTES; at++) {
    const byte = message[at];
    if (byte === undefined) throw new RangeError('a message ends within a number');
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - from));
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), end: at + 1 };
  }
  throw new RangeError('a number has no end');
}
