// Where `signet check` asks for a site's pages, and where it takes a site to be served over TLS: by configurations as
// Caddy's JSON has them.
import { describe, expect, test } from '@jest/globals';
import { askSite } from '../../sidecar/check/ask-site.ts';
import { checkEdge } from '../../sidecar/check/check-edge.ts';
import type { Edge, Site } from '../../sidecar/check/rule.ts';
import { listensBy, tlsOf } from '../../sidecar/check/tls.ts';
import { readAdapted } from '../../sidecar/edge/adapted.ts';

type Json = Record<string, unknown>;

const DIALS = [{ dial: 'unix//run/signet/sidecar.sock' }];
const GATE: Json = {
  handler: 'reverse_proxy',
  rewrite: { method: 'GET', uri: '/verify?require=any&route=r' },
  upstreams: DIALS,
  handle_response: [
    { match: { status_code: [2], headers: { 'Signet-Stamp': ['*'] } }, routes: [] },
    { routes: [{ handle: [{ handler: 'copy_response' }] }] },
  ],
};
const APP: Json = { handler: 'reverse_proxy', upstreams: [{ dial: 'app:3000' }] };
const PAGES: Json = { handler: 'reverse_proxy', upstreams: DIALS };
const LED: Json = {
  handler: 'static_response',
  status_code: 302,
  headers: { Location: ['https://{http.request.host}{http.request.uri}'] },
};

const SIGNETS = [
  { match: [{ path: ['/.signet/*'] }], handle: [PAGES], terminal: true },
  { handle: [GATE, APP] },
];

function site(hosts: readonly string[], routes: readonly Json[] = SIGNETS): Json {
  const handle = [{ handler: 'subroute', routes }];
  return { ...(hosts.length > 0 && { match: [{ host: hosts }] }), handle, terminal: true };
}

function answering(hosts: readonly string[]): Json {
  return site(hosts, [{ handle: [{ handler: 'static_response', status_code: 204 }] }]);
}

function adaptedOf(servers: Json) {
  const read = readAdapted(JSON.stringify({ apps: { http: { servers } } }));
  if ('problem' in read) throw new Error(read.problem);
  return read;
}

function found(servers: Json, code: string) {
  const all = checkEdge(adaptedOf(servers), { caddy: undefined });
  return all.filter((one) => one.code === code);
}

const unreachable = (servers: Json) => found(servers, 'signet-unreachable');
const plain = (servers: Json) => found(servers, 'plain-http').map(({ seen }) => seen);

function tookIt(server: Json, hosts: readonly string[]): (readonly string[] | undefined)[] {
  const edge: Edge = {
    ...{ adapted: adaptedOf({ srv0: server }), sites: [], sidecars: [], caddy: undefined },
    ...{ settings: {}, env: {}, namedTwice: [] },
  };
  const one: Site = {
    ...{ key: '', server: 'srv0', hosts, visits: [], isSignets: true, lacksSignet: false },
  };
  const outcomes = askSite(one, edge, { method: 'GET', path: '/.signet/login' }) ?? [];
  return outcomes.map((outcome) => outcome.hosts);
}

describe('a site is asked by a host that is its own', () => {
  const exact = ['any.example.com', 'ANY1.example.com', 'localhost', 'any', 'any.invalid'];
  const patterns = ['*', '*.invalid', '*.*', '*.*.*', '*.*.*.*.*'];

  test.each([
    ['for any host, by one that no pattern takes', [], undefined],
    ['for a pattern, by a label that is nowhere', ['*.example.com'], ['*.example.com']],
    ['of an IPv6 address, by its address', ['2001:db8::1'], ['2001:db8::1']],
  ])('%s', (_, hosts, taken) => {
    const others = exact.map((host) => answering([host]));
    const own = [site(['2001:db8::1']), site(['*.example.com'])];
    const routes = [...others, ...own, ...patterns.map((host) => answering([host])), site([])];
    const server = { listen: [':443'], routes };
    expect(tookIt(server, hosts)).toEqual([taken]);
  });

  test('though a matcher within the site names what would be made up', () => {
    const inner = { match: [{ host: ['any.example.com'] }], handle: [LED], terminal: true };
    const server = { listen: [':443'], routes: [site(['*.example.com'], [inner, ...SIGNETS])] };
    expect(unreachable({ srv0: server })).toEqual([]);
  });

  test('and by one that is there where a header rule makes one site of all', () => {
    const host = { handler: 'headers', request: { set: { Host: ['inner.test'] } } };
    const routes = [
      site(['a.example.com'], [...SIGNETS.slice(0, 1), { handle: [host, GATE, APP] }]),
    ];
    expect(unreachable({ srv0: { listen: [':443'], routes } })).toEqual([]);
  });
});

describe('a site is asked at its own server', () => {
  const named = { routes: [site(['a.example.com'])] };
  const any = { routes: [site([])], tls_connection_policies: [{}] };

  test.each([
    ['127.0.0.1:443', ':443'],
    ['[::1]:443', '127.0.0.1:443'],
    ['unix//run/a.sock', ':443'],
    [':443', 'unix//run/b.sock'],
    ['127.0.0.1:8000-8010', ':8005'],
  ])('which listens on %s, beside one on %s', (one, other) => {
    const servers = { srv0: { ...named, listen: [one] }, srv1: { ...any, listen: [other] } };
    expect(unreachable(servers)).toEqual([]);
  });

  test('and is found where it alone leads the pages elsewhere', () => {
    const led = { match: [{ path: ['/.signet/*'] }], handle: [LED], terminal: true };
    const servers = {
      srv0: { ...named, listen: ['127.0.0.1:443'] },
      srv1: { ...any, listen: [':443'], routes: [site([], [led, ...SIGNETS])] },
    };
    expect(unreachable(servers).map(({ where }) => where.pointer)).toEqual([
      '/apps/http/servers/srv1/routes/0/handle/0/routes/0/handle/0',
    ]);
  });
});

test('what answers in the place of the pages is not what the gate guards', () => {
  const under = { ...site([]), match: [{ host: ['a.test'], path: ['/x/*'] }] };
  const open = site(['a.test'], [{ handle: [APP] }]);
  const server = { listen: [':443'], routes: [under, open] };
  expect(unreachable({ srv0: server }).map(({ where }) => where.pointer)).toEqual([
    '/apps/http/servers/srv0/routes/1/handle/0/routes/0/handle/0',
  ]);
});

test('a site that ends before the one for any host needs no pages', () => {
  const server = { listen: [':443'], routes: [answering(['health.test']), site([])] };
  expect(unreachable({ srv0: server })).toEqual([]);
});

describe('a server speaks TLS', () => {
  const hosts = { routes: [site(['a.test']), site([])] };
  const any = { routes: [site([])] };

  test.each<[string, Json, string | undefined]>([
    ['on any port, for one host', { ...hosts, listen: [':8443'] }, 'hosts'],
    ['for an address', { routes: [site(['192.0.2.1'])], listen: [':8443'] }, 'hosts'],
    ['by its port', { ...any, listen: [':443', '127.0.0.1:443'] }, 'port'],
    ['not by one of its ports', { ...any, listen: [':443', ':8443'] }, undefined],
    ['not on a port of no meaning', { ...any, listen: [':8443'] }, undefined],
    ['as it was told', { ...any, listen: [':8443'], tls_connection_policies: [{}] }, 'policies'],
    [
      'not where it was told none',
      { ...hosts, listen: [':443'], tls_connection_policies: [] },
      undefined,
    ],
    ['not on port 80', { ...hosts, listen: [':80', '127.0.0.1:80'] }, undefined],
    ['on a socket', { ...hosts, listen: ['unix//run/a.sock'] }, 'hosts'],
    [
      'not with `auto_https off`',
      { ...hosts, listen: [':443'], automatic_https: { disable: true } },
      undefined,
    ],
    [
      'not for hosts that are left out',
      { ...hosts, listen: [':8443'], automatic_https: { skip: ['a.test'] } },
      undefined,
    ],
  ])('%s', (_, server, by) => {
    const { srv0 = {} } = adaptedOf({ srv0: server }).servers;
    expect(tlsOf(srv0)).toBe(by);
  });

  test('on all its ports but 80', () => {
    const { srv0 = {} } = adaptedOf({ srv0: { ...hosts, listen: [':443', ':80'] } }).servers;
    expect(listensBy(srv0)).toEqual({ secure: [':443'], plain: [':80'] });
  });
});

describe('without TLS', () => {
  const listen = [':443', ':80'];
  const byHttp = { match: [{ protocol: 'http' }], handle: [LED] };
  const withLed = (route: Json) => site(['a.test'], [route, ...SIGNETS]);

  test('is the part of a server on port 80', () => {
    const servers = { srv0: { listen, routes: [site(['a.test'])] } };
    expect(plain(servers)).toEqual(['a.test is served on port 80 without TLS']);
  });

  test('is nothing, where what comes by http is led to https', () => {
    expect(plain({ srv0: { listen, routes: [withLed(byHttp)] } })).toEqual([]);
  });

  test.each<[string, Json]>([
    ['of some paths', { ...byHttp, match: [{ protocol: 'http', path: ['/a'] }] }],
    ['behind the gate', { ...byHttp, handle: [GATE, LED] }],
    ['to http', { ...byHttp, handle: [{ ...LED, headers: { Location: ['http://b.test'] } }] }],
  ])('is a site that leads elsewhere, but %s', (_, route) => {
    expect(plain({ srv0: { listen, routes: [withLed(route)] } })).toHaveLength(1);
  });

  test('is no reason to leave out the pages of the part with TLS', () => {
    const led = { match: [{ path: ['/.signet/*'] }], handle: [LED], terminal: true };
    const routes = [site(['a.test'], [byHttp, led, ...SIGNETS])];
    expect(unreachable({ srv0: { listen, routes } })).toHaveLength(1);
  });
});
