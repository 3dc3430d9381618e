// Sign-ins that a provider ended a moment ago, in this process: one that is still on its way here must not become
// a session. Knows no store.

import { createOnce } from '../identity/once.ts';

/** As long as a sign-in may be on its way. */
const REMEMBERED_MS = 60_000;

/** One sign-in at a provider. */
export type Sid = { readonly issuer: string; readonly sid: string };

/** Returns what remembers them, in this map. */
export function createEndedSids(untilMs: Map<string, number>, now: () => number) {
  const ended = createOnce(untilMs, now);
  return {
    add: (sid: Sid, atMs: number) => ended.add(nameOf(sid), atMs + REMEMBERED_MS),
    has: (sid: Sid) => ended.has(nameOf(sid)),
  };
}

function nameOf({ issuer, sid }: Sid): string {
  return JSON.stringify([issuer, sid]);
}
