// The sessions that end without their person while a page of Signet's own is answered, as when their provider says
// so: the answer's stamp carries their events, so that Caddy's log has them whatever becomes of this process.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { RowIdentity } from './audit/row.ts';
import type { Identity } from './identity/identity.ts';
import { stampedIdentity, type StampedEvent } from './stamp.ts';

/**
 * Longest part of a stamp that tells of them, in bytes of JSON: a header has to hold it. Some 1,200 sessions of one
 * person; what is beyond it is recorded by way of this process's memory only.
 */
export const MAX_ENDED_BYTES = 24 * 1024;

/** Of each session: its hash, in quotes, and a comma. */
const SESSION_BYTES = 19;
/** Of each person, beside who it is: the event's name and its details. */
const EVENT_BYTES = 100;

export type EndedMeanwhile = {
  /** Runs what answers a request. */
  within<T>(answer: () => T): T;
  /** A session has ended; nothing comes of it where no request is answered. */
  note(identity: Identity): void;
  /** Returns the events of those that have ended while this request is answered. */
  events(): readonly StampedEvent[];
};

/** Returns what remembers them. By Node's async context: sessions know nothing of requests. */
export function createEndedMeanwhile(): EndedMeanwhile {
  const requests = new AsyncLocalStorage<Identity[]>();
  return {
    within: (answer) => requests.run([], answer),
    note: (identity) => void requests.getStore()?.push(identity),
    events: () => revoked(requests.getStore() ?? []),
  };
}

/** Returns an event for each person, with the sessions: those of one sign-out are mostly of one. */
function revoked(ended: readonly Identity[]): StampedEvent[] {
  const persons = new Map<string, { identity: RowIdentity; sessions: string[] }>();
  let bytes = 0;
  for (const { sessionHash, ...rest } of ended.map(stampedIdentity)) {
    if (sessionHash === undefined) continue;
    const identity: RowIdentity = rest;
    const spelled = JSON.stringify(identity);
    const known = persons.get(spelled);
    bytes += SESSION_BYTES + (known ? 0 : EVENT_BYTES + Buffer.byteLength(spelled));
    if (bytes > MAX_ENDED_BYTES) break;
    if (known) known.sessions.push(sessionHash);
    else persons.set(spelled, { identity, sessions: [sessionHash] });
  }
  const details = { why: 'provider' };
  return [...persons.values()].map((of) => ({ event: 'session-revoked', details, of }));
}
