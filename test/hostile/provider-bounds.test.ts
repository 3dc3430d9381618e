// Case 31 of the hostile list, through a real Caddy: whatever a provider's endpoint answers is bounded in size and
// time, and leads nowhere else. A sign-in ends with a page, a request with a 503, and the sidecar goes on.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  startIntrospectionIssuer,
  type IntrospectionIssuer,
} from '../fixtures/introspection-endpoint.ts';
import { startMisledEdge, type MisledEdge } from '../fixtures/misled-edge.ts';
import { freePort } from '../fixtures/caddy.ts';
import { makeFolder, startSidecar, type RunningSidecar } from '../fixtures/sidecar.ts';
import {
  createDripping,
  createEndless,
  redirectingTo,
  startAnswering,
  type Answer,
} from '../fixtures/unbounded-answers.ts';
import { until } from '../fixtures/until.ts';

const AUDIENCE = 'https://orders.example';
/** Of a body, by identity/bounded-fetch.ts; the rest is what two kernels hold back. */
const MAX_TAKEN_BYTES = 16 * 1024 * 1024;
/** Of a call, by identity/bounded-fetch.ts. */
const TIMEOUT_MS = 5_000;

type Answering = Awaited<ReturnType<typeof startAnswering>>;
const { folder, remove } = makeFolder();
const endless = createEndless();
const dripping = createDripping();
let edge: MisledEdge;
let opaque: IntrospectionIssuer;
/** An address inside: what a redirect leads to. */
let inside: Answering;
/** Providers whose discovery answers so, and a sidecar that knows no others. */
let misled: Answering[];
let alone: RunningSidecar;
let keys = 0;

beforeAll(async () => {
  inside = await startAnswering((response) => void response.end('{"secret":"of the inside"}'));
  const answers = [redirectingTo(`${inside.url}/meta`), endless.answer, dripping.answer];
  misled = await Promise.all(answers.map(startAnswering));
  alone = await startAlone();
  opaque = await startIntrospectionIssuer(() => ({}));
  const introspection = `{ client_id: api, client_secret_file: ${join(folder, 'secret')} }`;
  const issuer = `{ name: machines, issuer: '${opaque.issuer}', audiences: ['${AUDIENCE}'], introspection: ${introspection} }`;
  edge = await startMisledEdge({ settings: `bearer: [${issuer}]\n` });
  await edge.enter();
});
afterAll(async () => {
  await Promise.all([edge?.stop(), alone?.stop(), opaque?.stop(), inside?.stop()]);
  await Promise.all((misled ?? []).map((one) => one.stop()));
  remove();
});
beforeEach(() => {
  edge.wire.misbehave({});
  opaque.say({});
});

async function startAlone(): Promise<RunningSidecar> {
  writeFileSync(join(folder, 'secret'), 's');
  const [main, ...further] = misled.map(({ url }) => url);
  const entry = (issuer: string, index: number) =>
    `{ name: p${index}, issuer: '${issuer}', client_id: c, client_secret_file: ${join(folder, 'secret')} }`;
  const settings = `providers: [${further.map(entry).join(', ')}]\ndestinations: []\n`;
  writeFileSync(join(folder, 'signet.yaml'), settings);
  return startSidecar(folder, {
    SIGNET_ISSUER: main ?? '',
    SIGNET_CLIENT_ID: 'c',
    SIGNET_CLIENT_SECRET: 's',
    SIGNET_SOCKET: join(folder, 'run', 's.sock'),
    SIGNET_ACCESS_LOG: join(folder, 'access.log'),
    SIGNET_HEALTH: `127.0.0.1:${await freePort()}`,
  });
}

const asks = (path: string) => edge.wire.requests.filter((one) => one.path === path).length;
const statusOf = async (reply: Promise<{ status: number }>) => (await reply).status;
const signIn = () => statusOf(edge.come());
const opaqueToken = () =>
  statusOf(edge.send('/orders', [`Authorization: Bearer opaque-${++keys}`]));

/** Endpoint → makes it answer so; returns how often it was asked, and what makes somebody ask it. */
const ENDPOINTS = {
  'the token endpoint': async (token: Answer) => {
    edge.wire.misbehave({ token });
    return { asked: () => edge.wire.tokenRequests.length, ask: signIn };
  },
  'the user endpoint': async (answerUser: Answer) => {
    edge.wire.misbehave({ answerUser });
    return { asked: () => asks('/userinfo'), ask: signIn };
  },
  'the key set': async (jwks: Answer) => {
    await edge.wire.rotateKey(`key-${++keys}`);
    edge.wire.misbehave({ jwks });
    return { asked: () => asks('/jwks'), ask: signIn };
  },
  'the introspection endpoint': async (answer: Answer) => {
    opaque.say({ answer });
    return { asked: () => opaque.questions.length, ask: opaqueToken };
  },
};
const endpoints = Object.entries(ENDPOINTS);

test.each(endpoints)(
  'case 31, CVE-2024-21498: %s that redirects to an address inside',
  async (_, set) => {
    const { asked, ask } = await set(redirectingTo(`${inside.url}/meta`));
    const before = asked();
    expect(await ask()).toBeGreaterThanOrEqual(400);
    expect(asked()).toBe(before + 1);
    expect(inside.asked).toEqual([]);
  },
);

test.each(endpoints)('case 31, CVE-2026-26998: %s that answers a gigabyte', async (_, set) => {
  const before = endless.takenBytes();
  const { ask } = await set(endless.answer);
  expect(await ask()).toBe(503);
  expect(endless.takenBytes() - before).toBeGreaterThan(1_000_000);
  expect(endless.takenBytes() - before).toBeLessThan(MAX_TAKEN_BYTES);
});

test('case 31, CVE-2026-26998: each of them that answers a byte a second', async () => {
  const startedAtMs = performance.now();
  const answers: Promise<number>[] = [];
  for (const [, set] of endpoints) {
    const { asked, ask } = await set(dripping.answer);
    const before = asked();
    answers.push(ask());
    await until('it is asked', () => asked() > before);
  }
  expect(await Promise.all(answers)).toEqual(endpoints.map(() => 503));
  // They ask beside each other; the rest is for a machine with much else to do.
  expect(performance.now() - startedAtMs).toBeLessThan(2 * TIMEOUT_MS + 2_500);
  edge.wire.misbehave({});
  expect(await signIn()).toBe(302);
});

describe('case 31: discovery', () => {
  test('is bounded in size and time, leads nowhere, and is tried again', async () => {
    await until('each is asked again', () => misled.every(({ asked }) => asked.length > 1));
    for (const { asked } of misled) {
      expect(new Set(asked)).toEqual(new Set(['/.well-known/openid-configuration']));
    }
    expect(inside.asked).toEqual([]);
    expect(endless.takenBytes()).toBeLessThan(20 * MAX_TAKEN_BYTES);
    expect(alone.hasExited()).toBe(false);
  });
});
