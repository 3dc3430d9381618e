// What the fuzzing starts from: lines as Caddy writes them, with the stamps that were sealed for them.
// Everything comes from a seed.
import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import { sealStamp, stampedIdentity, type Stamp } from '../../sidecar/stamp.ts';
import { identity } from '../fixtures/identities.ts';
import { aCaddyLine, aCaddyRequest } from '../fixtures/lines.ts';
import type { Random } from '../fixtures/random.ts';
import { sealVersion1, stamp } from '../fixtures/stamps.ts';

/** When everything happens: microseconds since the epoch. */
export const NOW_US = 1_795_180_000_000_000;

export type World = {
  /** The ring: each of them has sealed. */
  readonly keys: readonly KeyObject[];
  /** In no ring. */
  readonly foreignKey: KeyObject;
  /** Stamps sealed by the ring → the request that they were sealed for. */
  readonly sealed: ReadonlyMap<string, string>;
  readonly stamps: readonly string[];
  readonly requestIds: readonly string[];
  /** Without their newlines. */
  readonly lines: readonly Buffer[];
};

const LINES = 300;

/** What clients send, users are called, and so on. */
const TEXTS = [
  '',
  'x',
  'a b',
  '"',
  '\\',
  '\\"',
  '","stamp":"1.e30.x","a":"',
  '{"level":"info","ts":1}',
  '\n',
  '\u0000\u001b[31m',
  'ü€😀',
  '\ud800',
  '__proto__',
  'x'.repeat(300),
];

/** Returns a world of its own for each seed that `random` was made with. */
export function makeWorld(random: Random): World {
  const [key, older, foreignKey] = ['key', 'older', 'foreign'].map((name) =>
    createSecretKey(
      createHash('sha256')
        .update(`${name} ${random.below(2 ** 32)}`)
        .digest(),
    ),
  ) as [KeyObject, KeyObject, KeyObject];
  const keys = [key, older];
  const requestIds = Array.from({ length: LINES }, () => requestIdOf(random));
  const sealed = new Map<string, string>();
  const lines = requestIds.map((requestId, number) => {
    const seal = random.below(4) > 0 ? sealStamp : sealVersion1;
    const text = seal(aStamp(random, requestId, number), keys[random.below(2)] ?? key);
    sealed.set(text, requestId);
    return Buffer.from(JSON.stringify(aLine(random, requestId, text)));
  });
  return { keys, foreignKey, sealed, stamps: [...sealed.keys()], requestIds, lines };
}

/** Returns one of the items. */
export function oneOf<T>(random: Random, items: readonly T[]): T {
  return items[random.below(items.length)] as T;
}

/** Returns a stamp for a request, with a caller of any name. */
export function aStamp(random: Random, requestId: string, number: number): Stamp {
  const name = () => oneOf(random, TEXTS);
  const who = identity({ user: name(), subject: name(), team: name(), roles: [name(), name()] });
  const gate = { bootId: 'boot-1', number, startedAtUs: NOW_US - 5000, durationUs: 60 };
  const changes = { requestId, gate, route: name(), userAgent: name() };
  if (random.below(4) > 0) return stamp({ ...changes, identity: stampedIdentity(who) });
  const { identity: _nobody, ...anonymous } = stamp(changes);
  return anonymous;
}

function aLine(random: Random, uuid: string, sealed: string): Record<string, unknown> {
  const uri = `/${oneOf(random, TEXTS)}`;
  const headers = random.below(3) > 0 ? {} : { headers: { 'User-Agent': [oneOf(random, TEXTS)] } };
  const tls = random.below(2) > 0 ? {} : { tls: { resumed: false, version: 772, ech: false } };
  const times = random.below(5) > 0 ? {} : { duration: 0, status: 0, upstream_duration_ms: null };
  const stamped = random.below(10) > 0 ? { stamp: sealed } : { stamp: '' };
  return aCaddyLine({
    request: aCaddyRequest({ uri, ...headers, ...tls }),
    user_id: oneOf(random, TEXTS),
    uuid,
    ...stamped,
    ...times,
  });
}

function requestIdOf(random: Random): string {
  const digits = Array.from({ length: 32 }, () => random.below(16).toString(16)).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
