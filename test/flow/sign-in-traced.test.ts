// The calls to the provider that a sign-in waits for are spans of its request: by the real OpenTelemetry
// SDK, at a real OpenID provider, and at one that misbehaves.
import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import { createClock } from '../../sidecar/clock.ts';
import { signInRoutes } from '../../sidecar/http/sign-in.ts';
import { createBearer } from '../fixtures/bearer.ts';
import { createBoundedFetch } from '../../sidecar/identity/bounded-fetch.ts';
import { DEFAULT_CLAIM_NAMES } from '../../sidecar/identity/claims.ts';
import { createLogin } from '../../sidecar/identity/login.ts';
import { createProvider, type Provider } from '../../sidecar/identity/provider.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import { createSessions, type Sessions } from '../../sidecar/sessions/sessions.ts';
import { createLiveTrace, type LiveTrace } from '../../sidecar/live-trace.ts';
import { secret } from '../../sidecar/secret.ts';
import { EXPORTED_ATTRIBUTES } from '../../sidecar/trace/exported.ts';
import { createSample, type Sample } from '../../sidecar/trace/sampling.ts';
import { SAMPLE_EVERYTHING } from '../fixtures/sampling.ts';
import type { Span } from '../../sidecar/trace/span.ts';
import {
  startMisbehavingProvider,
  type MisbehavingProvider,
} from '../fixtures/misbehaving-provider.ts';
import { keepCookies, startProvider, type Jar, type TestProvider } from '../fixtures/provider.ts';
import { until } from '../fixtures/until.ts';

const HOST = 'app.example.com';
const keys = [createSecretKey(randomBytes(32))];
const LOGIN_ID = '0b0c5b9e-3d5f-4f3c-9a51-0b6a4a7a1a11';
const CALLBACK_ID = '4d032074-7bbc-4e5d-964f-a0f15a34b6f6';
const TRACE_ID = '4d0320747bbc4e5d964fa0f15a34b6f6';
const INGRESS_ID = '4d0320747bbc4e5d';
const AUDIENCE = 'https://orders.example.com';

let good: TestProvider;
let bad: MisbehavingProvider;
let spans: Span[];
let sample: Sample;
let live: LiveTrace;
let folder: string;
let store: SessionStore;
let sessions: Sessions;
let providers: Provider[];
let servers: Server[];

beforeAll(async () => {
  const redirectUris = [`https://${HOST}/.signet/callback`];
  good = await startProvider({ redirectUris, audience: AUDIENCE });
  bad = await startMisbehavingProvider();
});
afterAll(() => Promise.all([good.stop(), bad.stop()]));

beforeEach(async () => {
  [spans, providers, servers] = [[], [], []];
  sample = createSample(SAMPLE_EVERYTHING);
  live = await startLive();
  folder = mkdtempSync(join(tmpdir(), 'signet-traced-'));
  store = createSqliteSessions({ path: join(folder, 'sessions.db'), now: Date.now });
  const times = { idleMs: 60_000, absoluteMs: 60_000 };
  sessions = createSessions({ store, now: Date.now, keys: () => keys, ...times });
});
afterEach(async () => {
  await live.stop();
  for (const provider of providers) provider.close();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  await sessions.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function startLive(): Promise<LiveTrace> {
  const started = createLiveTrace({
    sample: (asked) => sample(asked),
    clock: createClock(),
    addSpans: (ended) => spans.push(...ended),
  });
  await started.start();
  return started;
}

type Place = Pick<TestProvider, 'issuer' | 'clientId' | 'clientSecret'>;

/** Serves sign-in at this provider. Returns a browser's way of asking: its cookies are kept. */
async function signInAt({ issuer, clientId, clientSecret }: Place, timeoutMs = 5_000) {
  const provider = createProvider({
    name: 'main',
    names: DEFAULT_CLAIM_NAMES,
    issuer,
    clientId,
    clientSecret: secret(clientSecret),
    scopes: ['profile', 'email'],
    fetch: (url, init) => {
      const signals = [init?.signal ?? [], AbortSignal.timeout(timeoutMs)].flat();
      return fetch(url, { ...init, signal: AbortSignal.any(signals) });
    },
  });
  providers.push(provider);
  await until('discovery', () => provider.state().ready);
  const bearer = createBearer({
    issuers: [{ name: 'main', issuer, audiences: [AUDIENCE] }],
    now: Date.now,
  });
  const app = express().use(
    signInRoutes({
      login: createLogin({ providers: [provider], keys, now: Date.now }),
      sessions,
      hosts: [],
      identify: (req) => bearer.verify((req.get('Authorization') ?? '').slice('Bearer '.length)),
      onOutcome: () => undefined,
      within: live.within,
    }),
  );
  const jar: Jar = new Map();
  return async (path: string, headers: Record<string, string> = {}) => {
    const answer = await request(app)
      .get(path)
      .set({
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': HOST,
        'X-Forwarded-For': '192.0.2.7',
        'X-Request-Id': path.startsWith('/.signet/login') ? LOGIN_ID : CALLBACK_ID,
        Cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
        ...headers,
      });
    keepCookies(jar, [answer.headers['set-cookie'] ?? []].flat());
    return answer;
  };
}

type Get = Awaited<ReturnType<typeof signInAt>>;

/** The path of the callback, after signing in at the good provider. */
async function callbackOf(get: Get): Promise<string> {
  const begun = await get('/.signet/login');
  const url = new URL(await good.signIn(new Map(), begun.headers.location ?? '', 'alice'));
  return url.pathname + url.search;
}

/** Signs in at the bad provider; returns the callback's status. */
async function badSignIn(timeoutMs?: number): Promise<number> {
  const get = await signInAt(bad, timeoutMs);
  const begun = await get('/.signet/login');
  const url = new URL(bad.callbackFor(begun.headers.location ?? ''));
  return (await get(url.pathname + url.search)).status;
}

/** Starts a server that answers nothing right; returns its address, and the headers that it was sent. */
async function startSpy(status: number, headers: Record<string, string> = {}) {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((req, res) => {
    seen.push(req.headers);
    res.writeHead(status, headers).end('{}');
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const names = () => spans.map(({ name }) => name).toSorted();
const called = (name: string) => spans.find((span) => span.name === name);

describe('a sign-in', () => {
  beforeEach(() => bad.misbehave({}));

  test('is traced to its calls for token, keys and user, as children of its ingress span', async () => {
    const get = await signInAt(good);
    expect((await get(await callbackOf(get))).status).toBe(302);
    expect(names()).toEqual(['GET /jwks', 'GET /me', 'POST /token']);
    for (const { traceId, parentSpanId, spanId, kind, isError } of spans) {
      expect([traceId, parentSpanId, kind, isError]).toEqual([
        TRACE_ID,
        INGRESS_ID,
        'CLIENT',
        false,
      ]);
      expect(spanId).toMatch(/^[0-9a-f]{16}$/);
    }
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(3);
  });

  test('has spans with the time of the call, to the microsecond', async () => {
    const get = await signInAt(good);
    const path = await callbackOf(get);
    const beforeUs = Date.now() * 1000;
    await get(path);
    const afterUs = (Date.now() + 1) * 1000;
    for (const { startUs, endUs } of spans) {
      expect(Number.isInteger(startUs) && Number.isInteger(endUs)).toBe(true);
      expect([startUs >= beforeUs, endUs > startUs, endUs <= afterUs]).toEqual([true, true, true]);
    }
  });

  test('says of a call where it went and what came back, and no more', async () => {
    const get = await signInAt(good);
    await get(await callbackOf(get));
    expect(called('POST /token')?.attributes).toEqual({
      'http.request.method': 'POST',
      'url.template': '/token',
      'server.address': 'localhost',
      'server.port': Number(new URL(good.issuer).port),
      'http.response.status_code': 200,
    });
    const used = spans.flatMap(({ attributes }) => Object.keys(attributes));
    expect(used.filter((name) => !EXPORTED_ATTRIBUTES.includes(name))).toEqual([]);
  });

  test('puts no code, token or state into a span', async () => {
    const get = await signInAt(good);
    const path = await callbackOf(get);
    await get(path);
    const text = JSON.stringify(spans);
    for (const value of new URL(path, 'https://x').searchParams.values()) {
      expect(text).not.toContain(value);
    }
    expect(text).not.toMatch(/eyJ|alice|Bearer|Basic/);
  });

  test('is traced even when it comes before the SDK is loaded', async () => {
    await live.stop();
    live = createLiveTrace({
      sample,
      clock: createClock(),
      addSpans: (ended) => spans.push(...ended),
    });
    const starting = live.start();
    await live.within(CALLBACK_ID, async () => {
      await createBoundedFetch()(`${good.issuer}/jwks`);
      return { decision: 'none', reason: 'signet' };
    });
    expect(names()).toEqual(['GET /jwks']);
    await starting;
  });

  test('that was begun calls nobody, and has no such span', async () => {
    const get = await signInAt(good);
    await get('/.signet/login');
    expect(spans).toEqual([]);
  });

  test('tells the provider nothing of our trace', async () => {
    const spy = await startSpy(400);
    bad.misbehave({ metadata: { token_endpoint: `${spy.address}/token` } });
    await badSignIn();
    expect(spy.seen).toHaveLength(1);
    const told = Object.keys(spy.seen[0] ?? {});
    expect(told.filter((name) => /trace|baggage|b3|request-id/.test(name))).toEqual([]);
  });
});

test('the SDK does not listen to OTEL_* variables, which name a destination to the sidecar', async () => {
  const spy = await startSpy(200);
  const variables = {
    OTEL_EXPORTER_OTLP_ENDPOINT: spy.address,
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_TRACES_SAMPLER: 'always_off',
  };
  await live.stop();
  Object.assign(process.env, variables);
  try {
    live = await startLive();
    const get = await signInAt(good);
    await get(await callbackOf(get));
    expect(spans).toHaveLength(3);
    await live.stop();
    expect(spy.seen).toEqual([]);
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
  }
});

describe('a call that fails is an error', () => {
  test('by its status', async () => {
    const spy = await startSpy(503);
    bad.misbehave({ metadata: { token_endpoint: `${spy.address}/token` } });
    await badSignIn();
    expect(called('POST /token')?.isError).toBe(true);
    expect(called('POST /token')?.attributes).toMatchObject({
      'http.response.status_code': 503,
      'error.type': '503',
    });
  });

  test('when it takes too long: timeout', async () => {
    bad.misbehave({ token: () => undefined });
    expect(await badSignIn(200)).toBe(503);
    expect(called('POST /token')?.isError).toBe(true);
    expect(called('POST /token')?.attributes).toMatchObject({ 'error.type': 'timeout' });
  });

  test('when the body takes too long: timeout, and the span lasts so long', async () => {
    bad.misbehave({ token: (res) => void res.writeHead(200).write('{') });
    await badSignIn(200);
    const span = called('POST /token');
    expect(span?.attributes).toMatchObject({ 'error.type': 'timeout' });
    expect((span?.endUs ?? 0) - (span?.startUs ?? 0)).toBeGreaterThan(150_000);
  });

  test('when nobody is there: by the name of the system', async () => {
    const { address } = await startSpy(200);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    bad.misbehave({ metadata: { token_endpoint: `${address}/token` } });
    expect(await badSignIn()).toBe(503);
    expect(called('POST /token')?.attributes).toMatchObject({ 'error.type': 'ECONNREFUSED' });
  });

  test('when the answer is too large', async () => {
    bad.misbehave({ token: (res) => void res.end('x'.repeat(1_100_000)) });
    await badSignIn();
    expect(called('POST /token')?.attributes).toMatchObject({ 'error.type': 'response_too_large' });
  });

  test('but a redirect is an answer, which is not followed', async () => {
    const spy = await startSpy(302, { location: '/elsewhere' });
    bad.misbehave({ metadata: { token_endpoint: `${spy.address}/token?tenant=1` } });
    await badSignIn();
    expect(names()).toEqual(['POST /token']);
    expect(spans[0]?.isError).toBe(false);
    expect(spans[0]?.attributes).toMatchObject({ 'http.response.status_code': 302 });
  });
});

describe('what is sampled', () => {
  beforeEach(() => bad.misbehave({}));

  test('the calls of a sign-in that is not sampled are not sent', async () => {
    sample = createSample({ ratio: 0, rules: [] });
    const get = await signInAt(good);
    await get(await callbackOf(get));
    expect(spans).toEqual([]);
  });

  test('those of a refused one always are, as it is itself', async () => {
    sample = createSample({ ratio: 0, rules: [] });
    bad.misbehave({ foreignKey: true });
    expect(await badSignIn()).toBe(400);
    expect(names()).toContain('POST /token');
  });

  test('a rule that fits who signed in holds for the calls', async () => {
    sample = createSample({ ratio: 0, rules: [{ team: ['payments'], ratio: 1 }] });
    const get = await signInAt(good);
    await get(await callbackOf(get));
    expect(spans).toHaveLength(3);
  });

  test('discovery, which goes on in the background, is of no trace', async () => {
    await signInAt(good);
    expect(spans).toEqual([]);
  });

  test('neither are the keys that a bearer token is verified with', async () => {
    const get = await signInAt(good);
    const Authorization = `Bearer ${await good.clientCredentialsToken()}`;
    expect((await get('/.signet/me', { Authorization })).status).toBe(200);
    expect(spans).toEqual([]);
  });
});
