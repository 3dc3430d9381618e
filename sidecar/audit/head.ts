// Signed heads and stubs of a chain (Ed25519, RFC 8032). A head says: this chain had this hash at this
// row, at this time. A stub says: everything up to this row was removed. Pure; keys are handed in.
import { sign, verify } from 'node:crypto';
import type { Columns, Value } from './database.ts';
import { isoTime } from './format-text.ts';
import { isBase64Url, type PublicKeys, type SigningKey } from './signing-key.ts';

type Signed = {
  readonly chain: string;
  readonly sequence: number;
  /** The chain's hash at that row: 64 hex digits, lower case. */
  readonly hash: string;
  readonly keyId: string;
  /** 64 bytes, as base64url. */
  readonly signature: string;
};

/** The chain as it was at one row. */
export type Head = Signed & { readonly signedAtUs: number };

/** What stays of the rows up to `sequence`; `rows` is how many they were. */
export type Stub = Signed & { readonly rows: number; readonly removedAtUs: number };

type Unsigned<T extends Signed> = Omit<T, 'keyId' | 'signature'>;

/** `unknown-key`: it may be good, but the key that would tell is not there. */
export type Signedness = 'signed' | 'unknown-key' | 'forged';

/** Longest published line that is looked at, in characters; ours have about 280. */
export const MAX_HEAD_LINE_CHARS = 16_384;
const SIGNATURE_BYTES = 64;

/** Returns the head with its signature. */
export function signHead(head: Unsigned<Head>, key: SigningKey): Head {
  return { ...head, ...signatureOf(headText(head), key) };
}

/** Returns the stub with its signature. */
export function signStub(stub: Unsigned<Stub>, key: SigningKey): Stub {
  return { ...stub, ...signatureOf(stubText(stub), key) };
}

/** Returns whether one of these keys signed it. Never throws, whatever its fields hold. */
export function isSignedBy(signed: Head | Stub, publicKeys: PublicKeys): Signedness {
  if (!isWellFormed(signed)) return 'forged';
  const text = 'removedAtUs' in signed ? stubText(signed) : headText(signed);
  return signednessOf(text, signed, publicKeys);
}

/** Returns whether one of these keys signed the text. Never throws, whatever the fields hold. */
export function signednessOf(
  text: string,
  { keyId, signature }: { readonly keyId: unknown; readonly signature: unknown },
  publicKeys: PublicKeys,
): Signedness {
  if (!isHex(keyId, 16) || !isBase64Url(signature, SIGNATURE_BYTES)) return 'forged';
  const key = publicKeys.get(keyId);
  if (key === undefined) return 'unknown-key';
  const bytes = Buffer.from(signature, 'base64url');
  return verify(null, Buffer.from(text), key, bytes) ? 'signed' : 'forged';
}

/** Returns the head as one line of JSON, without a newline: what is published. */
export function headLine(head: Head): string {
  return JSON.stringify(headFields(head));
}

/** Returns the fields of a published line; a log line may hold them under `head`. */
export function headFields({ chain, sequence, hash, signedAtUs, keyId, signature }: Head) {
  return { chain, sequence, hash, time: isoTime(signedAtUs), key: keyId, signature };
}

/**
 * Returns the head of a published line, or undefined if it holds none; whether it is signed is another
 * question. Fields besides ours do no harm: a log that took the line in may have added its own.
 */
export function parseHeadLine(text: string): Head | undefined {
  if (text.length > MAX_HEAD_LINE_CHARS) return undefined;
  const line = objectOf(text);
  if (line === undefined) return undefined;
  const fields = isFields(line['head']) ? line['head'] : line;
  const { chain, sequence, hash, time, key, signature } = fields;
  const head = { chain, sequence, hash, signedAtUs: microseconds(time), keyId: key, signature };
  return isWellFormed(head as Head) ? (head as Head) : undefined;
}

/** Returns a head by the store's columns. What is damaged becomes a head that nobody signed. */
export function headFrom(columns: Columns): Head {
  return { ...signedFrom(columns), signedAtUs: Number(columns['signed_at_us']) };
}

/** Returns a stub by the store's columns. What is damaged becomes a stub that nobody signed. */
export function stubFrom(columns: Columns): Stub {
  const rows = Number(columns['rows']);
  return { ...signedFrom(columns), rows, removedAtUs: Number(columns['removed_at_us']) };
}

function signedFrom(columns: Columns): Signed {
  return {
    chain: String(columns['chain']),
    sequence: Number(columns['sequence']),
    hash: textOf(columns['hash'], 'hex'),
    keyId: String(columns['key_id']),
    signature: textOf(columns['signature'], 'base64url'),
  };
}

function textOf(value: Value | undefined, encoding: 'hex' | 'base64url'): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString(encoding) : '';
}

// Each text begins with what it is: a head never passes for a stub.
function headText({ chain, sequence, hash, signedAtUs }: Unsigned<Head>): string {
  return JSON.stringify(['signet head 1', chain, sequence, hash, signedAtUs]);
}

function stubText({ chain, sequence, hash, rows, removedAtUs }: Unsigned<Stub>): string {
  return JSON.stringify(['signet stub 1', chain, sequence, hash, rows, removedAtUs]);
}

/** Returns the signature of a text, as heads, stubs and events have it. */
export function signatureOf(
  text: string,
  { id, privateKey }: SigningKey,
): Pick<Signed, 'keyId' | 'signature'> {
  const signature = sign(null, Buffer.from(text), privateKey).toString('base64url');
  return { keyId: id, signature };
}

function isWellFormed(signed: Head | Stub): boolean {
  const { chain, sequence, hash, keyId } = signed;
  const numbers = 'removedAtUs' in signed ? [signed.rows, signed.removedAtUs] : [signed.signedAtUs];
  return (
    typeof chain === 'string' &&
    isHex(hash, 64) &&
    isHex(keyId, 16) &&
    isBase64Url(signed.signature, SIGNATURE_BYTES) &&
    [sequence, ...numbers].every((number) => Number.isSafeInteger(number) && number >= 0)
  );
}

function isHex(text: unknown, digits: number): text is string {
  return typeof text === 'string' && text.length === digits && /^[0-9a-f]+$/.test(text);
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

// Only what `isoTime` writes, so that the text signed is the one that was signed.
function microseconds(time: unknown): number {
  if (typeof time !== 'string' || !/^\d{4}-[\dT:.-]{21}Z$/.test(time)) return NaN;
  const us = Date.parse(`${time.slice(0, 23)}Z`) * 1000 + Number(time.slice(23, 26));
  return Number.isSafeInteger(us) && us >= 0 && isoTime(us) === time ? us : NaN;
}
