// Sign-ins that a provider ended a moment ago, in this process: one that is still on its way here must not become
// a session. Knows no store.

/** As long as a sign-in may be on its way. */
const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 1_000;

/** One sign-in at a provider. */
export type Sid = { readonly issuer: string; readonly sid: string };

/** Returns what remembers them, in this map. */
export function createEndedSids(untilMs: Map<string, number>) {
  // Anew, so that the first of the map is the oldest.
  function add(ended: Sid, atMs: number): void {
    untilMs.delete(nameOf(ended));
    if (untilMs.size >= MAX_REMEMBERED) untilMs.delete(untilMs.keys().next().value ?? '');
    untilMs.set(nameOf(ended), atMs + REMEMBERED_MS);
  }

  const has = (begun: Sid, nowMs: number) => nowMs < (untilMs.get(nameOf(begun)) ?? 0);

  return { add, has };
}

function nameOf({ issuer, sid }: Sid): string {
  return JSON.stringify([issuer, sid]);
}
