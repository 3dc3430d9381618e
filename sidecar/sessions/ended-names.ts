// What a provider ended a moment ago, in this process: a sign-in that is still on its way here must not become a
// session. Knows no store.
import { hash } from 'node:crypto';
import { MAX_REMEMBERED } from '../identity/once.ts';
import type { SessionName } from './text.ts';

/** As long as a sign-in may be on its way. */
const REMEMBERED_MS = 60_000;

type Ended = { readonly begunByMs: number; readonly untilMs: number };

/** By issuer, so that none pushes out another's; then by the hash of the name, which may be long. */
export type EndedNames = Map<string, Map<string, Ended>>;

/** Returns what remembers them, in this map. */
export function createEndedNames(ended: EndedNames, now: () => number) {
  /** Remembers from now on that a provider ended what began by this time. */
  function add({ issuer, subject, sid }: SessionName, begunByMs: number): void {
    if (sid !== undefined) remember(issuer, keyOf('sid', sid), begunByMs);
    if (subject === undefined) return;
    remember(
      issuer,
      keyOf(sid === undefined ? 'subject' : 'subject without sid', subject),
      begunByMs,
    );
  }

  function remember(issuer: string, key: string, begunByMs: number): void {
    // An older token may come later.
    const latestMs = Math.max(begunByMs, find(issuer, key)?.begunByMs ?? -Infinity);
    const ofIssuer = ended.get(issuer) ?? new Map<string, Ended>();
    ended.set(issuer, ofIssuer);
    // Anew, so that the first of the map is the oldest.
    ofIssuer.delete(key);
    const oldest = ofIssuer.entries().next().value;
    const isPast = oldest !== undefined && oldest[1].untilMs < now();
    if (oldest && (isPast || ofIssuer.size >= MAX_REMEMBERED)) ofIssuer.delete(oldest[0]);
    ofIssuer.set(key, { begunByMs: latestMs, untilMs: now() + REMEMBERED_MS });
  }

  /** What lies further ahead is of a clock that was set back since: it would end sign-ins for as long. */
  function find(issuer: string, key: string): Ended | undefined {
    const found = ended.get(issuer)?.get(key);
    if (found === undefined) return undefined;
    const leftMs = found.untilMs - now();
    if (leftMs > 0 && leftMs <= 2 * REMEMBERED_MS) return found;
    ended.get(issuer)?.delete(key);
    return undefined;
  }

  /**
   * Whether a sign-in of these names is ended, which the provider was asked about at that time: one of a `sid`
   * whenever it began, one of a subject if it began before. Means whom `isMeant` means.
   */
  function has({ issuer, subject = '', sid }: SessionName, askedAtMs: number): boolean {
    if (sid !== undefined && find(issuer, keyOf('sid', sid)) !== undefined) return true;
    const kinds = sid === undefined ? ['subject', 'subject without sid'] : ['subject'];
    return kinds.some(
      (kind) => askedAtMs <= (find(issuer, keyOf(kind, subject))?.begunByMs ?? -Infinity),
    );
  }

  return { add, has };
}

function keyOf(...words: readonly string[]): string {
  return hash('sha256', JSON.stringify(words), 'base64url');
}
