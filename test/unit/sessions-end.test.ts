// In which order sessions are recorded and ended, and what is left of it when something comes between.
import { expect, test } from '@jest/globals';
import {
  endSessions,
  PAGE,
  type ListedSession,
  type SessionsToEnd,
} from '../../sidecar/commands/sessions-end.ts';
import { identity } from '../fixtures/identities.ts';

type Changes = {
  readonly onRemove?: () => void;
  readonly tryWriting?: () => Promise<void>;
  readonly record?: SessionsToEnd['record'];
};

const all = () => true;
const goesOn = new AbortController().signal;

/** So many sessions, and in which order what was done with them. */
function sessionsOf(
  size: number,
  { onRemove = () => {}, tryWriting = async () => {}, record }: Changes = {},
) {
  const keys = new Set(Array.from({ length: size }, (_, at) => String(at)));
  const done: string[] = [];
  const sessions: SessionsToEnd = {
    async *list() {
      for (const key of [...keys]) yield opened(key);
    },
    removeAll: async (some) => {
      onRemove();
      done.push(`ended ${some.length}`);
      return some.filter((key) => keys.delete(key)).length;
    },
    tryWriting,
    record: async (some, as) => {
      await record?.(some, as);
      done.push(`recorded ${some.length} ${as}`);
    },
  };
  return { sessions, done };
}

function opened(key: string): ListedSession {
  const times = { createdAtMs: 0, seenAtMs: 0 };
  return { key, opened: { identity: identity(), sessionHash: key, ...times } };
}

test('each page is recorded before it is ended, and before the next one is begun', async () => {
  const { sessions, done } = sessionsOf(PAGE + 1);
  expect(await endSessions(sessions, all, goesOn)).toEqual({ count: PAGE + 1 });
  expect(done).toEqual([
    `recorded ${PAGE} beforehand`,
    `ended ${PAGE}`,
    'recorded 1 beforehand',
    'ended 1',
  ]);
});

test('interrupted, the page under way is ended and counted, and no further one begun', async () => {
  const interrupted = new AbortController();
  const { sessions, done } = sessionsOf(2 * PAGE, { onRemove: () => interrupted.abort() });
  expect(await endSessions(sessions, all, interrupted.signal)).toEqual({ count: PAGE });
  expect(done).toEqual([`recorded ${PAGE} beforehand`, `ended ${PAGE}`]);
});

test('who can’t be recorded is ended all the same, and recorded afterwards', async () => {
  let tries = 0;
  const record = async () => {
    if (tries++ === 0) throw new Error('locked');
  };
  const { sessions, done } = sessionsOf(PAGE + 1, { record });
  expect(await endSessions(sessions, all, goesOn)).toEqual({ count: PAGE + 1 });
  expect(done).toEqual([`ended ${PAGE}`, 'ended 1', `recorded ${PAGE + 1} afterwards`]);
});

test('what can’t be recorded at all is counted', async () => {
  const error = new Error('locked');
  const { sessions } = sessionsOf(3, { record: () => Promise.reject(error) });
  expect(await endSessions(sessions, all, goesOn)).toEqual({
    count: 3,
    unrecorded: { count: 3, error },
  });
});

test('where the store fails in the middle, what was ended before is counted', async () => {
  const error = new Error('away');
  let removals = 0;
  const onRemove = () => {
    if (removals++ === 1) throw error;
  };
  const { sessions, done } = sessionsOf(PAGE + 1, { onRemove });
  const withdrawn = { count: 1 };
  const outcome = { count: PAGE, withdrawn, failed: { error } };
  expect(await endSessions(sessions, all, goesOn)).toEqual(outcome);
  expect(done.slice(2)).toEqual(['recorded 1 beforehand', 'recorded 1 withdrawn']);
});

test('where the store can’t be written, nothing is recorded', async () => {
  const error = new Error('read-only');
  const { sessions, done } = sessionsOf(1, { tryWriting: () => Promise.reject(error) });
  expect(await endSessions(sessions, all, goesOn)).toEqual({ count: 0, failed: { error } });
  expect(done).toEqual([]);
});

test('that an end which failed can’t be taken back is told', async () => {
  const [error, locked] = [new Error('away'), new Error('locked')];
  const onRemove = () => {
    throw error;
  };
  const record: SessionsToEnd['record'] = async (_, as) => {
    if (as === 'withdrawn') throw locked;
  };
  const { sessions } = sessionsOf(2, { onRemove, record });
  expect(await endSessions(sessions, all, goesOn)).toEqual({
    count: 0,
    withdrawn: { count: 2, error: locked },
    failed: { error },
  });
});

test('where the end failed of who was never recorded, nothing is taken back', async () => {
  const error = new Error('away');
  const onRemove = () => {
    throw error;
  };
  const record = () => Promise.reject(new Error('locked'));
  const { sessions } = sessionsOf(2, { onRemove, record });
  expect(await endSessions(sessions, all, goesOn)).toEqual({ count: 0, failed: { error } });
});
