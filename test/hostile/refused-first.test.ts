// What `import signet` refuses for a whole site it refuses wherever in the site it stands: what an operator writes above it,
// rewrites and blocks of any matcher, runs behind the refusals. And hosts that a wildcard lets in have their rows.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort, rawRequest } from '../fixtures/caddy.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { fatesOf, HOSTILE_OPTIONS, proxied } from '../fixtures/hostile.ts';
import { until } from '../fixtures/until.ts';

const block = (name: string) => `import protect ${name} public {\n${proxied(name, 'APP')}\n}`;
/** Above `import signet`. */
const ABOVE = {
  'a rewrite of a path': 'rewrite /old/* /new{uri}',
  'a rewrite of pages': '@spa header Accept *\nrewrite @spa /index.html',
  'a rewrite of all': 'rewrite * /index.html',
  'a block by a header': `@api header X-Api *\nhandle @api {\n${block('api')}\n}`,
  'a block by methods': `@unsafe not method GET HEAD\nhandle @unsafe {\n${block('unsafe')}\n}`,
  'a block of every path': `handle /* {\nimport unprotected open {\n${proxied('open', 'APP')}\n}\n}`,
  'a route of its own': `route /old/* {\n${block('old')}\n}`,
};
const TARGETS = ['/old/x', '/x', '/.signet/me'];
const DOTTED = ['/admin/..%2fold/x', '/old/%2e%2e/admin/x', '/.signet/../old/x'];
const OPAQUE = ['x:http://x/old/x', 'x:http://x/.signet/signed-out'];
const LINES = ['X-Api: 1', 'Accept: text/html'];

describe.each(Object.entries(ABOVE))('cases 12 and 44: below %s', (_name, above) => {
  let edge: Edge;
  beforeAll(async () => {
    edge = await startEdge(`handle {\n${block('rest')}\n}`, {
      options: HOSTILE_OPTIONS,
      around: above.replaceAll('APP', '127.0.0.1:9'),
    });
  });
  afterAll(async () => edge?.stop());

  test('CONNECT, dot segments and targets without a path are refused all the same, with a row each', async () => {
    const trials = [
      ...TARGETS.map((target) => ({ target, lines: LINES, method: 'CONNECT', status: 405 })),
      ...[...DOTTED, ...OPAQUE].map((target) => ({ target, lines: LINES, status: 400 })),
    ];
    const fates = await fatesOf(edge, trials);
    expect(
      fates.map(({ target, reply, seen, row }) => ({
        ...{ target, status: reply.status, called: seen.length },
        ...{ route: row?.route, reason: row?.reason, upstream: row?.upstream },
      })),
    ).toEqual(
      trials.map(({ target, status }) => ({
        ...{ target, status, called: 0 },
        ...{ route: 'signet', reason: 'gate-refused', upstream: undefined },
      })),
    );
  });
});

test('case 44: what a redirect above it leads elsewhere before it is refused has a row of nobody’s decision, as any redirect', async () => {
  const edge = await startEdge(`handle {\n${block('rest')}\n}`, {
    options: HOSTILE_OPTIONS,
    around: 'redir /old* /new{uri}',
  });
  try {
    const trials = ['/old/x', '/old/..%2fold/x'].map((target) => ({ target }));
    for (const { target, reply, row, seen } of await fatesOf(edge, trials)) {
      expect([target, reply.status, seen.length]).toEqual([target, 302, 0]);
      expect(row).toMatchObject({ kind: 'request', decision: 'none', reason: 'unprotected' });
    }
  } finally {
    await edge.stop();
  }
});

test('case 44: at a site of a wildcard, a host whose first label is empty has its row', async () => {
  const port = await freePort();
  const site = `handle {\n${block('rest')}\n}`;
  const edge = await startEdge(`${site}\n}\nhttp://*.wild.test:${port} {\nimport signet\n${site}`, {
    options: HOSTILE_OPTIONS,
  });
  const asked = (host: string) =>
    rawRequest({ port, bytes: `GET /x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n` });
  try {
    // The edge waits for its own port only.
    await until('the other port', () =>
      asked('a.wild.test').then(
        () => true,
        () => false,
      ),
    );
    for (const host of ['.wild.test', 'a.wild.test', 'A.Wild.test', '[a.wild.test]']) {
      const answer = (await asked(host)).toString('latin1');
      const [, id = ''] = /^x-request-id: (.*)$/im.exec(answer) ?? [];
      expect([host, answer.slice(0, 12)]).toEqual([host, 'HTTP/1.1 200']);
      expect(await edge.row(id.trim())).toMatchObject({ route: 'rest', host });
    }
  } finally {
    await edge.stop();
  }
});
