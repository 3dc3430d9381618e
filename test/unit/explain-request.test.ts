// What `signet explain` tells of one request: by a configuration as `caddy adapt` writes it, without a Caddy.
import { describe, expect, test } from '@jest/globals';
import { readAdapted, type Adapted } from '../../sidecar/edge/adapted.ts';
import { claimedCaller, namedCaller, type Voucher } from '../../sidecar/explain/caller.ts';
import { explainRequest, type Told } from '../../sidecar/explain/explain.ts';
import { explainJson } from '../../sidecar/explain/explain-json.ts';
import { explainText } from '../../sidecar/explain/explain-text.ts';
import { decisionOf, whyWords } from '../../sidecar/explain/words.ts';
import { DEFAULT_CLAIM_NAMES } from '../../sidecar/identity/claims.ts';
import type { Found } from '../../sidecar/policy/decide.ts';

const SIGNED_OUT: Found = { refused: 'no-credentials' };
const ALICE: Found = {
  identity: namedCaller({ user: 'alice', team: 'payments', roles: [], scopes: [] }),
};

const copies = { handler: 'subroute', routes: [{ handle: [{ handler: 'copy_response' }] }] };

function gate(route: string, requirement: string, refused: object = copies): object {
  return {
    handler: 'reverse_proxy',
    rewrite: { method: 'GET', uri: `/verify?route=${route}&require=${requirement}` },
    upstreams: [{ dial: '127.0.0.1:9000' }],
    handle_response: [
      {
        match: { status_code: [2], headers: { 'Signet-Stamp': ['*'] } },
        routes: [{ handle: [{ handler: 'headers' }] }],
      },
      { match: { headers: { 'Signet-Stamp': ['*'] } }, routes: [{ handle: [refused] }] },
    ],
  };
}

const app = { handler: 'reverse_proxy', upstreams: [{ dial: 'app:3000' }] };

function configured(handle: readonly object[], server: object = {}): Adapted {
  const routes = [{ match: [{ host: ['app.test'] }], handle, terminal: true }];
  const read = readAdapted(
    JSON.stringify({
      apps: { http: { servers: { srv0: { listen: [':443'], routes, ...server } } } },
    }),
  );
  if ('problem' in read) throw new Error(read.problem);
  return read;
}

function told(adapted: Adapted, found: Found, more: object = {}): readonly Told[] {
  const explained = explainRequest(adapted, {
    method: 'GET',
    url: 'https://app.test/x',
    found,
    ...more,
  });
  if ('problem' in explained) throw new Error(explained.problem);
  return explained.outcomes;
}

test('what the sidecar serves under /.signet/ is said to be its own page', () => {
  const pages = { handler: 'reverse_proxy', upstreams: [{ dial: '127.0.0.1:9000' }] };
  const route = { match: [{ path: ['/.signet/*'] }], handle: [pages], terminal: true };
  const site = configured([{ handler: 'subroute', routes: [route] }, gate('orders', 'any'), app]);
  const [one] = told(site, SIGNED_OUT, { url: 'https://app.test/.signet/login' });
  expect(whyWords(one!)).toMatch(/a page of the sidecar itself/);
});

test('an app under /.signet/ that is not where the gate dials is open to anyone', () => {
  const route = { match: [{ path: ['/.signet/*'] }], handle: [app], terminal: true };
  const site = configured([{ handler: 'subroute', routes: [route] }, gate('orders', 'any'), app]);
  const [one] = told(site, SIGNED_OUT, { url: 'https://app.test/.signet/login' });
  expect(whyWords(one!)).toMatch(/anyone is served/);
});

test('of a host that is no site’s it is said that no site is for it', () => {
  const [one] = told(configured([app]), SIGNED_OUT, { url: 'https://other.test/' });
  expect(whyWords(one!)).toBe('no site is for the host other.test');
});

describe('a block behind the gate', () => {
  const adapted = configured([gate('orders', 'team:payments'), app]);

  test('is the app’s for who meets the requirement', () => {
    expect(told(adapted, ALICE)).toMatchObject([
      {
        served: { by: 'proxy', dials: ['app:3000'] },
        asked: [{ verdict: { reason: 'requirement-met' } }],
      },
    ]);
  });

  test('is refused for who is signed out, and it is told what stands behind it', () => {
    expect(told(adapted, SIGNED_OUT)).toMatchObject([
      { served: { by: 'gate', status: 401 }, behind: [{ by: 'proxy' }] },
    ]);
  });

  test('is 403 for who is known and not allowed', () => {
    const bob = { identity: namedCaller({ user: 'bob', team: 'search', roles: [], scopes: [] }) };
    expect(told(adapted, bob)).toMatchObject([
      { served: { by: 'gate', status: 403 }, asked: [{ verdict: { reason: 'team-not-allowed' } }] },
    ]);
  });

  test('is a sign-in for a browser on its way to a page', () => {
    const outcomes = told(adapted, SIGNED_OUT, { headers: [['Sec-Fetch-Mode', 'navigate']] });
    expect(outcomes).toMatchObject([
      { served: { by: 'gate', status: 302 }, asked: [{ verdict: { decision: 'login' } }] },
    ]);
  });

  test('is closed by a requirement that does not parse', () => {
    const outcomes = told(configured([gate('orders', 'team:'), app]), ALICE);
    expect(outcomes).toMatchObject([
      { asked: [{ verdict: { reason: 'requirement-invalid', status: 403 } }] },
    ]);
  });

  test('is closed by a name that nobody has, where the names are known', () => {
    const one = configured([gate('orders', 'idp:nobody'), app]);
    expect(told(one, ALICE, { names: ['okta'] })).toMatchObject([
      { asked: [{ verdict: { reason: 'requirement-invalid' } }] },
    ]);
  });

  test('is said to be open where Caddy serves it in spite of a refusal', () => {
    const [one] = told(
      configured([gate('orders', 'any', { handler: 'headers' }), app]),
      SIGNED_OUT,
    );
    expect(one?.served).toMatchObject({ by: 'proxy' });
    expect(whyWords(one!)).toMatch(/refuses, and Caddy serves it all the same/);
  });
});

describe('without a gate', () => {
  test('what an answer must be is told as Caddyfiles have it', () => {
    const proxy = {
      ...{ handler: 'reverse_proxy', upstreams: [{ dial: 'app:3000' }] },
      handle_response: [{ match: { status_code: [2, 404] }, routes: [] }],
    };
    const [one] = told(configured([proxy, app]), SIGNED_OUT);
    expect(one?.when.flat()).toContain('its answer is 2xx, 404');
  });

  const OPEN = { handler: 'vars', signet_unprotected: 'assets' };

  test('it is said that nothing protects it', () => {
    const [one] = told(configured([app]), SIGNED_OUT);
    expect([decisionOf(one!), whyWords(one!)]).toEqual([
      'none',
      expect.stringMatching(/^nothing protects it/),
    ]);
  });

  test('a block that is open on purpose has its name', () => {
    expect(told(configured([OPEN, app]), SIGNED_OUT)).toMatchObject([{ open: 'assets' }]);
  });

  test.each([
    ['its list of routes', [{ handle: [OPEN] }, { handle: [] }]],
    ['one in it', [{ handle: [OPEN, { handler: 'subroute', routes: [{ handle: [OPEN] }] }] }]],
    ['its list, where it is the last', [{ handle: [OPEN, { handler: 'encode' }] }]],
  ])('the word of an open block does not go beyond %s', (_what, routes) => {
    const block = { handler: 'subroute', routes };
    expect(told(configured([block, app]), SIGNED_OUT)).toMatchObject([{ open: undefined }]);
  });

  test('an open block in an open block ends by itself', () => {
    const inner = {
      handler: 'subroute',
      routes: [{ handle: [{ ...OPEN, signet_unprotected: 'b' }] }],
    };
    expect(told(configured([OPEN, inner, app]), SIGNED_OUT)).toMatchObject([{ open: 'assets' }]);
  });

  test('what answers for the errors of an open block is not open by its word', () => {
    const failing = [OPEN, { handler: 'error', status_code: 404 }];
    const block = {
      handler: 'subroute',
      routes: [{ handle: failing }],
      errors: { routes: [{ handle: [app] }] },
    };
    expect(told(configured([block]), SIGNED_OUT)).toMatchObject([
      { served: { by: 'proxy' }, open: undefined },
    ]);
  });

  test('a request that nothing takes is answered 200 without a body', () => {
    expect(told(configured([]), SIGNED_OUT)).toMatchObject([{ served: { by: 'nothing' } }]);
  });

  test('nobody listens on another port', () => {
    expect(told(configured([app]), SIGNED_OUT, { url: 'https://app.test:8443/' })).toMatchObject([
      { served: { by: 'nobody' } },
    ]);
  });

  test('plain HTTP is redirected, as Caddy does by itself', () => {
    expect(told(configured([app]), SIGNED_OUT, { url: 'http://app.test/x?y' })).toMatchObject([
      { served: { by: 'redirect', status: '308', to: 'https://app.test/x?y' } },
    ]);
  });

  test('nor is it where those redirects are switched off', () => {
    const adapted = configured([app], { automatic_https: { disable_redirects: true } });
    expect(told(adapted, SIGNED_OUT, { url: 'http://app.test/' })).toMatchObject([
      { served: { by: 'nobody' } },
    ]);
  });
});

describe('what only the running Caddy knows', () => {
  const open = { handler: 'static_response', body: 'open' };
  const asks = (match: object) =>
    configured([
      { handler: 'subroute', routes: [{ match: [match], handle: [open] }, { handle: [app] }] },
    ]);

  test('leads to each thing that may happen, with what it hangs on', () => {
    const outcomes = told(asks({ geoip: {} }), SIGNED_OUT);
    expect(outcomes.map(({ served, when }) => [served.by, when.length])).toEqual([
      ['response', 1],
      ['proxy', 1],
    ]);
  });

  test('makes no difference where both ways lead to the same', () => {
    const adapted = configured([
      {
        handler: 'subroute',
        routes: [{ match: [{ geoip: {} }], handle: [app] }, { handle: [app] }],
      },
    ]);
    expect(told(adapted, SIGNED_OUT)).toHaveLength(1);
  });

  test('is a file among those that are tried', () => {
    const rewrite = {
      match: [{ file: { try_files: ['{http.request.uri.path}', '/index.html'] } }],
      handle: [{ handler: 'rewrite', uri: '{http.matchers.file.relative}' }],
    };
    const index = { match: [{ path: ['/index.html'] }], handle: [open] };
    const outcomes = told(
      configured([{ handler: 'subroute', routes: [rewrite, index, { handle: [app] }] }]),
      SIGNED_OUT,
    );
    expect(outcomes.map(({ served }) => served.by).toSorted()).toEqual(['proxy', 'response']);
  });

  test('is cut, and said to be, where there is no end of it', () => {
    const routes = Array.from({ length: 12 }, (_, at) => ({
      match: [{ [`own_${at}`]: {} }],
      handle: [{ handler: 'rewrite', uri: `{http.request.uri}${at}` }],
    }));
    const explained = explainRequest(configured([{ handler: 'subroute', routes }, app]), {
      method: 'GET',
      url: 'https://app.test/',
      found: SIGNED_OUT,
    });
    expect(explained).toMatchObject({ isCut: true });
  });

  test('a named route that invokes itself has an end', () => {
    const named_routes = { again: { handle: [{ handler: 'invoke', name: 'again' }] } };
    const adapted = configured([{ handler: 'invoke', name: 'again' }], { named_routes });
    expect(
      explainRequest(adapted, { method: 'GET', url: 'https://app.test/', found: SIGNED_OUT }),
    ).toMatchObject({ isCut: true });
  });
});

describe('the claims of a token', () => {
  const okta: Voucher = {
    name: 'okta',
    issuer: 'https://okta.test',
    names: { ...DEFAULT_CLAIM_NAMES, team: 'squad' },
    method: 'bearer',
  };

  test('are read as their issuer’s are mapped', () => {
    const claims = {
      iss: 'https://okta.test',
      sub: '1',
      preferred_username: 'alice',
      squad: 'payments',
    };
    expect(claimedCaller(claims, [okta], undefined)).toMatchObject({
      identity: { user: 'alice', team: 'payments', provider: 'okta' },
    });
  });

  test('are read as usual without settings', () => {
    expect(claimedCaller({ sub: '1', team: 'search' }, [], undefined)).toMatchObject({
      identity: { user: '1', team: 'search' },
    });
  });

  test('without a subject prove nobody', () => {
    expect(claimedCaller({}, [], undefined)).toEqual({ refused: 'token-claims' });
  });

  test('of a name that nobody has are not guessed', () => {
    expect(claimedCaller({ sub: '1' }, [okta], 'nobody')).toEqual({
      problem: expect.stringContaining('okta'),
    });
  });
});

describe('told', () => {
  const asked = {
    method: 'GET',
    url: 'https://app.test/\u001b[2J',
    by: 'nobody',
    locate: () => 'Caddyfile:3',
  };
  const explained = {
    outcomes: told(configured([gate('orders', 'team:payments'), app]), SIGNED_OUT),
    isCut: false,
  };

  test('on a screen it is a few lines, and nothing that a terminal would obey', () => {
    const text = explainText(explained, asked, { colour: false, hasTrail: false });
    expect(text).not.toContain('\u001b');
    expect(text).toMatch(/decision +deny {2}no-credentials\n/);
    expect(text).toMatch(/line +Caddyfile:3\n/);
    expect(text).toMatch(/behind it +reverse_proxy app:3000\n/);
  });

  test('of several things what is the same in all is told once, the decision before them', () => {
    const isThere = { match: [{ file: { try_files: ['/a'] } }] };
    const site = configured([
      { handler: 'subroute', routes: [{ handle: [gate('orders', 'any')] }] },
      {
        handler: 'subroute',
        routes: [{ ...isThere, handle: [{ handler: 'static_response', body: 'a' }] }],
      },
      app,
    ]);
    const outcomes = told(site, ALICE);
    const text = explainText(
      { outcomes, isCut: false },
      { ...asked, locate: () => undefined },
      { colour: false, hasTrail: true },
    );
    expect(text.match(/decision/g)).toHaveLength(1);
    expect(text.match(/asked +gate orders/g)).toHaveLength(1);
    expect(text.indexOf('decision')).toBeLessThan(text.indexOf('2 things may happen'));
    expect(text).toMatch(/1\. if there is a file [^]*answers +respond 200 "a"/);
  });

  test('elsewhere it is one line of JSON', () => {
    const json = explainJson(explained, asked, { hasTrail: true });
    expect(json.endsWith('}\n') && json.split('\n').length === 2).toBe(true);
    expect(JSON.parse(json)).toMatchObject({
      complete: true,
      outcomes: [{ decision: 'deny', block: 'orders', status: 401, line: 'Caddyfile:3' }],
    });
  });
});

describe('a URL without a path', () => {
  const respond = (body: string) => ({ handler: 'static_response', body });
  const routes = (...all: object[]) => configured([{ handler: 'subroute', routes: all }]);
  const url = 'https://app.test';

  test('is sent with a / or whole: both are told where they differ', () => {
    const adapted = routes(
      { match: [{ path: ['/*'] }], handle: [respond('any path')], group: 'a' },
      { handle: [respond('{http.request.uri.path}|{http.request.orig_uri}')], group: 'a' },
    );
    expect(told(adapted, SIGNED_OUT, { url })).toMatchObject([
      { served: { body: 'any path' }, when: [['its path is sent as /']] },
      {
        served: { body: '|https://app.test' },
        when: [['its target is the whole URL, without a path']],
      },
    ]);
  });

  test('hangs on nothing where both come to the same', () => {
    const outcomes = told(routes({ handle: [respond('{http.request.uri}')] }), SIGNED_OUT, { url });
    expect(outcomes).toMatchObject([{ served: { body: '/' }, when: [[]] }]);
  });
});
