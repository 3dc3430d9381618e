// What every store of sessions must do, on each kind with a real file or server. A store joins by a row in
// fixtures/session-stores.ts. What only one of them can do is in session-store-sqlite and -postgres.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import { aText, sessionStoreKinds } from '../fixtures/session-stores.ts';
import { until } from '../fixtures/until.ts';

const NOW_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const LEASE_MS = 300_000;
/** Times go by the store's clock: what comes back differs by how long the way took. */
const NEARLY_MS = 5_000;

describe.each(Object.entries(sessionStoreKinds()))('%s', (name, kind) => {
  const where = kind.missing === undefined ? describe : describe.skip;
  where(kind.missing === undefined ? 'a store' : `${name}: ${kind.missing}`, () => {
    let open: () => SessionStore;
    let store: SessionStore;
    let opened: SessionStore[];
    let nowMs: number;

    beforeAll(() => kind.start());
    afterAll(() => kind.stop());
    beforeEach(async () => {
      nowMs = NOW_MS;
      opened = [];
      const make = await kind.make();
      open = () => {
        const fresh = make(() => nowMs);
        opened.push(fresh);
        return fresh;
      };
      store = open();
    });
    afterEach(async () => {
      for (const each of opened) await each.close();
    });

    const found = async (key: string, by = store) => by.find(key);
    const putAll = async (...keys: string[]) => {
      for (const key of keys) await store.put(key, aText(), NOW_MS);
    };
    const isNear = (ms: number | undefined, expected: number) =>
      expect(Math.abs((ms ?? 0) - expected)).toBeLessThan(NEARLY_MS);

    describe('what was put', () => {
      test('is found without its tokens, and nothing else is', async () => {
        await putAll('a');
        expect(Object.keys((await found('a')) ?? {}).toSorted()).toEqual([
          'createdAtMs',
          'payload',
          'seenAtMs',
          'subjectTag',
          'version',
        ]);
        expect(await found('a')).toMatchObject({ payload: 'payload', version: 1 });
        expect(await found('b')).toBeUndefined();
      });

      test('is read with all of its text', async () => {
        const text = aText({ tokens: 'sealed', subjectTag: 'bob', sidTag: 'sid' });
        await store.put('a', text, NOW_MS);
        expect(await store.read('a')).toMatchObject({ ...text, version: 1 });
        expect(await store.read('b')).toBeUndefined();
      });

      test('has no sid where the provider gave none', async () => {
        await putAll('a');
        expect(await store.read('a')).not.toHaveProperty('sidTag');
      });

      test('was created and seen when it was put', async () => {
        await store.put('a', aText(), NOW_MS - HOUR_MS);
        isNear((await found('a'))?.createdAtMs, NOW_MS - HOUR_MS);
        isNear((await found('a'))?.seenAtMs, NOW_MS - HOUR_MS);
      });

      test('stays: a second one under its key is a fault, and the store is ready', async () => {
        await putAll('a');
        const second = store.put('a', aText({ payload: 'another' }), NOW_MS);
        await expect(second).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
        expect(await found('a')).toMatchObject({ payload: 'payload' });
        expect(store.state()).toEqual({ ready: true });
      });

      test('outlives the process', async () => {
        await putAll('a');
        await store.close();
        expect(await found('a', open())).toMatchObject({ payload: 'payload' });
      });

      test('may be as long as a list of groups makes it', async () => {
        const long = aText({ payload: 'p'.repeat(200_000), tokens: 't'.repeat(200_000) });
        await store.put('a', long, NOW_MS);
        expect(await store.read('a')).toMatchObject(long);
      });
    });

    describe('replacing', () => {
      test('gives the whole new text and the next version, and the times stay', async () => {
        await store.put('a', aText({ sidTag: 'sid' }), NOW_MS - HOUR_MS);
        const text = aText({ payload: 'p2', tokens: 't2', subjectTag: 's2' });
        expect(await store.replace('a', 1, text)).toBe(true);
        expect(await store.read('a')).toMatchObject({ ...text, version: 2 });
        expect(await store.read('a')).not.toHaveProperty('sidTag');
        isNear((await found('a'))?.createdAtMs, NOW_MS - HOUR_MS);
      });

      test('what was replaced meanwhile changes nothing', async () => {
        await putAll('a');
        await store.replace('a', 1, aText({ payload: 'first' }));
        expect(await store.replace('a', 1, aText({ payload: 'second' }))).toBe(false);
        expect(await found('a')).toMatchObject({ payload: 'first', version: 2 });
      });

      test('what is gone does not bring it back', async () => {
        await putAll('a');
        await store.remove('a');
        expect(await store.replace('a', 1, aText())).toBe(false);
        expect(await found('a')).toBeUndefined();
      });

      test('by two sidecars at once is done by one', async () => {
        await putAll('a');
        const both = [store, open()].map((each) => each.replace('a', 1, aText()));
        expect((await Promise.all(both)).filter(Boolean)).toHaveLength(1);
      });
    });

    describe('removing', () => {
      test('says whether it was there, and holds for another sidecar at once', async () => {
        const other = open();
        await putAll('a');
        expect(await found('a', other)).toBeDefined();
        expect(await store.remove('a')).toBe(true);
        expect(await store.remove('a')).toBe(false);
        expect(await found('a', other)).toBeUndefined();
      });

      test('of several takes these, and says which were there', async () => {
        await putAll('a', 'b', 'c');
        expect((await store.removeAll(['a', 'c', 'nobody'])).toSorted()).toEqual(['a', 'c']);
        expect([await found('a'), await found('c')]).toEqual([undefined, undefined]);
        expect(await found('b')).toBeDefined();
        expect(await store.removeAll([])).toEqual([]);
      });
    });

    describe('finding by tags', () => {
      test('gives those of the subject and of the sid, with what tells whose they are', async () => {
        await store.put('a', aText({ payload: 'of a', subjectTag: 'alice', sidTag: 's1' }), NOW_MS);
        await store.put('b', aText({ payload: 'of b', subjectTag: 'alice', sidTag: 's2' }), NOW_MS);
        await store.put('c', aText({ payload: 'of c', subjectTag: 'bob', sidTag: 's3' }), NOW_MS);
        await store.put('d', aText({ subjectTag: 'carol' }), NOW_MS);
        const tagged = await store.findTagged(['alice', 's3', 'nobody']);
        expect(tagged.toSorted((one, other) => one.key.localeCompare(other.key))).toEqual([
          { key: 'a', payload: 'of a' },
          { key: 'b', payload: 'of b' },
          { key: 'c', payload: 'of c' },
        ]);
      });

      test('gives none for a tag that nobody has, or for no tag', async () => {
        await putAll('a');
        expect(await store.findTagged(['nobody'])).toEqual([]);
        expect(await store.findTagged([])).toEqual([]);
      });
    });

    describe('last-seen times', () => {
      test('move forward only, for each of them', async () => {
        await store.put('a', aText(), NOW_MS - HOUR_MS);
        await store.put('b', aText(), NOW_MS - 3 * HOUR_MS);
        const seen = new Map([
          ['a', NOW_MS - 2 * HOUR_MS],
          ['b', NOW_MS - 2 * HOUR_MS],
        ]);
        await store.touch(seen);
        isNear((await found('a'))?.seenAtMs, NOW_MS - HOUR_MS);
        isNear((await found('b'))?.seenAtMs, NOW_MS - 2 * HOUR_MS);
      });

      test('leave the version as it was', async () => {
        await store.put('a', aText(), NOW_MS - HOUR_MS);
        await store.touch(new Map([['a', NOW_MS]]));
        expect(await found('a')).toMatchObject({ version: 1 });
      });

      test('make no session of one that is gone', async () => {
        await store.touch(new Map([['gone', NOW_MS]]));
        expect(await found('gone')).toBeUndefined();
      });

      test('are written by the thousand, by two sidecars at once', async () => {
        const keys = Array.from({ length: 2_500 }, (_, at) => `key-${at}`);
        for (const key of [keys[0]!, keys.at(-1)!]) {
          await store.put(key, aText(), NOW_MS - HOUR_MS);
        }
        const seen = keys.map((key) => [key, NOW_MS] as const);
        await Promise.all([store.touch(new Map(seen)), open().touch(new Map(seen.toReversed()))]);
        for (const key of [keys[0]!, keys.at(-1)!]) isNear((await found(key))?.seenAtMs, NOW_MS);
      });
    });

    describe('sweeping', () => {
      test('removes what is too old or was not seen for too long, and says how many', async () => {
        await store.put('old', aText(), NOW_MS - 3 * HOUR_MS);
        await store.put('idle', aText(), NOW_MS - 2 * HOUR_MS);
        await store.put('live', aText(), NOW_MS - 2 * HOUR_MS);
        await store.touch(
          new Map([
            ['old', NOW_MS],
            ['live', NOW_MS],
          ]),
        );
        const before = { createdMs: NOW_MS - 2.5 * HOUR_MS, seenMs: NOW_MS - HOUR_MS };
        expect(await store.sweep(before)).toBe(2);
        expect(await store.sweep(before)).toBe(0);
        expect(await found('live')).toBeDefined();
        expect(await found('old')).toBeUndefined();
      });

      test('removes any number', async () => {
        for (let from = 0; from < 1_200; from += 20) {
          const some = Array.from({ length: 20 }, (_, at) => `${from + at}`);
          await Promise.all(some.map((key) => store.put(key, aText(), NOW_MS - HOUR_MS)));
        }
        const before = { createdMs: NOW_MS - HOUR_MS / 2, seenMs: 0 };
        expect(await store.sweep(before)).toBe(1_200);
      });
    });

    test('the list goes on after a key, in the order of keys, with all there is', async () => {
      await putAll('b', 'a', 'Z', 'c', '0');
      const first = await store.list(undefined, 2);
      expect(first.map(({ key }) => key)).toEqual(['0', 'Z']);
      expect(first[0]).toMatchObject({ ...aText(), version: 1 });
      const second = await store.list('Z', 10);
      expect(second.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
      expect(await store.list('c', 10)).toEqual([]);
    });

    describe('who can write the store, and has no key,', () => {
      const SENSELESS = [
        'a version beyond what can be counted',
        'a version before the first',
        'a time of beginning beyond all times',
        'a last-seen time beyond all times',
        'a last-seen time before all times',
      ] as const;

      test.each(SENSELESS)('ends one session by %s, and nobody else’s', async (how) => {
        await putAll('a', 'b');
        await kind.spoil(how, 'a');
        expect([await found('a'), await store.read('a')]).toEqual([undefined, undefined]);
        expect(await found('b')).toMatchObject({ version: 1 });
        expect(store.state()).toEqual({ ready: true });
      });

      test.each(SENSELESS)('holds up no command and no upkeep by %s', async (how) => {
        await putAll('a', 'b');
        await kind.spoil(how, 'a');
        const listed = await store.list(undefined, 10);
        expect(listed.map(({ key, payload }) => [key, payload])).toEqual([
          ['a', ''],
          ['b', 'payload'],
        ]);
        expect(await store.findTagged(['alice'])).toHaveLength(2);
        await store.touch(new Map([['b', NOW_MS]]));
        expect(await store.remove('a')).toBe(true);
        expect(await store.sweep({ createdMs: 0, seenMs: 0 })).toBe(0);
      });

      test('holds up no refresh by a lease without an end', async () => {
        await putAll('a');
        await kind.spoil('a lease without an end', 'a');
        expect(await store.lease('a', 'me', LEASE_MS)).toBe(true);
      });

      test('makes no session seen later than now', async () => {
        await putAll('a');
        await kind.spoil('a last-seen time of the future', 'a');
        expect((await found('a'))?.seenAtMs).toBeLessThanOrEqual(nowMs);
      });

      test.each<[string, () => Promise<unknown>]>([
        ['using it', () => store.touch(new Map([['a', NOW_MS]]))],
        ['sweeping', () => store.sweep({ createdMs: 0, seenMs: 0 })],
      ])('can leave no last-seen time in the future: %s brings it back', async (_by, act) => {
        await store.put('a', aText(), NOW_MS - HOUR_MS);
        await kind.spoil('a last-seen time of the future', 'a');
        await act();
        await kind.spoil('a last-seen time two hours earlier', 'a');
        isNear((await found('a'))?.seenAtMs, NOW_MS - 2 * HOUR_MS);
      });
    });

    describe('a lease', () => {
      test('is held by one owner, who may renew it, and given back by nobody else', async () => {
        await putAll('a');
        const other = open();
        expect(await store.lease('a', 'me', LEASE_MS)).toBe(true);
        expect(await store.lease('a', 'me', LEASE_MS)).toBe(true);
        await other.release('a', 'you');
        expect(await other.lease('a', 'you', LEASE_MS)).toBe(false);
        await store.release('a', 'me');
        expect(await other.lease('a', 'you', LEASE_MS)).toBe(true);
      });

      test('that is asked for by many at once is taken by one', async () => {
        await putAll('a');
        const both = [store, open()];
        const owners = ['1', '2', '3', '4', '5', '6'];
        const taken = await Promise.all(
          owners.map((owner, at) => both[at % 2]!.lease('a', owner, LEASE_MS)),
        );
        expect(taken.filter(Boolean)).toHaveLength(1);
      });

      test('ends by itself', async () => {
        await putAll('a');
        await store.lease('a', 'me', 50);
        await until('the lease is over', () => {
          nowMs += 10;
          return store.lease('a', 'you', LEASE_MS);
        });
        expect(await store.lease('a', 'me', LEASE_MS)).toBe(false);
      });

      test('of one session leaves the others alone, and of none there is none', async () => {
        await putAll('a', 'b');
        await store.lease('a', 'me', LEASE_MS);
        expect(await store.lease('b', 'you', LEASE_MS)).toBe(true);
        expect(await store.lease('gone', 'me', LEASE_MS)).toBe(false);
      });

      test('leaves version and text as they are', async () => {
        await putAll('a');
        await store.lease('a', 'me', LEASE_MS);
        expect(await store.read('a')).toMatchObject({ ...aText(), version: 1 });
        expect(await store.replace('a', 1, aText())).toBe(true);
      });
    });

    test('closed, it is a fault, and stays closed', async () => {
      await putAll('a');
      await store.close();
      await store.close();
      await expect(found('a')).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
      await expect(store.touch(new Map([['a', NOW_MS]]))).rejects.toThrow('closed');
    });

    test('many that start at once find one store', async () => {
      const others = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const other = open();
          await other.find('a');
          return other;
        }),
      );
      await putAll('a');
      for (const other of others) expect(await found('a', other)).toBeDefined();
    });

    test('a store that is down is a fault in every operation, and recovers by itself', async () => {
      await putAll('a');
      await store.close();
      await kind.breakDown();
      const down = open();
      const operations: (() => unknown)[] = [
        () => down.find('a'),
        () => down.read('a'),
        () => down.put('b', aText(), NOW_MS),
        () => down.replace('a', 1, aText()),
        () => down.touch(new Map([['a', NOW_MS]])),
        () => down.remove('a'),
        () => down.findTagged(['alice']),
        () => down.removeAll(['a']),
        () => down.list(undefined, 1),
        () => down.lease('a', 'me', 1),
        () => down.release('a', 'me'),
        () => down.sweep({ createdMs: 0, seenMs: 0 }),
      ];
      for (const operation of operations) {
        await expect(async () => operation()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
      }
      expect(down.state()).toMatchObject({ ready: false, problem: expect.any(String) });
      await kind.mend();
      await until('it is ready, asked for its state alone', () => {
        nowMs += 1_000;
        return down.state().ready;
      });
      expect(await found('a', down)).toMatchObject({ payload: 'payload' });
    });
  });
});
