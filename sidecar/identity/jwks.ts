// The public keys of one issuer: found by discovery, fetched seldom, kept for a while when the issuer is
// down. Which key a token may use is jose's to say; no token can make this fetch anything but its URL.
import type { CryptoKey, FlattenedJWSInput, JWTHeaderParameters } from 'jose';
import { createLocalJWKSet, errors } from 'jose';
import { Fault, explain } from '../fault.ts';
import type { Fetch } from './bounded-fetch.ts';

export type KeySource = {
  /** Returns jose's key for a token. Throws Fault ERR_PROVIDER when there are no keys to look in. */
  readonly keyFor: (header: JWTHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;
  state(): { ready: boolean; problem?: string };
};

export type KeySourceOptions = {
  readonly issuer: string;
  /** Bounded already. */
  readonly fetch: Fetch;
  readonly now: () => number;
};

/** Keys this old are fetched anew, in the background. */
const FRESH_MS = 600_000;
/** Keys this old are no longer used, even when the issuer can't be reached. */
const STALE_MS = 86_400_000;
/** Between two fetches for keys that are not there, whoever asks. */
const COOL_DOWN_MS = 30_000;
/** Between two fetches while there are no keys at all. */
const RETRY_MS = 1_000;

type Keys = { readonly select: ReturnType<typeof createLocalJWKSet>; readonly atMs: number };

/** Returns the keys of an issuer; the first token fetches them. */
export function createKeySource(options: KeySourceOptions): KeySource {
  const { issuer, now } = options;
  let keys: Keys | undefined;
  let failure: Fault | undefined;
  let triedAtMs = -Infinity;
  let loading: Promise<void> | undefined;

  function load(): Promise<void> {
    triedAtMs = now();
    loading ??= fetchKeys(options)
      .then((select) => {
        keys = { select, atMs: now() };
        failure = undefined;
      })
      .catch((cause: unknown) => {
        failure = new Fault('ERR_PROVIDER', `the keys of ${issuer} can't be had`, { cause });
      })
      .finally(() => (loading = undefined));
    return loading;
  }

  async function current(): Promise<Keys> {
    const ageMs = keys ? now() - keys.atMs : Infinity;
    const waitMs = ageMs < STALE_MS ? COOL_DOWN_MS : RETRY_MS;
    const isDue = ageMs >= FRESH_MS && now() - triedAtMs >= waitMs;
    const reload = isDue ? load() : loading;
    if (ageMs >= STALE_MS) await reload;
    if (keys && now() - keys.atMs < STALE_MS) return keys;
    throw failure ?? new Fault('ERR_PROVIDER', `the keys of ${issuer} are too old to be used`);
  }

  async function keyFor(header: JWTHeaderParameters, token: FlattenedJWSInput) {
    const before = await current();
    try {
      return await before.select(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      if (now() - triedAtMs >= COOL_DOWN_MS) void load();
      await loading;
      if (keys === undefined || keys === before) throw error;
      return keys.select(header, token);
    }
  }

  const state = () =>
    failure ? { ready: keys !== undefined, problem: explain(failure) } : { ready: true };
  return { keyFor, state };
}

async function fetchKeys({ issuer, fetch }: KeySourceOptions): Promise<Keys['select']> {
  const url = await discoverJwksUri(issuer, fetch);
  // createLocalJWKSet checks the shape of what it is given.
  return createLocalJWKSet(
    (await fetchJson(url, fetch)) as Parameters<typeof createLocalJWKSet>[0],
  );
}

async function discoverJwksUri(issuer: string, fetch: Fetch): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const metadata = await fetchJson(url, fetch);
  const isRecord = typeof metadata === 'object' && metadata !== null;
  if (!isRecord || !('issuer' in metadata) || metadata.issuer !== issuer) {
    throw new Fault('ERR_PROVIDER', `${url} is not of this issuer`);
  }
  if ('jwks_uri' in metadata && typeof metadata.jwks_uri === 'string') return metadata.jwks_uri;
  throw new Fault('ERR_PROVIDER', `${url} names no jwks_uri`);
}

async function fetchJson(url: string, fetch: Fetch): Promise<unknown> {
  const response = await fetch(url, { headers: { accept: 'application/json' } });
  if (response.status !== 200) {
    throw new Fault('ERR_PROVIDER', `${url} answered with status ${response.status}`);
  }
  return response.json();
}
