// What the recorder tells of each start: that the store was opened, and what is not as it was when it
// was opened last: keys and settings, by name only.
import type { AuditStore, Batch } from './audit/store.ts';
import type { EventName } from './audit/event.ts';
import type { EventRow } from './audit/row.ts';

/** What this start is like. */
export type Opening = {
  /** Of the gate: a store that is opened again in the same run is no event. */
  readonly bootId: string;
  readonly version: string;
  /** Ids of the ring's keys, the sealing one first. */
  readonly keyIds: readonly string[];
  /** Setting → fingerprint of its value, under each key of the ring, in its order. */
  readonly settings: readonly Fingerprints[];
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
  const { bootId, version, keyIds, settings } = opening;
  const event = (name: EventName, details: EventRow['details']): EventRow => {
    return {
      kind: 'event',
      requestId: `${name}:${bootId}`,
      event: name,
      details,
      startedAtUs: nowUs,
    };
  };
  const keysBefore = await store.note(KEYS);
  const settingsBefore = await store.note(SETTINGS);
  const keys = keysBefore === undefined ? undefined : keyChange(keysBefore.split(' '), keyIds);
  const changed =
    settingsBefore === undefined ? undefined : changedNames(parsed(settingsBefore), settings);
  const batch: Batch = {
    rows: [
      event('store-opened', { boot: bootId, version }),
      ...(keys ? [event('key-ring-changed', keys)] : []),
      ...(changed ? [event('configuration-changed', { changed })] : []),
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

// By the key that it was fingerprinted with, which may not be the first one any more: under each other
// key everything seems to have changed.
function changedNames(before: Fingerprints, nows: readonly Fingerprints[]): string | undefined {
  const [fewest = []] = nows
    .map((now) => differing(before, now))
    .toSorted((a, b) => a.length - b.length);
  return fewest.length === 0 ? undefined : fewest.join(', ');
}

function differing(before: Fingerprints, now: Fingerprints): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => before[name] !== now[name]).toSorted();
}

// What can't be read any more someone else has written: everything has changed then.
function parsed(text: string): Fingerprints {
  try {
    return { ...(JSON.parse(text) as Fingerprints) };
  } catch {
    return {};
  }
}
