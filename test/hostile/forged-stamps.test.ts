// Cases 8 and 9 of the hostile list: neither an app nor a client, nor whoever can write a line of the log, says
// who somebody is. A stamp counts in its own line alone, whole.
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deriveKeys, loadKeyRing } from '../../sidecar/config/keys.ts';
import { sealStamp } from '../../sidecar/stamp.ts';
import { rawRequest } from '../fixtures/caddy.ts';
import { PLACES, startClaimingApp, type ClaimingApp } from '../fixtures/claiming-app.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { fatesOf, namedOf, rowsOf } from '../fixtures/hostile.ts';
import { readiness, type Readiness } from '../fixtures/sidecar.ts';
import { SITE } from '../fixtures/site.ts';
import { sealVersion1, stamp } from '../fixtures/stamps.ts';

/** A block of a site that takes over ids of its clients' own, between `import signet` and `protect`. */
const CLAIMED = `
	handle /claimed/* {
		request_header X-Request-Id {http.request.header.X-Claimed}
		import protect claimed any {
			reverse_proxy APP
		}
	}`;

let app: ClaimingApp;
let edge: Edge;
let alice: string;
let carol: string;
beforeAll(async () => {
  app = await startClaimingApp();
  edge = await startEdge(`${CLAIMED}${SITE}`.replaceAll('APP', app.address));
  [alice, carol] = [await edge.signIn('alice'), await edge.signIn('carol')];
});
afterAll(async () => {
  await edge?.stop();
  await app?.stop();
});

/** The newest stamp in the log, of whomever. */
const lastStamp = () =>
  /"stamp":"([^"]+)"/.exec(
    edge.logLines().findLast((line) => line.includes('"stamp":"')) ?? '',
  )?.[1] ?? '';

/** A stamp of a request of carol's, as it stands in the log. */
async function hers(): Promise<string> {
  const [fate] = await fatesOf(edge, [{ target: '/orders/head', lines: [carol] }]);
  expect(fate?.row?.identity?.user).toBe('carol');
  return lastStamp();
}

const claimsWith = (sealed: string): [string, string][] => [
  ['Remote-User', 'admin'],
  ['remote_user', 'admin'],
  ['Remote.User', 'admin'],
  ['Remote-Team', 'root'],
  ['Signet-Stamp', sealed],
  ['signet_stamp', sealed],
  ['Signet-Assertion', 'e30.e30.x'],
  ['Signet-Problem', 'x'],
  ['Signet-Key', 'x'],
  ['X-Request-Id', '00000000-0000-4000-8000-000000000000'],
];

// `Remote_User` and `Remote.User` mean nothing in an answer; only that no name of ours is among them counts.
const OURS = /^(remote|signet)/im;

/** What became of each way of claiming, in a block. */
async function claimed(prefix: string, lines: readonly string[]) {
  app.claim(claimsWith(await hers()));
  const trials = PLACES.map((place) => ({
    ...{ target: `${prefix}/${place}`, lines: [...lines, 'Connection: close'] },
  }));
  return fatesOf(edge, trials);
}

describe.each([
  ['an allowed block', '/orders', () => [alice]],
  ['a public one', '/public', () => []],
  ['an open one', '/open', () => []],
])('of %s', (_, prefix, lines) => {
  test('case 8, GHSA-7r4p-vjf4-gxv4: an app’s own identity, stamp and request id reach neither the client nor the record', async () => {
    for (const { target, reply, row, spans } of await claimed(prefix, lines())) {
      const user = prefix === '/orders' ? 'alice' : undefined;
      expect({ target, named: namedOf({ row, spans }) }).toEqual({ target, named: [user] });
      expect(app.called).toContain(reply.requestId);
      const said = [...reply.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
      // What stands behind a body, Caddy 2.11 hands on as it is: only the record is asked about it.
      const told = target.endsWith('/trailers') ? said : `${said}\n${reply.body}`;
      expect({ target, told: OURS.exec(told)?.[0] }).toEqual({ target });
    }
  });

  test('case 8, GHSA-7r4p-vjf4-gxv4: nor by its answer to an upgrade', async () => {
    app.claim(claimsWith(await hers()));
    const asked = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x'];
    const head = [
      `GET ${prefix}/ws HTTP/1.1`,
      `Host: localhost:${edge.port}`,
      ...asked,
      ...lines(),
    ];
    const bytes = await rawRequest({ port: edge.port, bytes: `${head.join('\r\n')}\r\n\r\n` });
    const answer = bytes.toString('latin1');
    expect(answer).toMatch(/^HTTP\/1.1 101/);
    expect(OURS.exec(answer)?.[0]).toBeUndefined();
    const requestId = app.called.at(-1) ?? '';
    expect(answer.match(/^x-request-id: .*/gim)).toEqual([`X-Request-Id: ${requestId}`]);
    const row = (await rowsOf(edge, [requestId])).get(requestId);
    expect(row?.identity?.user).toBe(prefix === '/orders' ? 'alice' : undefined);
  });
});

test('case 9: a real stamp of carol’s, brought along by a client in any header, is worth nothing', async () => {
  const sealed = await hers();
  const names = [
    'Signet-Stamp',
    'signet-stamp',
    'Signet_Stamp',
    'Signet.Stamp',
    'X-Signet-Stamp',
    'Stamp',
  ];
  const trials = ['/orders', '/public/x', '/open/x', '/admin/x', '/.signet/me'].flatMap(
    (target) => [
      ...names.map((name) => ({ target, lines: [`${name}: ${sealed}`] })),
      { target, lines: [`Authorization: Bearer ${sealed}`] },
      { target, lines: [`Cookie: __Host-signet=${sealed}`] },
    ],
  );
  for (const fate of await fatesOf(edge, trials)) {
    expect(namedOf(fate)).toEqual([undefined]);
    expect(fate.reply.status).toBe(/public|open/.test(fate.target) ? 200 : 401);
    expect(fate.row?.reason).not.toBe('stamp-invalid');
  }
});

test('case 9: a stamp is of Caddy’s own id, whatever a client or a line of the site puts in X-Request-Id', async () => {
  const [fate] = await fatesOf(edge, [{ target: '/orders/head', lines: [carol] }]);
  const another = fate?.reply.requestId ?? '';
  const ids = [another, randomUUID(), '', 'no id', '{http.request.uuid}'];
  const targets = ['/claimed/head', '/orders/head', '/public/head', '/.signet/me'];
  const trials = targets.flatMap((target) =>
    ids.flatMap((id) => [
      { target, lines: [`X-Request-Id: ${id}`, alice] },
      { target, lines: [`X-Claimed: ${id}`, alice] },
    ]),
  );
  const reasons = {
    ...{ claimed: 'requirement-met', orders: 'requirement-met' },
    ...{ public: 'public', '.signet': 'signet' },
  };
  for (const { target, lines, reply, row, spans } of await fatesOf(edge, trials)) {
    const reason = reasons[target.split('/')[1] as keyof typeof reasons];
    const found = { target, lines, id: reply.requestId, reason: row?.reason };
    expect(found).toEqual({ target, lines, id: row?.requestId, reason });
    expect(ids).not.toContain(reply.requestId);
    expect(namedOf({ row, spans })).toEqual(['alice']);
  }
});

/** A line as Caddy would have written it, whose stamp of alice is sealed by the gate's own key. */
function forgedLine(change: (sealed: string, id: string) => string, like: object) {
  const id = randomUUID();
  const [key] = deriveKeys(loadKeyRing({ stateFolder: edge.folder }), 'stamp');
  const gate = { ...stamp().gate, bootId: 'forged', number: 1 };
  const changed = change(sealStamp(stamp({ requestId: id, gate }), key), id);
  return { id, line: JSON.stringify({ ...like, uuid: id, stamp: changed }) };
}

const flipped = (text: string, at: number, bit: number) =>
  text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << bit)) + text.slice(at + 1);

test('case 9: a stamp altered by one bit, whichever, cut at whichever place, replayed, or of an old version is nobody’s, and counted', async () => {
  const sealed = await hers();
  const like = JSON.parse(edge.logLines().at(-1) ?? '') as object;
  const before = edge.rows().filter(({ reason }) => reason === 'stamp-invalid').length;
  const [key] = deriveKeys(loadKeyRing({ stateFolder: edge.folder }), 'stamp');
  const length = forgedLine((s) => s, like).line.match(/"stamp":"([^"]*)/)?.[1]?.length ?? 0;
  const places = Array.from({ length }, (_, at) => at);
  const forged = [
    // A bit of each character: the seventh makes what is no stamp at all, the lowest ones another one.
    ...places.map((at) => forgedLine((s) => flipped(s, at, at % 6), like)),
    ...places.filter((at) => at % 7 === 1).map((at) => forgedLine((s) => s.slice(0, at), like)),
    ...places.filter((at) => at % 29 === 0).map((at) => forgedLine((s) => s.slice(at + 1), like)),
    forgedLine(() => sealed, like), // carol's, of another request
    forgedLine((s) => `${s}A`, like),
    forgedLine((s) => `${s}=`, like),
    forgedLine((s) => ` ${s}`, like),
    forgedLine((s) => `${s}.${s}`, like),
    forgedLine((s) => s.replace(/^\d+/, '0'), like),
    forgedLine((s) => s.replace(/^\d+/, '3'), like),
    forgedLine((s) => s.replace(/^\d+/, '1'), like),
    forgedLine((s) => s.replace(/^\d+\./, ''), like),
    forgedLine(() => sealVersion1(stamp({ requestId: randomUUID() }), key), like),
    forgedLine(() => '{"identity":{"user":"admin"}}', like),
    forgedLine(() => 'x'.repeat(200_000), like),
  ];
  const sound = forgedLine((s) => s, like);
  appendFileSync(edge.accessLog, [...forged, sound].map(({ line }) => `${line}\n`).join(''));
  const rows = await rowsOf(
    edge,
    [...forged, sound].map(({ id }) => id),
  );
  expect(rows.get(sound.id)).toMatchObject({ identity: { user: 'alice' }, decision: 'allow' });
  for (const { id, line } of forged) {
    const row = rows.get(id);
    const { reason, decision, identity, gate } = row ?? {};
    expect({ line, reason, decision, identity, gate }).toEqual({
      ...{ line, reason: 'stamp-invalid', decision: 'none' },
    });
  }
  const isCounted = ({ checks }: Readiness) =>
    checks['recorder']?.invalidStamps === before + forged.length;
  await readiness(edge.healthPort, edge.sidecar(), isCounted);
  // It lives, and goes on.
  const [after] = await fatesOf(edge, [{ target: '/orders/head', lines: [alice] }]);
  expect(namedOf(after!)).toEqual(['alice']);
});
