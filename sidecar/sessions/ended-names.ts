// What a provider ended a moment ago, in this process: a sign-in that is still on its way here must not become a
// session. Knows no store.

import { createOnce } from '../identity/once.ts';
import type { SessionName } from './text.ts';

/** As long as a sign-in may be on its way. */
const REMEMBERED_MS = 60_000;

/** Returns what remembers them, in this map. */
export function createEndedNames(untilMs: Map<string, number>, now: () => number) {
  const ended = createOnce(untilMs, now);

  /** Remembers what a provider ended at this time. */
  function add({ issuer, subject, sid }: SessionName, atMs: number): void {
    const remember = (...words: string[]) =>
      ended.add(nameOf(issuer, ...words), atMs + REMEMBERED_MS);
    if (sid !== undefined) remember('sid', sid);
    if (subject === undefined) return;
    remember(sid === undefined ? 'subject' : 'subject without sid', subject);
  }

  /**
   * Whether a sign-in of these names is ended, which the provider was asked about at that time: one of a `sid`
   * whenever it began, one of a subject if it began before. Means whom `isMeant` means.
   */
  function has({ issuer, subject = '', sid }: SessionName, askedAtMs: number): boolean {
    if (sid !== undefined && ended.has(nameOf(issuer, 'sid', sid))) return true;
    const kinds = sid === undefined ? ['subject', 'subject without sid'] : ['subject'];
    return kinds.some((kind) => {
      const name = nameOf(issuer, kind, subject);
      return ended.has(name) && askedAtMs <= (untilMs.get(name) ?? 0) - REMEMBERED_MS;
    });
  }

  return { add, has };
}

function nameOf(issuer: string, ...words: readonly string[]): string {
  return JSON.stringify([issuer, ...words]);
}
