// The matchers of `signet explain`, by cases that Caddy's own tests have (modules/caddyhttp/matchers_test.go of 2.11.4),
// and what must stay unknown.
import { describe, expect, test } from '@jest/globals';
import { parseCaddyVersion } from '../../sidecar/edge/version.ts';
import { firstMatch, replacedEvery } from '../../sidecar/explain/bounded.ts';
import { matchOne, matchSets } from '../../sidecar/explain/match.ts';
import { goRegExp } from '../../sidecar/explain/regexp.ts';
import { readRequest, type Request, type Wanted } from '../../sidecar/explain/request.ts';

function asked(url: string, wanted: Partial<Wanted> = {}): Request {
  const read = readRequest({ method: 'GET', url, ...wanted });
  if ('problem' in read) throw new Error(read.problem);
  return read.request;
}

const at = (path: string, wanted: Partial<Wanted> = {}) => asked(`http://a.test${path}`, wanted);
const metBy = (name: string, wanted: unknown, request: Request) =>
  matchOne(name, wanted, request).met;

describe('host', () => {
  test.each([
    ['example.com', 'example.com', 'yes'],
    ['EXAMPLE.com', 'example.com:8080', 'yes'],
    ['example.com', 'foo.example.com', 'no'],
    ['*.example.com', 'foo.example.com', 'yes'],
    ['*.example.com', 'example.com', 'no'],
    ['*.example.com', 'a.b.example.com', 'no'],
    ['foo.*.com', 'foo.bar.com', 'yes'],
    ['*', 'localhost', 'yes'],
    ['*', 'example.com', 'no'],
    ['[::1]', '[::1]:443', 'no'],
    ['::1', '[::1]:443', 'yes'],
    ['bücher.example', 'xn--bcher-kva.example', 'yes'],
    ['{http.request.header.X-Host}', 'example.com', 'no'],
    ['{env.HOST}', 'example.com', 'unknown'],
  ])('%s takes %s: %s', (pattern, host, met) => {
    expect(metBy('host', [pattern], asked(`http://${host}/`))).toBe(met);
  });
});

describe('path', () => {
  test.each([
    ['/', '/', 'yes'],
    ['/foo/bar', '/', 'no'],
    ['/foo/bar', '/foo/bar/', 'no'],
    ['/foo/bar/*', '/foo/bar', 'no'],
    ['/foo/bar/*', '/foo/bar/', 'yes'],
    ['*.ext', '/foo/bar.ext', 'yes'],
    ['*.php', '/index.PHP', 'yes'],
    ['/admin*', '/ADMINistrator', 'yes'],
    ['*/foo/*', '/bar/foo/x', 'yes'],
    ['/foo/*/baz', '/foo/bar/baz', 'yes'],
    ['/foo/*/baz', '/foo/a/b/baz', 'no'],
    ['/foo', '//foo', 'yes'],
    ['//foo', '/foo', 'no'],
    ['//foo', '//foo', 'yes'],
    ['/foo', '/x/../foo', 'yes'],
    ['/foo', '/x/%2e%2e/foo', 'yes'],
    ['/foo', '/f%6Fo', 'yes'],
    ['/foo*', '/%2Ffoo', 'yes'],
    ['/f%2fo', '/f%2Fo', 'yes'],
    ['/f%2fo', '/f/o', 'no'],
    ['/bands/%*', '/bands/AC%2FDC', 'yes'],
    ['/bands/*', '/bands/AC%2FDC', 'yes'],
    ['/bands/*/', '/bands/AC%2FDC/', 'no'],
    ['/bands/%*/', '/bands/AC%2FDC/', 'yes'],
    ['/%25', '/%25', 'yes'],
    ['/[ab]c', '/bc', 'yes'],
    ['/[^a]c', '/ac', 'no'],
    ['/[', '/[', 'no'],
    ['/a?c', '/abc', 'yes'],
    ['*', '/anything', 'yes'],
    ['{http.request.header.X-Path}*', '/x', 'yes'],
    ['{env.PREFIX}*', '/x', 'unknown'],
  ])('%s takes %s: %s', (pattern, path, met) => {
    expect(metBy('path', [pattern], at(path))).toBe(met);
  });

  test('a path that is not known is no match, and no mismatch', () => {
    expect(metBy('path', ['/x'], { ...at('/x'), path: undefined })).toBe('unknown');
  });
});

describe('headers', () => {
  const headers = [
    ['X-Kind', 'foobar'],
    ['X-Kind', 'second'],
    ['X-Empty', ''],
    ['X_Under', 'x'],
  ] as const;
  test.each([
    [{ 'X-Kind': ['foobar'] }, 'yes'],
    [{ 'x-kind': ['second'] }, 'yes'],
    [{ 'X-Kind': ['foo*'] }, 'yes'],
    [{ 'X-Kind': ['*bar'] }, 'yes'],
    [{ 'X-Kind': ['*oba*'] }, 'yes'],
    [{ 'X-Kind': ['FOOBAR'] }, 'no'],
    [{ 'X-Kind': ['*'], 'X-Other': ['*'] }, 'no'],
    [{ 'X-Empty': [''] }, 'yes'],
    [{ 'X-Kind': [] }, 'yes'],
    [{ 'X-Kind': null }, 'no'],
    [{ 'X-Other': null }, 'yes'],
    [{ 'X-Under': ['*'] }, 'no'],
    [{ X_Under: ['*'] }, 'no'],
    [{ Host: ['a.test'] }, 'yes'],
    [{ 'User-Agent': ['*curl*'] }, 'unknown'],
  ])('%j: %s', (fields, met) => {
    expect(metBy('header', fields, at('/', { headers }))).toBe(met);
  });
});

describe('query', () => {
  test.each([
    [{ debug: ['1'] }, '/?debug=1', 'yes'],
    [{ debug: ['1'] }, '/', 'no'],
    [{ debug: ['1', '2'] }, '/?debug=2', 'yes'],
    [{ debug: ['*'] }, '/?debug', 'yes'],
    [{ debug: ['1'], a: ['b'] }, '/?debug=1', 'no'],
    [{ q: ['a b'] }, '/?q=a+b', 'yes'],
    [{ q: ['1'] }, '/?q=1;x=2', 'no'],
    [{ q: ['1'] }, '/?q=1&x=%zz', 'no'],
    [{}, '/', 'yes'],
    [{}, '/?a', 'no'],
  ])('%j takes %s: %s', (wanted, path, met) => {
    expect(metBy('query', wanted, at(path))).toBe(met);
  });
});

describe('others', () => {
  test.each([
    ['method', ['GET'], 'yes'],
    ['protocol', 'http', 'yes'],
    ['protocol', 'https', 'no'],
    ['protocol', 'grpc', 'no'],
    ['protocol', 'http/2+', 'no'],
    ['tls', {}, 'no'],
    ['remote_ip', { ranges: ['127.0.0.0/8'] }, 'yes'],
    ['remote_ip', { ranges: ['10.0.0.1', '::1'] }, 'no'],
    ['client_ip', { ranges: ['{env.NET}'] }, 'unknown'],
    ['vars', { '{http.request.uri.path}': ['/x', '/y'] }, 'yes'],
    ['vars', { unset: [''] }, 'yes'],
    ['vars', { '{http.reverse_proxy.header.X}': [''] }, 'unknown'],
    ['vars_regexp', { '{http.request.method}': { pattern: '^G' } }, 'yes'],
    ['path_regexp', { pattern: '^/[[:alpha:]]$' }, 'unknown'],
    ['file', { try_files: ['{http.request.uri.path}'] }, 'unknown'],
    ['expression', "path('/x') && !method('POST')", 'yes'],
    ['expression', { expr: "{http.request.method} in ['PUT', 'POST']" }, 'no'],
    ['expression', "{http.request.uri.path}.startsWith('/x')", 'unknown'],
    ['expression', '{http.request.uri.path} == 1', 'unknown'],
    ['geoip', {}, 'unknown'],
    ['not', [{ path: ['/x'] }, { method: ['PUT'] }], 'no'],
    ['not', [{ method: ['PUT'] }], 'yes'],
    ['not', [{ geoip: {} }], 'unknown'],
    ['vars', { '{http.request.proto}': ['HTTP/1.1'] }, 'yes'],
    ['vars', { '{http.request.proto}': ['websocket'] }, 'no'],
  ])('%s %j: %s', (name, wanted, met) => {
    expect(metBy(name, wanted, at('/x', { from: '127.0.0.1' }))).toBe(met);
  });

  test('which protocol TLS brings is not known', () => {
    const secure = asked('https://a.test/');
    expect(metBy('vars', { '{http.request.proto}': ['websocket'] }, secure)).toBe('unknown');
  });

  test('without --from an address is not known', () => {
    expect(metBy('remote_ip', { ranges: ['127.0.0.1'] }, at('/'))).toBe('unknown');
  });

  test('a set that fails in one matcher fails, whatever else is unknown', () => {
    expect(matchSets([{ geoip: {}, path: ['/y'] }], at('/x')).met).toBe('no');
  });

  test('one set that holds is enough', () => {
    expect(matchSets([{ geoip: {} }, { path: ['/x'] }], at('/x')).met).toBe('yes');
  });
});

describe('a method in lower case', () => {
  const caddy = (text: string) => at('/', { caddy: parseCaddyVersion(text) });

  test.each([
    ['2.11.4', 'no'],
    ['2.11.5', 'yes'],
    ['2.12.0', 'yes'],
  ])('is to Caddy %s: %s', (version, met) => {
    expect(metBy('method', ['get'], caddy(version))).toBe(met);
  });

  test('hangs on the version where that is not known', () => {
    expect(matchOne('method', ['get'], at('/'))).toMatchObject({
      met: 'unknown',
      why: 'this Caddy is 2.11.5 or later, to which get means GET',
    });
  });

  test('beside the same one in capitals hangs on nothing', () => {
    expect(metBy('method', ['get', 'GET'], at('/'))).toBe('yes');
  });

  test('was sent so only to an older Caddy that is to match', () => {
    const sent = asked('http://a.test/', { method: 'get', caddy: parseCaddyVersion('2.11.5') });
    expect(metBy('method', ['get'], sent)).toBe('no');
  });

  test('is none in an expression, whichever Caddy it is', () => {
    expect(metBy('expression', "method('get')", caddy('2.11.9'))).toBe('no');
  });
});

describe('the empty path of a target that is the whole URL', () => {
  const bare = { ...at('/'), path: '', rawPath: '' };

  // As Caddy 2.11.4 and 2.11.9 answered it.
  test.each([
    ['/*', 'no'],
    ['/', 'no'],
    ['*', 'yes'],
    ['.', 'yes'],
  ])('%s: %s', (pattern, met) => {
    expect(metBy('path', [pattern], bare)).toBe(met);
  });
});

describe('an expression that JavaScript would try for years', () => {
  const text = `/${'a'.repeat(44)}`;

  test.each([String.raw`^/([\w-]+/?)+\.php$`, '^/(a|a)*b$', '^/(a?a?a?a?a?a?){9}(a*)*b$'])(
    '%s is not guessed',
    (pattern) => {
      expect(metBy('path_regexp', { pattern }, at(text))).toBe('unknown');
    },
  );

  test('is told where it is quick', () => {
    const pattern = String.raw`^/([\w-]+/?)+\.php$`;
    expect(firstMatch(/^\/([\w-]+\/?)+\.php$/u, '/wp/index.php')?.[1]).toBe('index');
    expect(metBy('path_regexp', { pattern }, at('/wp/index.php'))).toBe('yes');
  });

  test('leaves what it would replace unknown', () => {
    expect(replacedEvery('a'.repeat(44), /^((a|b)+)+,$/u, () => '')).toBeUndefined();
  });

  test('replaces as JavaScript does where it is quick', () => {
    const by = ([whole]: RegExpExecArray) => `<${whole}>`;
    expect(replacedEvery('a-bb--c', /(\w)*/u, by)).toBe('a-bb--c'.replaceAll(/(\w)*/gu, '<$&>'));
  });
});

describe('a regular expression of Go', () => {
  test.each([
    ['^/a{,2}$', '/a{,2}', true],
    ['^\\-\\/\\_$', '-/_', true],
    ['^\\s$', '\u00a0', false],
    ['^.$', '\u2028', true],
    ['(?i)^K$', 'k', true],
    ['^(?P<n>a)\\z', 'a', true],
    ['^[]a]$', ']', true],
    ['\\x{41}', 'A', true],
  ])('%s on %j: %s', (pattern, text, matches) => {
    expect(goRegExp(pattern)?.test(text)).toBe(matches);
  });

  test.each(['\\Qa\\E', '(?U)a*', '\\pL', '[[:digit:]]', 'a(?i)b', '\\07'])(
    '%s is not guessed',
    (pattern) => {
      expect(goRegExp(pattern)).toBeUndefined();
    },
  );
});

describe('a URL', () => {
  test.each([
    'ftp://a.test/',
    '/x',
    'http://',
    'http://u@a.test/',
    'http://a.test/%zz',
    'http://a.test/a b',
  ])('%s is none that Caddy would read', (url) => {
    expect(readRequest({ method: 'GET', url })).toHaveProperty('problem');
  });

  test('is taken as it is spelled', () => {
    expect(asked('http://a.test/x/../%2e/y?q#f')).toMatchObject({
      path: '/x/.././y',
      query: 'q',
    });
  });
});
