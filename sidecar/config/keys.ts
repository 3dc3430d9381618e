// The key ring: what seals stamps and sign-ins. The first key seals, all of them open, so that keys
// can be changed without a break. Made once if there is none; never made anew over one that is there.
import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { draftOf } from '../drafts.ts';
import { Fault } from '../fault.ts';
import { readBounded } from '../otlp/bounded-file.ts';
import type { Secret } from '../secret.ts';

/** At least one key; the first is the one that seals. */
export type Keys = readonly [KeyObject, ...KeyObject[]];

/** Root keys, which are only ever derived from. */
export type KeyRing = {
  readonly keys: Keys;
  /** Something to log about how the ring is kept; it works all the same. */
  readonly warning?: string;
};

/** What a key is for: keys of one purpose are of no use for another. */
export type KeyPurpose = 'stamp' | 'login' | 'chain' | 'session' | 'assertion';

/** What the ring's file is called in the state folder. */
export const KEYS_FILE = 'keys';
/** Of a root key, at least. */
export const MIN_KEY_BYTES = 32;
/** Some thousand keys. */
export const MAX_FILE_BYTES = 65_536;

export type KeyRingOptions = {
  readonly stateFolder: string;
  /** The ring's text, when it is not kept in the state folder. */
  readonly given?: Secret;
  /** A file that is worth nothing without the ring it was made with: beside it none is made anew. */
  readonly neededBy?: string;
};

/**
 * Returns the ring that is given, else the one in the state folder, which is made if it isn't there.
 * @throws {Fault} ERR_KEYS if it can't be read, or holds no sound key.
 */
export function loadKeyRing(options: KeyRingOptions): KeyRing {
  if (options.given !== undefined) return makeRing(options.given.reveal(), 'the given key ring');
  const path = join(options.stateFolder, KEYS_FILE);
  try {
    if (!fs.existsSync(path)) {
      // A new ring would make every line that is not yet read nobody's.
      if (options.neededBy && fs.existsSync(options.neededBy)) throw lostRing(path);
      createFile(options.stateFolder, path);
    }
    const ring = makeRing(readBounded(path, MAX_FILE_BYTES).toString('utf8'), path);
    const mode = fs.statSync(path).mode & 0o077;
    if (mode === 0) return ring;
    return { ...ring, warning: `${path} can be read by others: chmod 600 it, and change the keys` };
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('ERR_KEYS', `the key ring ${path} can't be read or made`, { cause: error });
  }
}

/** Returns a key of 32 bytes for each of the ring's, in its order (HKDF-SHA-256, RFC 5869). Call it once. */
export function deriveKeys({ keys: [first, ...rest] }: KeyRing, purpose: KeyPurpose): Keys {
  const derive = (key: KeyObject) =>
    createSecretKey(Buffer.from(hkdfSync('sha256', key, '', `signet ${purpose} v1`, 32)));
  return [derive(first), ...rest.map(derive)];
}

/**
 * Returns the root keys of a ring's text, or what is wrong with it, without quoting it. One key a
 * line, or between commas: base64 of at least 32 bytes; `#` begins a comment.
 */
export function parseKeys(text: string): { keys: Keys } | { problem: string } {
  const keys: KeyObject[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.replace(/#.*/, '').split(',');
    for (const item of content.map((part) => part.trim()).filter((part) => part !== '')) {
      if (!/^[\w+/-]+={0,2}$/.test(item)) return { problem: `line ${index + 1} is not base64` };
      const bytes = Buffer.from(item, 'base64');
      const size = `${bytes.length} bytes, fewer than ${MIN_KEY_BYTES}`;
      if (bytes.length < MIN_KEY_BYTES) return { problem: `line ${index + 1} has ${size}` };
      keys.push(createSecretKey(bytes));
    }
  }
  const [first, ...rest] = keys;
  return first === undefined ? { problem: 'no key in it' } : { keys: [first, ...rest] };
}

function makeRing(text: string, name: string): KeyRing {
  const parsed = parseKeys(text);
  if ('keys' in parsed) return parsed;
  const mend = 'restore it from a copy; without it, running sessions and unread stamps are lost';
  throw new Fault('ERR_KEYS', `${name} is not a key ring: ${parsed.problem}. ${mend}.`);
}

function lostRing(path: string): Fault {
  const mend =
    'restore it from a copy; to go on without, write a new one: `head -c 32 /dev/urandom | base64`';
  return new Fault('ERR_KEYS', `the key ring ${path} is gone, though its store is there; ${mend}`);
}

/** Whoever starts at the same time ends with the same file: the first link wins, whole or not at all. */
function createFile(folder: string, path: string): void {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = draftOf(path);
  try {
    fs.writeFileSync(draft, freshText(), { flag: 'wx', mode: 0o600, flush: true });
    fs.linkSync(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

function freshText(): string {
  const comment = '# Signet: the first key seals, all of them open. Keep it secret, keep a copy.';
  return `${comment}\n${randomBytes(MIN_KEY_BYTES).toString('base64')}\n`;
}
