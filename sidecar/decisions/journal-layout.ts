// The bytes of a journal of decisions: a header, then a ring of slots, each of which proves itself by a
// checksum, so that a torn one is noticed. In the machine's own byte order: a journal stays where it was
// written. No I/O.
import type { Decision } from '../policy/reason.ts';

/** One decision of the gate, as far as its journal holds it. */
export type Noted = {
  /** From 1, in the order of decisions; of one boot of the gate. */
  readonly number: number;
  /** A UUID: up to 36 bytes. */
  readonly requestId: string;
  readonly startedAtUs: number;
  readonly decision: Decision;
  /** Cut to 48 bytes. */
  readonly route: string;
  /** Cut to what the route leaves of 132 bytes. */
  readonly user?: string | undefined;
};

/** The header's part of the file, in bytes: one sector. */
export const HEADER_BYTES = 512;
/** One slot, in bytes. */
export const SLOT_BYTES = 192;
/** Most slots that a journal is believed to have: a reader takes all of them into memory. */
export const MAX_SLOTS = 65_536;

const SLOT_WORDS = SLOT_BYTES / Uint32Array.BYTES_PER_ELEMENT;
const SLOT_NUMBERS = SLOT_BYTES / Float64Array.BYTES_PER_ELEMENT;

// A slot: number, start, decision, three lengths, request id, route and user one after the other, checksum.
const DECISION_AT = 16;
const ID_LENGTH_AT = 17;
const ROUTE_LENGTH_AT = 18;
const USER_LENGTH_AT = 19;
const ID_AT = 20;
const ID_BYTES = 36;
const TEXT_AT = ID_AT + ID_BYTES;
const TEXT_BYTES = SLOT_BYTES - TEXT_AT - Uint32Array.BYTES_PER_ELEMENT;
const ROUTE_BYTES = 48;
/** The length of a user that there isn't. */
const NOBODY = 0xff;

// Part of the layout: a journal outlives an update of Signet.
const DECISION_CODES: Record<Decision, number> = { allow: 1, login: 2, deny: 3, none: 4 };
const DECISION_OF = new Map(
  Object.entries(DECISION_CODES).map(([decision, code]) => [code, decision as Decision]),
);

/** The slots in memory, seen as bytes, as 32-bit words and as 64-bit numbers. */
export type Ring = {
  readonly slots: number;
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  readonly numbers: Float64Array;
};

/** Returns a ring of zeros: nothing is noted. */
export function createRing(slots: number): Ring {
  const memory = new ArrayBuffer(slots * SLOT_BYTES);
  return {
    slots,
    bytes: Buffer.from(memory),
    words: new Uint32Array(memory),
    numbers: new Float64Array(memory),
  };
}

/** Puts a decision into its slot, in the place of the one that was there a round before. */
export function encodeSlot({ slots, bytes, words, numbers }: Ring, noted: Noted): void {
  const index = noted.number % slots;
  const at = index * SLOT_BYTES;
  const word = index * SLOT_WORDS;
  words.fill(0, word, word + SLOT_WORDS);
  numbers[index * SLOT_NUMBERS] = noted.number;
  numbers[index * SLOT_NUMBERS + 1] = noted.startedAtUs;
  bytes[at + DECISION_AT] = DECISION_CODES[noted.decision];
  // `write` stops in front of a character that doesn't fit as a whole.
  bytes[at + ID_LENGTH_AT] = bytes.write(noted.requestId, at + ID_AT, ID_BYTES);
  const route = bytes.write(noted.route, at + TEXT_AT, ROUTE_BYTES);
  bytes[at + ROUTE_LENGTH_AT] = route;
  bytes[at + USER_LENGTH_AT] =
    noted.user === undefined
      ? NOBODY
      : writeWhole(bytes, noted.user, at + TEXT_AT + route, TEXT_BYTES - route);
  words[word + SLOT_WORDS - 1] = checksum(words, word, SLOT_WORDS - 1);
}

// A part of a name could be another's, and would not be found when its owner is to be forgotten.
function writeWhole(bytes: Buffer, user: string, at: number, room: number): number {
  const fits = user.length * 3 <= room || Buffer.byteLength(user) <= room;
  return fits ? bytes.write(user, at, room) : NOBODY;
}

/** Returns the number in a slot without a look at the rest of it; 0 when nothing was ever noted there. */
export function numberIn({ numbers }: Ring, index: number): number {
  return numbers[index * SLOT_NUMBERS] ?? 0;
}

/** Returns the decision in a slot; undefined when there is none, or not all of it. */
export function decodeSlot(ring: Ring, index: number): Noted | undefined {
  const { bytes, numbers } = ring;
  if (!isWhole(ring, index)) return undefined;
  const at = index * SLOT_BYTES;
  const decision = DECISION_OF.get(bytes[at + DECISION_AT] ?? 0);
  if (decision === undefined) return undefined;
  const routeAt = at + TEXT_AT;
  const userAt = routeAt + (bytes[at + ROUTE_LENGTH_AT] ?? 0);
  const user = bytes[at + USER_LENGTH_AT] ?? NOBODY;
  return {
    number: numberIn(ring, index),
    requestId: textAt(bytes, at + ID_AT, bytes[at + ID_LENGTH_AT] ?? 0),
    startedAtUs: numbers[index * SLOT_NUMBERS + 1] ?? 0,
    decision,
    route: textAt(bytes, routeAt, userAt - routeAt),
    ...(user !== NOBODY && { user: textAt(bytes, userAt, user) }),
  };
}

/** Returns whether a slot holds a decision, all of it, and one whose place this is. */
export function isWhole(ring: Ring, index: number): boolean {
  const number = numberIn(ring, index);
  if (number < 1 || number % ring.slots !== index) return false;
  const { words } = ring;
  const word = index * SLOT_WORDS;
  return words[word + SLOT_WORDS - 1] === checksum(words, word, SLOT_WORDS - 1);
}

/** What stands at the head of a journal. */
export type Header = {
  readonly bootId: string;
  /** The kernel's boot (Linux: /proc/sys/kernel/random/boot_id); empty where that isn't known. */
  readonly machineBootId: string;
  readonly slots: number;
  readonly createdAtUs: number;
};

const MAGIC = 'signet decisions';
const LAYOUT_VERSION = 1;
const HEADER_WORDS = HEADER_BYTES / Uint32Array.BYTES_PER_ELEMENT;
const BOOT_AT = 64;
const MACHINE_AT = 128;
const BOOT_BYTES = 64;

/** Returns the header's bytes. Ids are up to 64 bytes long. */
export function encodeHeader(header: Header): Buffer {
  const bytes = Buffer.from(new ArrayBuffer(HEADER_BYTES));
  const words = new Uint32Array(bytes.buffer);
  bytes.write(MAGIC);
  words.set([LAYOUT_VERSION, SLOT_BYTES, header.slots], 4);
  new Float64Array(bytes.buffer)[4] = header.createdAtUs;
  bytes.write(header.bootId, BOOT_AT, BOOT_BYTES);
  bytes.write(header.machineBootId, MACHINE_AT, BOOT_BYTES);
  words[HEADER_WORDS - 1] = checksum(words, 0, HEADER_WORDS - 1);
  return bytes;
}

/** Returns the header, or why it is none. */
export function decodeHeader(bytes: Buffer): Header | { readonly problem: string } {
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    return { problem: 'is no journal of decisions' };
  }
  const memory = new Uint8Array(bytes.subarray(0, HEADER_BYTES)).buffer; // aligned
  const words = new Uint32Array(memory);
  const [version, slotBytes = 0, slots = 0] = words.subarray(4);
  if (version !== LAYOUT_VERSION) return { problem: 'has a layout of another version of Signet' };
  if (words[HEADER_WORDS - 1] !== checksum(words, 0, HEADER_WORDS - 1)) {
    return { problem: 'has a damaged header' };
  }
  if (slotBytes !== SLOT_BYTES || slots < 1 || slots > MAX_SLOTS) {
    return { problem: 'has slots of a size or count that it cannot have' };
  }
  return {
    bootId: paddedAt(bytes, BOOT_AT),
    machineBootId: paddedAt(bytes, MACHINE_AT),
    slots,
    createdAtUs: new Float64Array(memory)[4] ?? 0,
  };
}

// FNV-1a by words, with a shift so that high bits reach low ones, too: against torn writes, not against
// people. Who can write to the state folder can write anything.
function checksum(words: Uint32Array, from: number, count: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < from + count; at++) {
    hash = Math.imul(hash ^ (words[at] ?? 0), 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

function textAt(bytes: Buffer, from: number, length: number): string {
  return bytes.toString('utf8', from, from + length);
}

function paddedAt(bytes: Buffer, from: number): string {
  const end = bytes.indexOf(0, from);
  return textAt(
    bytes,
    from,
    (end < 0 ? from + BOOT_BYTES : Math.min(end, from + BOOT_BYTES)) - from,
  );
}
