// Files in error routes, as JSON has them: whether a request has a say in which one it gets.
import { describe, expect, test } from '@jest/globals';
import { checkEdge } from '../../sidecar/check/check-edge.ts';
import { readAdapted } from '../../sidecar/edge/adapted.ts';

type Json = Record<string, unknown>;

const TENANT = '/srv/{http.request.header.X-Tenant}';
const PAGE: Json = { handler: 'rewrite', uri: '/index.html' };
const FILES: Json = { handler: 'file_server' };
const FIXED: Json = { handler: 'vars', root: '/srv/errors' };
const CHOSEN: Json = { handler: 'vars', root: TENANT };
const GONE = [{ expression: '{http.error.status_code} == 404' }];

/** How often an error route is told to serve, for these routes of requests and of errors; or another code. */
function told(
  errors: readonly Json[],
  routes: readonly Json[] = [],
  named: Json = {},
  wanted = 'error-route-serves',
): number {
  const server = { listen: [':443'], routes, errors: { routes: errors }, named_routes: named };
  const adapted = readAdapted(JSON.stringify({ apps: { http: { servers: { srv0: server } } } }));
  if ('problem' in adapted) throw new Error(adapted.problem);
  const findings = checkEdge(adapted, { caddy: undefined });
  return findings.filter(({ code }) => code === wanted).length;
}

const route = (...handle: readonly Json[]): Json => ({ handle });
const hostRoute = (host: string, ...handle: readonly Json[]): Json => {
  return { match: [{ host: [host] }], handle: [{ handler: 'subroute', routes: [{ handle }] }] };
};

describe('a file in an error route is told', () => {
  test.each([
    ['its folder is the client’s', { ...FILES, root: TENANT }],
    ['its file system is', { ...FILES, fs: '{http.request.header.X-Fs}' }],
    ['its index is', { ...FILES, index_names: ['{http.request.uri.query}'] }],
    ['it lists a folder', { ...FILES, browse: {} }],
    ['its folder is in another variable', { ...FILES, root: '{http.vars.rooted}' }],
  ])('when %s', (_what, files) => {
    expect(told([route(PAGE, files)])).toBe(1);
  });

  test('when a variable that has a name of the client’s may be its folder', () => {
    const any = { handler: 'vars', '{http.request.header.X-Name}': '{http.request.header.X-Is}' };
    expect(told([route(FIXED, any, PAGE, FILES)])).toBe(1);
  });

  test('when the folder is fixed only for some of them', () => {
    const routes = [{ match: GONE, handle: [FIXED] }, route(PAGE, FILES)];
    expect(told(routes, [route(CHOSEN)])).toBe(1);
  });

  test('when the folder was fixed before, and then was not for some', () => {
    expect(told([route(FIXED), { match: GONE, handle: [CHOSEN] }, route(PAGE, FILES)])).toBe(1);
  });

  test('when the errors are those of more hosts than the site that sets the folder', () => {
    const errors = [hostRoute('*.example.com', PAGE, FILES)];
    expect(told(errors, [hostRoute('app.example.com', CHOSEN)])).toBe(1);
  });

  test('when another site’s error route fixes the folder', () => {
    const errors = [hostRoute('a.example.com', FIXED), hostRoute('b.example.com', PAGE, FILES)];
    expect(told(errors, [hostRoute('*.example.com', CHOSEN)])).toBe(1);
  });

  test('when the folder is fixed for what an app answered there', () => {
    const proxy = { handler: 'reverse_proxy', upstreams: [{ dial: 'app:3000' }] };
    const answered = { ...proxy, handle_response: [{ routes: [route(FIXED)] }] };
    // The app is told, too.
    expect(told([route(answered), route(PAGE, FILES)], [route(CHOSEN)])).toBe(2);
  });

  test('when the folder is made of the host, and any host will do', () => {
    const folder = { handler: 'vars', root: '/srv/{http.request.host}' };
    expect(told([route(folder, PAGE, FILES)])).toBe(1);
  });

  test.each([
    ['a part is put into', { uri_substring: [{ find: 'a', replace: '{http.request.uri.query}' }] }],
    ['a part is looked for in', { uri_substring: [{ find: '{http.request.uri.query}' }] }],
    ['a pattern changes', { path_regexp: [{ find: 'a', replace: '{http.request.uri.query}' }] }],
    ['a suffix is taken off', { strip_path_suffix: '{http.request.uri.query}' }],
  ])('when %s a fixed path by the client', (_what, change) => {
    expect(told([route(PAGE, { handler: 'rewrite', ...change }, FIXED, FILES)])).toBe(1);
  });

  test.each(['#index.html', '?index.html', ''])('when a rewrite to “%s” leaves its path', (uri) => {
    expect(told([route({ handler: 'rewrite', uri }, FIXED, FILES)])).toBe(1);
  });
});

describe('a file in an error route is not told', () => {
  test('when its own folder is fixed, whatever the site’s is', () => {
    expect(told([route(PAGE, { ...FILES, root: '/srv/errors' })], [route(CHOSEN)])).toBe(0);
  });

  test('when the folder is fixed there for all', () => {
    expect(told([route(CHOSEN, FIXED), route(PAGE, FILES)], [route(CHOSEN)])).toBe(0);
  });

  test('when only another site has a folder of the client’s', () => {
    const errors = [hostRoute('b.example.com', PAGE, FILES)];
    expect(told(errors, [hostRoute('a.example.com', CHOSEN)])).toBe(0);
  });

  test('when the path is changed by fixed words', () => {
    const change = { uri_substring: [{ find: 'a', replace: 'b' }], strip_path_prefix: '/errors' };
    const pattern = { path_regexp: [{ find: '[a-z]{2}', replace: 'de' }], method: '{method}' };
    expect(told([route(PAGE, { handler: 'rewrite', ...change, ...pattern }, FILES)])).toBe(0);
  });
});

test('a named route that errors invoke has no folder of its own place', () => {
  const named = { page: route(PAGE, FILES) };
  const invoke = { handler: 'invoke', name: 'page' };
  expect(told([route(invoke)], [route(CHOSEN)], named)).toBe(1);
  expect(told([route(invoke)], [], named)).toBe(0);
});

test('in place of a refusal a path is fixed only where that is answered', () => {
  const inAnswer = (...handle: readonly Json[]) => {
    const handle_response = [{ match: { status_code: [403] }, routes: [route(...handle)] }];
    return route(PAGE, { handler: 'intercept', handle_response });
  };
  expect(told([], [inAnswer(FILES)], {}, 'intercept-serves')).toBe(1);
  expect(told([], [inAnswer(PAGE, FILES)], {}, 'intercept-serves')).toBe(0);
});
