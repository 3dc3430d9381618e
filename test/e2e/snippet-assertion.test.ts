// The signed assertion on its way through the snippets: the gate's reaches the app, and nothing else does
// under that name, whoever sends it and however it is spelled. Asserted on the app's raw headers.
import { connect as connectHttp2 } from 'node:http2';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import {
  ALICE,
  ALICE_SIGNED,
  ASSERTION,
  CAROL,
  CAROL_HEADERS,
  CAROL_SIGNED,
  startSite,
} from './snippet-site.ts';
import type { Site } from './snippet-site.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.stop());
beforeEach(() => {
  site.app.seen.length = 0;
  site.questions.length = 0;
});

/** What the app was told under any name of Signet's, as `name: value`. */
function toldToApp(): string[] {
  const { rawHeaders } = site.app.seen[0]!;
  const pairs = rawHeaders.flatMap((name, at) =>
    at % 2 === 0 ? [`${name.toLowerCase()}: ${rawHeaders[at + 1]}`] : [],
  );
  return pairs.filter((pair) => /^.{0,2}signet/.test(pair));
}

const OURS = [`signet-assertion: ${ASSERTION}`];

test.each([
  ['of whom all is known', CAROL_SIGNED],
  ['of whom not all is known', ALICE_SIGNED],
])(
  'the gate’s assertion for a caller %s reaches the app, and nothing else of Signet’s',
  async (_who, credential) => {
    await site.ask('/', credential);
    expect(toldToApp()).toEqual(OURS);
  },
);

test.each([CAROL, ALICE])(
  'where the gate sends none, the app gets none, not even a placeholder (%s)',
  async (credential) => {
    await site.ask('/', credential);
    expect(toldToApp()).toEqual([]);
    expect(site.app.seen[0]?.rawHeaders.join('\n')).not.toContain('{http');
  },
);

test('with it a person’s other headers are what they are without it', async () => {
  await site.ask('/', CAROL_SIGNED, 'Tracestate: a=1');
  for (const [name, value] of Object.entries(CAROL_HEADERS)) {
    expect(site.app.seen[0]?.values(name)).toEqual([value]);
  }
  expect(site.app.seen[0]?.values('tracestate')).toEqual([]);
});

/** Spellings of a client's own, which some app might read as the same name. */
const SPELLINGS: readonly (readonly string[])[] = [
  ['Signet-Assertion: forged'],
  ['signet-assertion: forged'],
  ['SIGNET-ASSERTION: forged'],
  ['Signet_Assertion: forged'],
  ['signet_assertion: forged'],
  ['Signet.Assertion: forged'],
  ['signet.assertion: forged'],
  ['Signet~Assertion: forged'],
  ['SignetAssertion: forged'],
  ['Signet-Assertion: forged', 'Signet-Assertion: forged again'],
  ['Signet-Assertion:'],
  ['Signet-Assertion: {http.request.host}'],
  ['Connection: close, Signet-Assertion', 'Signet-Assertion: forged'],
];

describe.each(SPELLINGS.map((lines) => ({ lines, name: lines.join(' + ') })))(
  'a client’s own `$name`',
  ({ lines }) => {
    test.each([CAROL_SIGNED, ALICE_SIGNED])('gives way to the gate’s (%s)', async (credential) => {
      await site.ask('/', credential, ...lines);
      expect(toldToApp()).toEqual(OURS);
    });

    test.each([
      ['/', CAROL],
      ['/', ALICE],
      ['/prefix/x', CAROL],
      ['/public', 'X-Nobody: 1'],
      ['/open', 'X-Nobody: 1'],
      ['/open', CAROL_SIGNED],
    ])('does not reach the app where the gate sends none: %s, %s', async (path, credential) => {
      await site.ask(path, credential, ...lines);
      expect(toldToApp()).toEqual([]);
    });

    test('does not reach the gate, neither at /verify nor at its own pages', async () => {
      await site.ask('/', ...lines);
      await site.ask('/.signet/me', ...lines);
      expect(site.questions).toHaveLength(2);
      for (const { headers } of site.questions) {
        expect(Object.keys(headers).filter((name) => /assertion/.test(name))).toEqual([]);
      }
    });
  },
);

test('neither the gate’s nor an app’s own reaches the client or the log', async () => {
  for (const path of ['/headers', '/open/headers', '/status/500', '/dead', '/admin']) {
    const { head } = await site.ask(path, CAROL_SIGNED);
    expect(head).not.toMatch(/signet-|of-the-app/i);
  }
  const text = await site.logText();
  expect(text).not.toContain(ASSERTION);
  expect(text).not.toContain('assertion-of-the-app');
});

test('it goes with a WebSocket’s upgrade, and does not come back with its answer', async () => {
  const socket = new WebSocket(`ws://localhost:${site.port}/socket`, {
    headers: { Authorization: CAROL_SIGNED.slice('Authorization: '.length) },
  });
  const [[answer]] = await Promise.all([once(socket, 'upgrade'), once(socket, 'open')]);
  socket.terminate();
  expect(toldToApp()).toEqual(OURS);
  expect(Object.keys((answer as { headers: object }).headers).join()).not.toMatch(/signet/);
});

test('over HTTP/2 as well: the gate’s once, a client’s own never', async () => {
  const session = connectHttp2(`http://localhost:${site.port}`);
  const authorization = CAROL_SIGNED.slice('Authorization: '.length);
  const request = session.request({
    ':path': '/h2',
    authorization,
    'signet-assertion': ['forged', 'forged again'],
    'signet.assertion': 'forged',
  });
  await once(request, 'response');
  session.destroy();
  expect(toldToApp()).toEqual(OURS);
});
