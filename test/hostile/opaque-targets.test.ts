// Case 12 of the hostile list, and beyond it, through a real Caddy: targets such as `x:http://x/other`, a URL without a path.
// Caddy's matchers see no path there, and whoever is asked or proxied to gets the target whole (Go's `URL.Opaque`): the
// gate's question would be for a page, whose answer is no decision, and the app would serve what no block was written for.
import { once } from 'node:events';
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { fatesOf, HOSTILE_OPTIONS } from '../fixtures/hostile.ts';

const PAGES = ['signed-out', 'signed-in', 'logout', 'me', 'jwks.json', 'login', 'nothing'];
const PLACES = [
  ...PAGES.map((page) => `.signet/${page}`),
  'verify?require=public&route=a',
  'admin/x',
];
const TARGETS = [
  ...PLACES.flatMap((place) => [`x:http://x/${place}`, `x:http://x/${place}#/../../admin/x`]),
  ...[
    'x:verify?require=public&route=a',
    'x:.',
    'x:%2Fadmin%2Fx',
    'x:{http.request.header.Cookie}/',
  ],
];
const ADMIN = 'handle /admin/* {\nimport protect admin role:auditor {\nreverse_proxy APP\n}\n}';
/** What takes whatever no path takes. */
const CATCH_ALL = {
  'for anyone signed in': 'import protect orders any {\nreverse_proxy APP\n}',
  'for everyone, with a decision': 'import protect orders public {\nreverse_proxy APP\n}',
  'that is open on purpose': 'import unprotected orders {\nreverse_proxy APP\n}',
  'that is open': 'reverse_proxy APP',
};
const REFUSED = { kind: 'request', status: 400, decision: 'none', reason: 'gate-refused' };

describe.each(Object.entries(CATCH_ALL))('case 12: in front of a block %s,', (_name, block) => {
  let edge: Edge;
  let alice: string;
  beforeAll(async () => {
    edge = await startEdge(`${ADMIN}\nhandle {\n${block}\n}`, { options: HOSTILE_OPTIONS });
    alice = await edge.signIn('alice');
  });
  afterAll(async () => edge.stop());

  test('a target without a path is refused to everybody, whatever else it says', async () => {
    const trials = TARGETS.flatMap((target) => [
      { target },
      { target, lines: [alice] },
      { target, lines: ['Sec-Fetch-Mode: navigate'], method: 'POST' },
    ]);
    for (const { target, lines, reply, seen, row } of await fatesOf(edge, trials)) {
      const fate = { status: reply.status, called: seen.length, row };
      const wanted = { status: 400, called: 0, row: { ...REFUSED, route: 'signet' } };
      expect({ target, lines, ...fate }).toMatchObject({ target, lines, ...wanted });
    }
  });

  test('by HTTP/2 there is none: Caddy ends the stream', async () => {
    const session = connect(`http://localhost:${edge.port}`);
    const cookie = alice.slice('Cookie: '.length);
    edge.app.seen.length = 0;
    for (const path of TARGETS) {
      const answered = once(session.request({ ':path': path, cookie }).resume(), 'response');
      expect([path, await answered.catch(String)]).toEqual([
        path,
        expect.stringContaining('NGHTTP2_PROTOCOL_ERROR'),
      ]);
    }
    session.destroy();
    expect(edge.app.seen).toEqual([]);
  });
});

// As an older snippet, or none, would ask it.
describe('case 12: where nothing stands in front of a gate that is asked about such a target,', () => {
  let edge: Edge;
  let alice: string;
  beforeAll(async () => {
    edge = await startEdge(ADMIN);
    alice = await edge.signIn('alice');
  });
  afterAll(async () => edge.stop());

  test('the sidecar answers no question that Caddy’s rewriting has not reached', async () => {
    for (const target of TARGETS) {
      const lines = [`GET ${target} HTTP/1.1`, `Host: localhost:${edge.port}`, alice];
      const forwarded = ['X-Request-Id: a2ce9bbc-dac2-444a-a3f9-265760ec1f3d', 'Connection: close'];
      const socket = connectSocket(join(edge.folder, 'run', 'sidecar.sock'));
      socket.end([...lines, ...forwarded, '', ''].join('\r\n'));
      const answer = await text(socket);
      expect([target, answer.slice(0, 12)]).toEqual([target, 'HTTP/1.1 400']);
      expect(answer.toLowerCase()).not.toContain('signet-stamp');
    }
  });
});
