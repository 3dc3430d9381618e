// What a proxy does with answers, and which of them is Signet's gate: by a configuration as Caddy's JSON has it.
import { describe, expect, test } from '@jest/globals';
import { checkEdge } from '../../sidecar/check/check-edge.ts';
import { type Adapted, type Handler, readAdapted } from '../../sidecar/edge/adapted.ts';
import { conditionOf } from '../../sidecar/edge/conditions.ts';
import { gateOf, holdsGate } from '../../sidecar/edge/gate-handler.ts';
import { walkServer } from '../../sidecar/edge/walk.ts';
import { explainRequest } from '../../sidecar/explain/explain.ts';

type Json = Record<string, unknown>;

const BEHIND = { handler: 'file_server' };

function configured(handle: readonly Json[]): Adapted {
  const server = { listen: [':443'], routes: [{ handle }] };
  const read = readAdapted(JSON.stringify({ apps: { http: { servers: { srv0: server } } } }));
  if ('problem' in read) throw new Error(read.problem);
  return read;
}

function proxy(uri: string, more: Json = {}): Handler {
  return {
    handler: 'reverse_proxy',
    rewrite: { method: 'GET', uri },
    upstreams: [{ dial: 'app:3000' }],
    ...more,
  };
}

function visited(handle: readonly Json[]): string[] {
  const { servers } = configured(handle);
  return walkServer('srv0', servers['srv0'] ?? {}).map(({ handler }) => handler.handler);
}

function served(handle: readonly Json[]): string[] {
  const explained = explainRequest(configured(handle), {
    ...{ method: 'GET', url: 'https://app.test/x', found: { refused: 'no-credentials' } },
  });
  if ('problem' in explained) throw new Error(explained.problem);
  return explained.outcomes.map((one) => one.served.by);
}

const answering = (entry: Json): Json => proxy('/x', { handle_response: [entry] });

describe('behind an answer with another status nothing runs', () => {
  test.each([[418], ['418'], [0], ['0'], ['{http.vars.status}'], [true]])('%p', (status) => {
    const entry = { status_code: status, routes: [{ handle: [{ handler: 'encode' }] }] };
    expect(visited([answering(entry), BEHIND])).toEqual(['reverse_proxy']);
  });
});

describe('where a status is not one, Caddy goes on', () => {
  const entries = [{}, { status_code: null }, { status_code: '' }];

  test.each(entries)('for the check: %p', (entry) => {
    expect(visited([answering(entry), BEHIND])).toEqual(['reverse_proxy', 'file_server']);
  });

  test.each(entries)('for an explanation: %p', (entry) => {
    expect(served([answering(entry), BEHIND])).toEqual(['handler']);
  });
});

test('a status that only the running Caddy knows may be none, and then it is an error', () => {
  const entry = { status_code: '{env.STATUS}' };
  expect(served([answering(entry), BEHIND])).toEqual(['proxy', 'error']);
});

test('an interceptor runs its routes, whatever status it gives', () => {
  const routes = [{ handle: [{ handler: 'encode' }] }];
  const handler = { handler: 'intercept', handle_response: [{ status_code: 404, routes }] };
  expect(visited([handler, BEHIND])).toEqual(['intercept', 'encode', 'file_server']);
});

const OK = { match: { status_code: [2] }, routes: [] };
const QUESTION = '/verify?require=any&route=app';

const codes = (handle: readonly Json[]) =>
  checkEdge(configured(handle), { caddy: undefined }).map(({ code }) => code);

test('a gate that gives a refusal another status lets nobody in by it', () => {
  const refused = { match: { status_code: [403] }, status_code: 404 };
  const gate = proxy(QUESTION, { handle_response: [OK, refused] });
  expect(codes([gate, BEHIND])).not.toContain('gate-lets-refused-in');
});

test('somebody else’s gate that gives refusals another status serves nothing', () => {
  const gate = proxy('/auth', { handle_response: [OK, { status_code: 401 }] });
  expect(codes([gate])).toEqual([]);
});

test('what gives a yes another status before it goes on is an app', () => {
  const gate = proxy('/auth', { handle_response: [{ ...OK, status_code: 200 }, OK] });
  expect(codes([gate])).toContain('unguarded');
});

describe('it is Signet’s gate that is asked', () => {
  test.each([
    ['/verify?require=any&route=app', 'app', 'any'],
    ['/verify?route=app&require=any', 'app', 'any'],
    ['/verify?route=app', 'app', undefined],
    ['/verify?require={args[1]}&route=', '', '{args[1]}'],
    ['/verify?require&route={http.vars.name}', '{http.vars.name}', undefined],
    ['/verify?require=any', undefined, undefined],
    ['/verify?require', undefined, undefined],
    ['/verify?route=app&x=1&require=any', 'app&x=1', 'any'],
    ['/verify?x=1&require=any', undefined, undefined],
  ])('%s', (uri, route, requirement) => {
    expect(gateOf(proxy(uri))).toMatchObject({ route, requirement });
  });

  test.each([
    { upstreams: [{ dial: 'unix//run/signet/sidecar.sock' }] },
    { upstreams: [{ dial: 'signet:9000' }] },
    { headers: { request: { set: { 'Signet-Key': ['{env.SIGNET_GATE_KEY}'] } } } },
    { handle_response: [{ match: { headers: { 'Remote-User-Type': ['*'] } } }] },
  ])('by what else it has: %j', (more) => {
    expect([gateOf(proxy('/verify', more)), gateOf(proxy('/verify?x=1', more))]).toMatchObject([
      { route: undefined },
      { route: undefined },
    ]);
  });
});

describe('it is somebody else’s gate that is asked', () => {
  const names = { handle_response: [{ match: { headers: { 'Remote-User': ['*'] } } }] };

  test.each([
    '/verify',
    '/verify?rd=https://login.example.com',
    '/verify?proxy=caddy',
    '/verify?roles=admin',
    '/verify?slug=x&requires=y&routed',
    '/verify?rd=/x?route=1',
    '/api/verify?route=x',
  ])('%s', (uri) => {
    expect([gateOf(proxy(uri)), gateOf(proxy(uri, names))]).toEqual([undefined, undefined]);
  });
});

test('a gate is found in routes to which nothing comes', () => {
  const within = (uri: string) => [
    { handle: [{ handler: 'subroute', routes: [{ handle: [proxy(uri)] }] }] },
  ];
  expect([holdsGate(within(QUESTION)), holdsGate(within('/verify?rd=x'))]).toEqual([true, false]);
});

describe('what a protocol’s matcher looks at', () => {
  const isOfLine = (protocol: unknown) =>
    conditionOf({ match: [{ protocol }] }, { rewrites: 0, changes: 0 })?.isOfLine;

  test.each(['http', 'https', 'http/1.0', 'http/1.1+', 'http/2', 'http/3+'])(
    '%s: the request’s line, or what it came by',
    (protocol) => expect(isOfLine(protocol)).toBe(true),
  );

  test('grpc: a header, which may be another later', () => {
    expect(isOfLine('grpc')).toBe(false);
  });
});
