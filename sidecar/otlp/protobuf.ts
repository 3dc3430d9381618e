// Protobuf's wire format, as far as OTLP needs it. Written from the end to the front: the length
// of a message stands before it, and is known only when the message is written. Knows nothing of spans.

/** A message in the making: the bytes from `at` on are written. There is more room when it is needed. */
export type Message = { bytes: Buffer; at: number };

/** Types of a field: how its length is told (protobuf, "Message Structure"). */
const VARINT = 0;
const FIXED_64 = 1;
const DELIMITED = 2;
const FIXED_32 = 5;

/** The longest varint: 64 bits in groups of 7. */
const MAX_VARINT_BYTES = 10;
const TWO_TO_32 = 2 ** 32;
/** Room that an empty message keeps: more than a request that is sent takes. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/** Returns an empty message with room for so many bytes. */
export function createMessage(roomBytes: number): Message {
  return { bytes: Buffer.allocUnsafeSlow(roomBytes), at: roomBytes };
}

/** Makes it empty again; room that only a very long message needed is given back. */
export function emptyMessage(message: Message): void {
  if (message.bytes.length > MAX_KEPT_BYTES) message.bytes = createMessage(MAX_KEPT_BYTES).bytes;
  message.at = message.bytes.length;
}

/** Returns what is written in front of the last `bytesBehind`, without a copy. */
export function writtenBytes({ bytes, at }: Message, bytesBehind = 0): Buffer {
  return bytes.subarray(at, bytes.length - bytesBehind);
}

/** Writes in front of all that came since `bytesBehind` that it is one field: a text, bytes, a message. */
export function wrapField(message: Message, field: number, bytesBehind: number): void {
  writeVarint(message, bytesIn(message) - bytesBehind);
  writeTag(message, field, DELIMITED);
}

/** Returns how many bytes are written: what `wrapField` wants to know. */
export function bytesIn({ bytes, at }: Message): number {
  return bytes.length - at;
}

/** Writes bytes as they are, such as whole fields that were written before. */
export function writeBytes(message: Message, bytes: Uint8Array): void {
  makeRoom(message, bytes.length);
  message.at -= bytes.length;
  message.bytes.set(bytes, message.at);
}

/** Writes a text in UTF-8; half of a surrogate pair becomes U+FFFD. */
export function writeText(message: Message, field: number, text: string): void {
  makeRoom(message, text.length);
  const behind = bytesIn(message);
  const { bytes } = message;
  let { at } = message;
  // Most are short and ASCII: a loop takes half as long as a call of Buffer's (23 ns, 56 ns).
  for (let index = text.length - 1; index >= 0; index--) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return writeUnicode(message, field, text);
    bytes[--at] = code;
  }
  message.at = at;
  wrapField(message, field, behind);
}

function writeUnicode(message: Message, field: number, text: string): void {
  const behind = bytesIn(message);
  writeBytes(message, Buffer.from(text));
  wrapField(message, field, behind);
}

/** Writes the bytes that pairs of hex digits stand for. */
export function writeHex(message: Message, field: number, digits: string): void {
  makeRoom(message, digits.length);
  const behind = bytesIn(message);
  for (let index = digits.length - 2; index >= 0; index -= 2) {
    const high = digitOf(digits.charCodeAt(index));
    message.bytes[--message.at] = (high << 4) | digitOf(digits.charCodeAt(index + 1));
  }
  wrapField(message, field, behind);
}

// `0` is 0x30, `A` is 0x41, `a` is 0x61: the last four bits count, from 0 or from 1.
function digitOf(code: number): number {
  return (code & 0xf) + (code > 0x39 ? 9 : 0);
}

/** Writes a whole number, from -2^63 on and below 2^63. */
export function writeInteger(message: Message, field: number, value: number): void {
  if (value < 0) writeNegative(message, value);
  else writeVarint(message, value);
  writeTag(message, field, VARINT);
}

// In two's complement of 64 bits: always as long as can be.
function writeNegative(message: Message, value: number): void {
  makeRoom(message, MAX_VARINT_BYTES);
  message.at -= MAX_VARINT_BYTES;
  let rest = BigInt.asUintN(64, BigInt(value));
  for (let index = 0; index < MAX_VARINT_BYTES - 1; index++, rest >>= 7n) {
    message.bytes[message.at + index] = Number(rest & 0x7fn) | 0x80;
  }
  message.bytes[message.at + MAX_VARINT_BYTES - 1] = Number(rest);
}

/** Writes a number as IEEE 754 has it. */
export function writeDouble(message: Message, field: number, value: number): void {
  makeRoom(message, 8);
  message.at -= 8;
  message.bytes.writeDoubleLE(value, message.at);
  writeTag(message, field, FIXED_64);
}

/** Writes whole microseconds as nanoseconds, which have more bits than a number: in two halves. */
export function writeNanoseconds(message: Message, field: number, us: number): void {
  const low = (us % TWO_TO_32) * 1000;
  const high = Math.floor(us / TWO_TO_32) * 1000 + Math.floor(low / TWO_TO_32);
  writeFourBytes(message, high);
  writeFourBytes(message, low);
  writeTag(message, field, FIXED_64);
}

/** Writes a whole number, from 0 on and below 2^53, in eight bytes. */
export function writeFixed64(message: Message, field: number, value: number): void {
  writeFourBytes(message, Math.floor(value / TWO_TO_32));
  writeFourBytes(message, value % TWO_TO_32);
  writeTag(message, field, FIXED_64);
}

/** Writes a whole number in four bytes: its last 32 bits. */
export function writeFixed32(message: Message, field: number, value: number): void {
  writeFourBytes(message, value);
  writeTag(message, field, FIXED_32);
}

function writeFourBytes(message: Message, value: number): void {
  makeRoom(message, 4);
  message.at -= 4;
  const { bytes, at } = message;
  // A byte takes the last eight bits of what it is given.
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function writeTag(message: Message, field: number, type: number): void {
  writeVarint(message, (field << 3) | type);
}

function writeVarint(message: Message, value: number): void {
  if (value < 0x80 && message.at > 0) message.bytes[--message.at] = value;
  else writeLongVarint(message, value);
}

// Divided, not shifted: it may have more than 32 bits.
function writeLongVarint(message: Message, value: number): void {
  makeRoom(message, MAX_VARINT_BYTES);
  let at = (message.at -= varintBytes(value));
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) message.bytes[at++] = (rest % 0x80) | 0x80;
  message.bytes[at] = rest;
}

function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) count += 1;
  return count;
}

function makeRoom(message: Message, roomBytes: number): void {
  if (message.at >= roomBytes) return;
  const written = writtenBytes(message);
  const larger = createMessage(2 * message.bytes.length + roomBytes);
  larger.at -= written.length;
  written.copy(larger.bytes, larger.at);
  message.bytes = larger.bytes;
  message.at = larger.at;
}
