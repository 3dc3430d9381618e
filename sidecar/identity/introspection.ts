// Opaque tokens: their issuer is asked about each (RFC 7662), seldom, and never about one token twice at
// once. What it answers is judged in introspected.ts.
import { Fault, explain } from '../fault.ts';
import type { BearerIssuer, IntrospectionClient } from './bearer-issuer.ts';
import type { Fetch } from './bounded-fetch.ts';
import type { Identity } from './identity.ts';
import { judgeIntrospected } from './introspected.ts';
import { askIntrospection, introspectionEndpoint } from './introspection-call.ts';
import { createSeldomFetched } from './seldom-fetched.ts';
import type { TokenRefusal } from './token-claims.ts';

type Verified = Identity | TokenRefusal;

export type Introspection = {
  /** Returns whose token this is, by an answer of at most `cacheMs` ago; `key` is the token's hash. */
  verify(token: string, key: string): Verified | Promise<Verified>;
  /** Not ready while the issuer can't be asked, or does not take us as its client. */
  state(): { ready: boolean; problem?: string };
};

export type IntrospectionOptions = {
  readonly issuer: BearerIssuer;
  readonly client: IntrospectionClient;
  /** Bounded already. */
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly maxCached: number;
};

const CACHE_MS = 30_000;
/** A refusal holds this long: who has just been given a token need not wait, who guesses need not be asked about. */
const REFUSED_MS = 5_000;
/** Questions under way at once: beyond it the issuer is down, or somebody tries tokens that he made up. */
export const MAX_ASKED = 64;
/** Of these, so many are for tokens that were active before: who made his up can't shut out those who are in. */
export const KEPT_FOR_KNOWN = 16;
/** Refusals kept; those that are made up must not push out the others. */
export const MAX_REFUSED = 1_000;

/** Returns what asks one issuer about its tokens; the first token finds the endpoint. */
export function createIntrospection(options: IntrospectionOptions): Introspection {
  const { issuer, client, fetch, now } = options;
  const { cacheMs = CACHE_MS } = client;
  const endpoint = createSeldomFetched({
    what: `the introspection endpoint of ${issuer.issuer}`,
    fetch: () => introspectionEndpoint(issuer.issuer, fetch),
    now,
  });
  const accepted = createAnswers<Identity>(options.maxCached, now);
  const refused = createAnswers<TokenRefusal>(MAX_REFUSED, now);
  const asked = new Map<string, Promise<Verified>>();
  let failure: Fault | undefined;

  function verify(token: string, key: string): Verified | Promise<Verified> {
    return accepted.of(key) ?? refused.of(key) ?? asked.get(key) ?? ask(token, key);
  }

  function ask(token: string, key: string): Promise<Verified> {
    const places = accepted.knows(key) ? MAX_ASKED : MAX_ASKED - KEPT_FOR_KNOWN;
    if (asked.size >= places) {
      const problem = `${issuer.issuer} is being asked about ${places} tokens at once, and no more`;
      return Promise.reject(new Fault('ERR_PROVIDER', problem));
    }
    const answer = askNow(token, key).finally(() => asked.delete(key));
    asked.set(key, answer);
    return answer;
  }

  // An answer holds from when it was asked for: what is revoked while it travels is refused in time, too.
  async function askNow(token: string, key: string): Promise<Verified> {
    const atMs = now();
    const verified = judgeIntrospected(await claimsOf(token), issuer, now());
    if ('refused' in verified) refuse(key, verified, atMs);
    else accepted.keep(key, verified, atMs, Math.min(cacheMs, verified.expiresAtMs - atMs));
    return verified;
  }

  function refuse(key: string, refusal: TokenRefusal, atMs: number): void {
    accepted.forget(key);
    refused.keep(key, refusal, atMs, Math.min(cacheMs, REFUSED_MS));
  }

  // An answer that is about this one token says nothing of how the issuer is.
  async function claimsOf(token: string) {
    const said = await askAbout(token);
    if ('declined' in said) throw said.declined;
    failure = undefined;
    return said.claims;
  }

  async function askAbout(token: string) {
    try {
      return await askIntrospection(await endpoint.current(), client, token, fetch);
    } catch (error) {
      if (error instanceof Fault) failure = error;
      throw error;
    }
  }

  return { verify, state: () => standing(failure, endpoint.state()) };
}

type State = { ready: boolean; problem?: string };

// Without an endpoint nothing could be asked; with one, the last question tells more.
function standing(failure: Fault | undefined, endpoint: State): State {
  return failure === undefined ? endpoint : { ready: false, problem: explain(failure) };
}

type Answers<T> = {
  of(key: string): T | undefined;
  /** Whether there was one, even if it no longer holds. */
  knows(key: string): boolean;
  forget(key: string): void;
  keep(key: string, value: T, fromMs: number, forMs: number): void;
};

// The oldest goes first. A clock that was set back ends what it had begun.
function createAnswers<T>(max: number, now: () => number): Answers<T> {
  const kept = new Map<string, { value: T; fromMs: number; untilMs: number }>();
  return {
    of(key) {
      const one = kept.get(key);
      const isGood = one !== undefined && one.fromMs <= now() && now() < one.untilMs;
      return isGood ? one.value : undefined;
    },
    knows: (key) => kept.has(key),
    forget: (key) => void kept.delete(key),
    keep(key, value, fromMs, forMs) {
      kept.delete(key);
      if (kept.size >= max) kept.delete(kept.keys().next().value ?? '');
      kept.set(key, { value, fromMs, untilMs: fromMs + forMs });
    },
  };
}
