// How many codes are exchanged at a provider at once: strangers may begin sign-ins and make up codes, as many as they like.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  createExchanges,
  type Exchanges,
  MAX_EXCHANGES,
  MAX_EXCHANGES_BY_ADDRESS,
  MAX_EXCHANGES_WAITING,
} from '../../sidecar/identity/exchanges.ts';
import {
  startMisbehavingProvider,
  type MisbehavingProvider,
} from '../fixtures/misbehaving-provider.ts';
import { PLACE, startRelyingParty, type RelyingParty } from '../fixtures/relying-party.ts';
import { until } from '../fixtures/until.ts';

const ISSUER = 'https://login.example.com';

let exchanges: Exchanges;
let held: (() => void)[];

beforeEach(() => {
  exchanges = createExchanges(ISSUER);
  held = [];
});

/** Begins one that lasts until it is let go. */
const begin = (client?: string) =>
  exchanges.run(client, () => new Promise<void>((resolve) => held.push(resolve)));
const beginMany = (count: number, clientOf: (at: number) => string | undefined) =>
  Array.from({ length: count }, (_, at) => begin(clientOf(at)));

/** Lets all go, those that are waiting, too. */
async function letAllGo(running: readonly Promise<void>[]): Promise<void> {
  const timer = setInterval(() => held.splice(0).forEach((go) => go()), 1);
  await Promise.all(running).finally(() => clearInterval(timer));
}

test('MAX_EXCHANGES are under way at once, and the next waits for its place', async () => {
  const running = beginMany(MAX_EXCHANGES + 1, () => undefined);
  expect(held).toHaveLength(MAX_EXCHANGES);
  held.shift()?.();
  await until('the next', () => held.length === MAX_EXCHANGES);
  await letAllGo(running);
});

test('beyond MAX_EXCHANGES_WAITING who comes is refused, until a place is free', async () => {
  const running = beginMany(MAX_EXCHANGES + MAX_EXCHANGES_WAITING - 1, () => undefined);
  expect(() => exchanges.mustHaveRoom(undefined)).not.toThrow();
  running.push(begin());
  expect(() => exchanges.mustHaveRoom(undefined)).toThrow(`too many codes are being exchanged at`);
  held.shift()?.();
  await until('the next', () => held.length === MAX_EXCHANGES);
  expect(() => exchanges.mustHaveRoom(undefined)).not.toThrow();
  await letAllGo(running);
});

test('one client has MAX_EXCHANGES_BY_ADDRESS of them, and the others go on', async () => {
  const running = beginMany(MAX_EXCHANGES_BY_ADDRESS - 1, () => '192.0.2.7');
  expect(() => exchanges.mustHaveRoom('192.0.2.7')).not.toThrow();
  running.push(begin('192.0.2.7'));
  expect(() => exchanges.mustHaveRoom('192.0.2.7')).toThrow('of one client');
  expect(() => exchanges.mustHaveRoom('192.0.2.8')).not.toThrow();
  await letAllGo(running);
  expect(() => exchanges.mustHaveRoom('192.0.2.7')).not.toThrow();
});

test('one that fails gives its place back', async () => {
  const failing = Array.from({ length: MAX_EXCHANGES_BY_ADDRESS }, () =>
    exchanges.run('192.0.2.7', () => Promise.reject(new Error('no'))),
  );
  await Promise.allSettled(failing);
  expect(() => exchanges.mustHaveRoom('192.0.2.7')).not.toThrow();
});

let wire: MisbehavingProvider;
let party: RelyingParty;
beforeAll(async () => {
  wire = await startMisbehavingProvider();
  party = await startRelyingParty([wire]);
});
afterEach(() => wire.misbehave({}));
afterAll(async () => {
  party.stop();
  await wire.stop();
});

test('who finds no place can come again with the same address, and the provider is not told to be down', async () => {
  const answers: (() => void)[] = [];
  wire.misbehave({
    token: (response) =>
      void answers.push(() => response.writeHead(400).end('{"error":"invalid_grant"}')),
  });
  const client = '192.0.2.7';
  const begun = async () => {
    const { cookies, redirectTo } = await party.begin();
    return { cookies, query: new URL(wire.callbackFor(redirectTo)).search.slice(1) };
  };
  const come = (returned: Awaited<ReturnType<typeof begun>>) =>
    party.login.finishLogin({ ...PLACE, ...returned, client });
  const strangers = await Promise.all(Array.from({ length: MAX_EXCHANGES_BY_ADDRESS }, begun));
  const flood = strangers.map(come);
  await until('their questions', () => answers.length === MAX_EXCHANGES_BY_ADDRESS);
  const alice = await begun();
  await expect(come(alice)).rejects.toMatchObject({ code: 'ERR_PROVIDER' });
  expect(party.providers[0]?.state()).toEqual({ ready: true });
  wire.misbehave({});
  answers.forEach((answer) => answer());
  await Promise.all(flood);
  expect(await come(alice)).toMatchObject({ provider: 'main', returnTo: '/orders' });
});
