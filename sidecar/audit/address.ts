// What is kept of a client's address: all of it, its network, or a hash that nobody can undo once its day
// is over. Clock and randomness are handed in.
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/** As it is; IPv4 to /24 and IPv6 to /48; or a hash under a salt that changes every day. */
export type AddressKind = 'keep' | 'truncate' | 'hash';

/** What is kept of an address, at a time in microseconds since the epoch. */
export type AddressRule = (address: string, atUs: number) => string;

/** The salts of the days. A day is a number: UTC days since the epoch. */
export type Salts = {
  /** Returns a day's salt, made if there is none. */
  of(day: number): KeyObject;
  /**
   * Returns the text to keep, when a salt was made or dropped since the last call: in the transaction
   * of the rows that were hashed, and now and then without rows, or the last salt outlives its time.
   */
  toStore(): string | undefined;
};

const DAY_US = 86_400_000_000;
/** As many as SHA-256 has. */
const SALT_BYTES = 32;
/** 96 bits: two addresses of a day are never one by chance. */
const HASH_CHARS = 16;

/**
 * Returns the rule. But for `keep`, an address is taken in its canonical form (RFC 5952; IPv4 within IPv6
 * as IPv4; without a zone), and what is no address leaves nothing. The same address is the same text,
 * hashed on the same day at least.
 */
export function createAddressRule(kind: AddressKind, salts: Pick<Salts, 'of'>): AddressRule {
  if (kind === 'keep') return (address) => address;
  return (address, atUs) => {
    const canonical = canonicalOf(address);
    if (canonical === undefined) return '';
    if (kind === 'truncate') return networkOf(canonical);
    return hashed(canonical, salts.of(Math.floor(atUs / DAY_US)));
  };
}

function hashed(text: string, salt: KeyObject): string {
  const digest = createHmac('sha256', salt).update(text).digest('base64url');
  return `h:${digest.slice(0, HASH_CHARS)}`;
}

/**
 * Returns the salts of yesterday, today and tomorrow (clocks differ), as they were stored or made anew. A
 * day's salt is dropped when the second day after it begins: there are only 2^32 IPv4 addresses, and
 * whoever has the salt can try them all. A line of another day, as when an old log is read late, gets
 * a salt that is never stored and goes with the present day, or the process: its addresses can be told
 * apart among lines read together, and are otherwise strangers to those of the same day.
 */
export function createSalts(
  stored: string | undefined,
  random: (bytes: number) => Uint8Array,
  /** Microseconds since the epoch. */
  clock: () => number,
): Salts {
  const read = stored === undefined ? new Map<number, KeyObject>() : parseSalts(stored);
  const kept = read ?? new Map<number, KeyObject>();
  const passing = new Map<number, KeyObject>();
  let today: number | undefined;
  // What can't be read is replaced, even if nothing comes in its place.
  let isChanged = read === undefined;

  function turn(): void {
    const now = Math.floor(clock() / DAY_US);
    if (now === today) return;
    today = now;
    passing.clear();
    for (const day of kept.keys()) {
      if (isNear(day, now)) continue;
      kept.delete(day);
      isChanged = true;
    }
  }

  function of(day: number): KeyObject {
    turn();
    const isKept = isNear(day, today ?? day);
    const salts = isKept ? kept : passing;
    const known = salts.get(day);
    if (known !== undefined) return known;
    const made = createSecretKey(random(SALT_BYTES));
    salts.set(day, made);
    isChanged ||= isKept;
    return made;
  }

  function toStore(): string | undefined {
    turn();
    if (!isChanged) return undefined;
    isChanged = false;
    const texts = [...kept].map(([day, salt]) => [day, salt.export().toString('base64url')]);
    return JSON.stringify(Object.fromEntries(texts));
  }

  return { of, toStore };
}

function isNear(day: number, today: number): boolean {
  return Math.abs(day - today) <= 1;
}

/** Returns the salts, or undefined when the text is not what `toStore` makes. */
function parseSalts(text: string): Map<number, KeyObject> | undefined {
  const object = parseObject(text);
  if (object === undefined) return undefined;
  const salts = new Map<number, KeyObject>();
  for (const [day, salt] of Object.entries(object)) {
    if (!/^\d{1,6}$/.test(day) || typeof salt !== 'string') return undefined;
    const bytes = Buffer.from(salt, 'base64url');
    if (bytes.length !== SALT_BYTES || bytes.toString('base64url') !== salt) return undefined;
    salts.set(Number(day), createSecretKey(bytes));
  }
  return salts;
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
/** As the WHATWG's URL writes an IPv4 address within IPv6 (RFC 4291 section 2.5.5.2). */
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

function canonicalOf(address: string): string | undefined {
  const text = address.replace(/%.*$/s, '');
  if (IPV4.test(text)) return text;
  if (!/^[0-9a-f:.]{2,45}$/i.test(text) || !text.includes(':')) return undefined;
  const ipv6 = URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1);
  const mapped = ipv6 === undefined ? null : MAPPED.exec(ipv6);
  if (mapped === null) return ipv6;
  const [high, low] = [groupFrom(mapped[1]), groupFrom(mapped[2])];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

function networkOf(canonical: string): string {
  if (!canonical.includes(':')) return canonical.replace(/\d+$/, '0');
  const [first = 0, second = 0, third = 0] = groupsOf(canonical);
  // In 2002::/16 (6to4, RFC 3056) the next 32 bits are an IPv4 address, all of it.
  const kept = [first, second, first === 0x2002 ? third & 0xff00 : third];
  const text = kept.map((group) => group.toString(16)).join(':');
  return canonicalOf(`${text}::`) ?? '';
}

/** Returns the eight groups of an IPv6 address in canonical form. */
function groupsOf(ipv6: string): number[] {
  const [head = [], tail = []] = ipv6
    .split('::')
    .map((part) => (part === '' ? [] : part.split(':')));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].map(groupFrom);
}

function groupFrom(digits: string | undefined): number {
  return Number.parseInt(digits ?? '0', 16);
}
