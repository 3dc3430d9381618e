// What the recorder tells of each start, and of each configuration that is taken over: that the store was
// opened, and what is not as it was when it was opened last: keys and settings, by name only.
import type { AuditStore, Batch } from './audit/store.ts';
import type { EventName } from './audit/event.ts';
import type { EventRow } from './audit/row.ts';

/** What this start, or this configuration, is like. */
export type Opening = {
  /** Of the gate: a store that is opened again in the same run is no event. */
  readonly bootId: string;
  readonly version: string;
  /** How many configurations this run took over before this one. */
  readonly reloads: number;
  /** Ids of the ring's keys, the sealing one first. */
  readonly keyIds: readonly string[];
  /** Setting → fingerprint of its value, under each key of the ring, in its order. */
  readonly settings: readonly Fingerprints[];
  /** Sentences about sessions that are open, and not what a sign-in is by this configuration. */
  readonly sessions?: readonly string[];
};

type Fingerprints = Readonly<Record<string, string>>;

/** Names of the notes that hold what was the last time. */
const KEYS = 'keys';
const SETTINGS = 'settings';

/** Records the start. */
export async function recordOpening(
  store: Pick<AuditStore, 'note' | 'commit'>,
  opening: Opening,
  nowUs: number,
): Promise<void> {
  const { bootId, version, keyIds, settings, reloads, sessions = [] } = opening;
  const run = reloads === 0 ? bootId : `${bootId}:${reloads}`;
  const event = (name: EventName, details: EventRow['details']): EventRow => {
    return {
      kind: 'event',
      requestId: `${name}:${name === 'store-opened' ? bootId : run}`,
      event: name,
      details,
      startedAtUs: nowUs,
    };
  };
  const [keysBefore, settingsBefore] = [await store.note(KEYS), await store.note(SETTINGS)];
  const before = keysBefore?.split(' ');
  const keys = before && keyChange(before, keyIds);
  // By the key that they were fingerprinted with then, which may not be the first one any more.
  const now = settings[keyIds.indexOf(before?.[0] ?? '')];
  const changed = settingsBefore === undefined ? '' : changedNames(parsed(settingsBefore), now);
  const details = { changed, ...(sessions.length > 0 && { sessions: sessions.join('. ') }) };
  const batch: Batch = {
    rows: [
      event('store-opened', { boot: bootId, version }),
      ...(keys ? [event('key-ring-changed', keys)] : []),
      ...(changed === '' ? [] : [event('configuration-changed', details)]),
    ],
    notes: { [KEYS]: keyIds.join(' '), [SETTINGS]: JSON.stringify(settings[0]) },
  };
  await store.commit(batch);
}

function keyChange(
  before: readonly string[],
  now: readonly string[],
): EventRow['details'] | undefined {
  if (before.join() === now.join()) return undefined;
  return {
    seals: now[0] ?? '',
    added: now.filter((id) => !before.includes(id)).join(' '),
    removed: before.filter((id) => !now.includes(id)).join(' '),
  };
}

function changedNames(before: Fingerprints, now: Fingerprints | undefined): string {
  // With another key everything would seem to have changed.
  if (now === undefined) return 'unknown: the key that could tell is not in the key ring any more';
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names]
    .filter((name) => before[name] !== now[name])
    .toSorted()
    .join(', ');
}

// What can't be read any more someone else has written: everything has changed then.
function parsed(text: string): Fingerprints {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}
