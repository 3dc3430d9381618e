// The sessions of an installation for `signet sessions` and `signet keys`: the store, the keys that open it, and
// the audit store that is told of what was ended.
import type { KeyObject } from 'node:crypto';
import { recordEvent } from './audit/record-event.ts';
import type { EventRow } from './audit/row.ts';
import type { SessionsAccess } from './commands/sessions.ts';
import type { ListedSession, Recorded } from './commands/sessions-end.ts';
import type { OpenedSession } from './commands/sessions-text.ts';
import type { SessionStore } from './sessions/store.ts';
import { openPayload, openSession } from './sessions/text.ts';
import { ownChain, writing, type Whereabouts } from './report/whereabouts.ts';
import { openAuditReader } from './audit/open.ts';
import { stampedIdentity } from './stamp.ts';

/** Sessions that are asked for at once. */
const PAGE = 500;

export type AccessParts = {
  readonly store: SessionStore;
  /** Of the purpose `session`, the sealing one first. */
  readonly keys: readonly KeyObject[];
  readonly where: Whereabouts;
  /** Microseconds since the epoch. */
  readonly clock: () => number;
  /** Who ends sessions here: a user of this machine. */
  readonly by: string;
};

/** Returns the access; that the store can't be had shows when it is asked. Each is one attempt to end sessions. */
export function openAccess({ store, keys, where, clock, by }: AccessParts): SessionsAccess {
  const attempt = clock();
  return {
    list: () => listed(store, keys),
    tryWriting: () => store.tryWriting(),
    removeAll: async (keys) => (await store.removeAll(keys)).length,
    record: (sessions, as) => {
      // First what tells whether they have ended: a table cuts off the last.
      const details = { ...(as !== 'afterwards' && { recorded: as }), why: 'command', by };
      const eventFor = (session: OpenedSession) =>
        eventOf(session, idOf(session, as, attempt), clock(), details);
      return record(where, sessions.map(eventFor));
    },
    close: () => store.close(),
  };
}

/** Returns how many sessions only the key at this place of the ring opens. */
export async function countSealedBy(
  store: SessionStore,
  key: KeyObject | undefined,
): Promise<number> {
  let count = 0;
  for await (const stored of all(store)) {
    if (key && openPayload(stored.key, stored.payload, [key]) !== undefined) count += 1;
  }
  return count;
}

async function* listed(
  store: SessionStore,
  keys: readonly KeyObject[],
): AsyncGenerator<ListedSession> {
  for await (const stored of all(store)) {
    yield { key: stored.key, opened: openSession(stored, keys) };
  }
}

async function* all(store: SessionStore) {
  let after: string | undefined;
  for (;;) {
    const page = await store.list(after, PAGE);
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)?.key;
  }
}

async function record(where: Whereabouts, events: readonly EventRow[]): Promise<void> {
  if (events.length === 0) return;
  const reader = await openAuditReader(where.place);
  try {
    const chain = await ownChain(where, reader);
    await writing(where, chain, (database) => recordEvent(database, chain, ...events));
  } finally {
    await reader.close();
  }
}

function eventOf(
  { identity, sessionHash }: OpenedSession,
  requestId: string,
  nowUs: number,
  details: EventRow['details'],
): EventRow {
  return {
    kind: 'event',
    requestId,
    event: 'session-revoked',
    details,
    startedAtUs: nowUs,
    identity: stampedIdentity({ ...identity, sessionHash }),
  };
}

// Only an end that was made has the session's own id, which is recorded once: what is recorded beforehand may come
// to nothing, and must not keep out the next attempt, or the provider's end.
function idOf({ sessionHash }: OpenedSession, as: Recorded, attempt: number): string {
  const own = `session-revoked:${sessionHash}`;
  return as === 'afterwards' ? own : `${own}:${attempt}:${as}`;
}
