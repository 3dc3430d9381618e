// How Caddy's JSON is read: as Go reads it, or not at all. What Caddy does with each was tried with Caddy 2.11.4.
import { describe, expect, test } from '@jest/globals';
import { readAdapted, type Adapted } from '../../sidecar/edge/adapted.ts';

const SERVER = '/apps/http/servers/srv0';
const served = { handler: 'static_response', body: 'x' };
const config = (server: object) => ({ apps: { http: { servers: { srv0: server } } } });
const inRoute = (...handle: readonly unknown[]) => config({ routes: [{ handle }] });
const proxy = (parts: object) => inRoute({ handler: 'reverse_proxy', ...parts });
const matched = (set: object) => config({ routes: [{ match: [set] }] });

function read(json: object): Adapted {
  const adapted = readAdapted(JSON.stringify(json));
  if ('problem' in adapted) throw new Error(adapted.problem);
  return adapted;
}

function problemIn(json: object): string | undefined {
  const adapted = readAdapted(JSON.stringify(json));
  return 'problem' in adapted ? adapted.problem : undefined;
}

describe('a key that Go reads in any case is refused in any but its own', () => {
  test.each<[string, object]>([
    ['/Admin', { Admin: {} }],
    ['/admin/Listen', { admin: { Listen: ':2019' } }],
    ['/LOGGING', { LOGGING: {} }],
    ['/logging/logs/default/Level', { logging: { logs: { default: { Level: 'ERROR' } } } }],
    [
      '/logging/logs/a/encoder/wrap/Time_key',
      { logging: { logs: { a: { encoder: { format: 'filter', wrap: { Time_key: 't' } } } } } },
    ],
    ['/apps/http/Servers', { apps: { http: { servers: {}, Servers: {} } } }],
    [`${SERVER}/Routes`, config({ Routes: [] })],
    [`${SERVER}/Errors`, config({ Errors: {} })],
    [`${SERVER}/errors/Routes`, config({ errors: { Routes: [] } })],
    [`${SERVER}/logs/Skip_Hosts`, config({ logs: { Skip_Hosts: [] } })],
    [`${SERVER}/named_routes/Any/Handle`, config({ named_routes: { Any: { Handle: [] } } })],
    [`${SERVER}/routes/0/Match`, config({ routes: [{ Match: [] }] })],
    [`${SERVER}/routes/0/handle/0/Routes`, inRoute({ handler: 'subroute', Routes: [] })],
    [
      `${SERVER}/routes/0/handle/0/routes/0/Terminal`,
      inRoute({ handler: 'subroute', routes: [{ Terminal: true }] }),
    ],
    [
      `${SERVER}/routes/0/handle/0/errors/routes/0/Handle`,
      inRoute({ handler: 'subroute', errors: { routes: [{ Handle: [] }] } }),
    ],
    [`${SERVER}/routes/0/handle/0/rewrite/URI`, proxy({ rewrite: { URI: '/verify' } })],
    [
      `${SERVER}/routes/0/handle/0/headers/request/Set`,
      proxy({ headers: { request: { Set: {} } } }),
    ],
    [`${SERVER}/routes/0/handle/0/upstreams/0/Dial`, proxy({ upstreams: [{ Dial: 'app:80' }] })],
    [
      `${SERVER}/routes/0/handle/0/handle_response/0/match/Status_code`,
      proxy({ handle_response: [{ match: { Status_code: [2] } }] }),
    ],
    [
      `${SERVER}/routes/0/handle/0/handle_response/0/routes/0/Handle`,
      proxy({ handle_response: [{ routes: [{ Handle: [] }] }] }),
    ],
    [
      `${SERVER}/routes/0/match/0/path_regexp/Pattern`,
      matched({ path_regexp: { Pattern: '^/x' } }),
    ],
    [
      `${SERVER}/routes/0/match/0/not/0/remote_ip/Ranges`,
      matched({ not: [{ remote_ip: { Ranges: [] } }] }),
    ],
  ])('%s', (pointer, json) => {
    expect(problemIn(json)).toMatch(new RegExp(`^at ${pointer}: Caddy reads this as`));
  });

  test('and so are the letters that Go takes for an s and a k', () => {
    expect(problemIn(config({ routeſ: [] }))).toContain('Caddy reads this as `routes`');
    expect(problemIn(inRoute({ handler: 'log_append', '\u212Aey': 'x' }))).toContain('`key`');
  });
});

describe('a name is taken as it is spelled', () => {
  test.each<[string, object]>([
    ['of a server', { apps: { http: { servers: { Routes: {} } } } }],
    ['of a log', { logging: { logs: { Level: {} } } }],
    ['of a named route', config({ named_routes: { Handle: {} } })],
    ['of a header', proxy({ headers: { request: { set: { Set: ['x'], Match: ['y'] } } } })],
    ['of a host with a log of its own', config({ logs: { logger_names: { Trace: ['a'] } } })],
    ['of a matcher', matched({ Path_regexp: { Pattern: 'x' } })],
    ['in a handler that is not Caddy’s own', inRoute({ handler: 'theirs', Routes: 1 })],
    ['of a variable', inRoute({ handler: 'vars', Root: '/srv' })],
  ])('%s', (_what, json) => {
    expect(problemIn(json)).toBeUndefined();
  });
});

describe('a null is what Go makes of it', () => {
  test('a route that does nothing', () => {
    const { servers } = read(config({ routes: [null, { handle: [served] }] }));
    expect(servers['srv0']?.routes).toEqual([{}, { handle: [served] }]);
  });

  test('a set of matchers that takes everything', () => {
    const { servers } = read(config({ routes: [{ match: [null], handle: [served] }] }));
    expect(servers['srv0']?.routes).toMatchObject([{ match: [{}] }]);
  });

  test('but no handler: without a name Caddy does not start', () => {
    expect(problemIn(inRoute(null))).toContain(`at ${SERVER}/routes/0/handle/0: `);
  });
});

describe('what is not understood is refused, however deep it stands', () => {
  const wrong = [{ handle: [{ handler: 1 }] }];
  test.each<[string, object]>([
    ['routes', inRoute({ handler: 'subroute', routes: wrong })],
    ['errors/routes', inRoute({ handler: 'subroute', errors: { routes: wrong } })],
    ['handle_response/0/routes', proxy({ handle_response: [{ routes: wrong }] })],
    [
      'handle_response/1/routes',
      inRoute({ handler: 'intercept', handle_response: [{}, { routes: wrong }] }),
    ],
  ])('%s', (place, json) => {
    const pointer = `${SERVER}/routes/0/handle/0/${place}/0/handle/0/handler`;
    expect(problemIn(json)).toContain(`at ${pointer}: `);
  });

  test('an object where Caddy reads a list', () => {
    const json = inRoute({ handler: 'subroute', routes: { handle: [] } });
    expect(problemIn(json)).toContain(`at ${SERVER}/routes/0/handle/0/routes: `);
  });

  test('a server whose name would be left out without a word', () => {
    const text = '{"apps":{"http":{"servers":{"__proto__":{"listen":[":80"]}}}}}';
    expect(readAdapted(text)).toMatchObject({ problem: expect.stringContaining('__proto__') });
  });
});

test('names of all apps are kept, and who may load a configuration or speak to it from afar', () => {
  const config = { load: { module: 'http' } };
  const remote = { listen: ':2021' };
  expect(read({ admin: { config, remote }, apps: { http: {}, layer4: {} } })).toMatchObject({
    admin: { config, remote },
    apps: ['http', 'layer4'],
  });
});
