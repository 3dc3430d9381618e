// Which sessions a stamp tells of: those that ended while its request was answered, as far as a header holds them.
import { createSecretKey, randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { createEndedMeanwhile, MAX_ENDED_BYTES } from '../../sidecar/ended-meanwhile.ts';
import type { Identity } from '../../sidecar/identity/identity.ts';
import { MAX_STAMP_CHARS, sealStamp, type StampedEvent } from '../../sidecar/stamp.ts';
import { identity } from '../fixtures/identities.ts';
import { stamp } from '../fixtures/stamps.ts';

const sessionOf = (user: string, at: number) =>
  identity({ user, sessionHash: String(at).padStart(16, '0') });
const many = (size: number, userAt: (at: number) => string) =>
  Array.from({ length: size }, (_, at) => sessionOf(userAt(at), at));

/** What is told where these end while one request is answered. */
async function toldOf(ended: readonly Identity[]): Promise<readonly StampedEvent[]> {
  const meanwhile = createEndedMeanwhile();
  return meanwhile.within(async () => {
    for (const one of ended) {
      await Promise.resolve();
      meanwhile.note(one);
    }
    return meanwhile.events();
  });
}

const countOf = (events: readonly StampedEvent[]) =>
  events.flatMap(({ of }) => of!.sessions).length;
const sealedChars = (events: readonly StampedEvent[]) =>
  sealStamp(stamp({ events }), createSecretKey(randomBytes(32))).length;

test('those of one person are one event, with each session', async () => {
  const told = await toldOf(many(2, () => 'alice'));
  expect(told).toMatchObject([
    {
      event: 'session-revoked',
      details: { why: 'provider' },
      of: { identity: { user: 'alice' }, sessions: ['0'.repeat(16), `${'0'.repeat(15)}1`] },
    },
  ]);
});

test('each request has those that ended while it was answered, and no other’s', async () => {
  const meanwhile = createEndedMeanwhile();
  const [one, other] = await Promise.all(
    ['alice', 'bob'].map((user) =>
      meanwhile.within(async () => {
        await Promise.resolve();
        meanwhile.note(sessionOf(user, 1));
        await Promise.resolve();
        return meanwhile.events().map(({ of }) => of?.identity.user);
      }),
    ),
  );
  meanwhile.note(sessionOf('carol', 2));
  expect([one, other, meanwhile.events()]).toEqual([['alice'], ['bob'], []]);
});

test('500 sessions of one person fit', async () => {
  expect(countOf(await toldOf(many(500, () => 'alice')))).toBe(500);
});

test('more than a header holds are left out, and the stamp still opens', async () => {
  const told = await toldOf(many(5_000, (at) => `${'ü'.repeat(200)}${at}`));
  expect(countOf(told)).toBeGreaterThan(10);
  expect(JSON.stringify(told).length).toBeLessThan(MAX_ENDED_BYTES);
  expect(sealedChars(told)).toBeLessThan(MAX_STAMP_CHARS);
  const one = await toldOf(many(5_000, () => 'alice'));
  expect(sealedChars(one)).toBeLessThan(MAX_STAMP_CHARS);
});
