// `Server-Timing: trace;desc="…"` as the browser gets it, through a real Caddy and a real gate: where it
// is, what it says, and that neither client nor app has a say in it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:http2';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { startGatedSite, valuesOf, type GatedSite } from '../fixtures/gated-site.ts';
import { identity } from '../fixtures/identities.ts';

const APPS_OWN = 'db;dur=12, trace;desc="the-apps-own"';

let site: GatedSite;
const toApp: IncomingMessage['headers'][] = [];
beforeAll(async () => {
  const app = createServer((req, res) => {
    toApp.push(req.headers);
    answer(req.url ?? '', res);
  });
  const sockets = new WebSocketServer({ server: app });
  sockets.on('headers', (headers) => headers.push(`Server-Timing: ${APPS_OWN}`));
  site = await startGatedSite(app);
});
afterAll(() => site.stop());

function answer(path: string, res: ServerResponse): void {
  if (path.endsWith('/own')) res.setHeader('Server-Timing', APPS_OWN);
  if (path.endsWith('/empty')) res.setHeader('Server-Timing', '');
  // Hop by hop: Caddy deletes what is named there, of the app's answer.
  if (path.endsWith('/hop')) res.setHeader('Connection', 'close, Server-Timing');
  const status = /\/(\d{3})$/.exec(path)?.[1];
  res.writeHead(Number(status ?? 200), { ETag: '"1"' }).end();
}

/** What is right for an answer: its request id says which ids these are. */
function wantedFor(answer: string): string {
  const [requestId = ''] = valuesOf(answer, 'x-request-id');
  const digits = requestId.replaceAll('-', '');
  return `trace;desc="00-${digits}-${digits.slice(0, 16)}-03"`;
}

function expectOnly(answer: string, status: number): void {
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(valuesOf(answer, 'server-timing')).toEqual([wantedFor(answer)]);
}

const signedIn = async () => {
  const all = identity({ name: 'Alice', email: 'a@example.com', groups: ['staff'] });
  return `Cookie: ${await site.gate.signIn(all)}`;
};

test('an allowed request’s answer has it: nobody’s, and a person’s of whom all is known', async () => {
  expectOnly(await site.ask('/'), 200);
  expectOnly(await site.ask('/private', await signedIn()), 200);
});

test('the span that it names is the parent of the one that the app is told', async () => {
  toApp.length = 0;
  const [timing = ''] = valuesOf(await site.ask('/'), 'server-timing');
  const [, traceId, ingress] = timing.split('-');
  const digits = String(toApp[0]?.['x-request-id']).replaceAll('-', '');
  expect([traceId, ingress]).toEqual([digits, digits.slice(0, 16)]);
  expect(toApp[0]?.['traceparent']).toBe(`00-${digits}-${digits.slice(16)}-03`);
});

test('a refusal has it once, and the way to sign in, and a page of Signet’s own', async () => {
  expectOnly(await site.ask('/private'), 401);
  const navigation = ['Sec-Fetch-Mode: navigate', 'Accept: text/html'];
  expectOnly(await site.ask('/private', ...navigation), 302);
  expectOnly(await site.ask('/.signet/nothing-here'), 404);
});

test.each([304, 404, 500, 502])('an app’s %d has it', async (status) => {
  expectOnly(await site.ask(`/${status}`), status);
});

test('so has Caddy’s own 502 where the app is gone', async () => {
  expectOnly(await site.ask('/dead'), 502);
});

test('the app’s own stand behind it, and can’t take its place', async () => {
  const answer = await site.ask('/own');
  expect(valuesOf(answer, 'server-timing')).toEqual([wantedFor(answer), APPS_OWN]);
  const emptied = await site.ask('/empty');
  expect(valuesOf(emptied, 'server-timing')[0]).toBe(wantedFor(emptied));
});

test('nor can the app have it deleted on the way', async () => {
  expectOnly(await site.ask('/hop'), 200);
});

test('what a client sends under that name is not what it gets', async () => {
  const forged = `Server-Timing: trace;desc="00-${'a'.repeat(32)}-${'b'.repeat(16)}-01"`;
  expectOnly(await site.ask('/', forged), 200);
  expectOnly(await site.ask('/private', forged), 401);
});

test('it is there over HTTP/2', async () => {
  const session = connect(`http://localhost:${site.port}`);
  const stream = session.request({ ':path': '/own' });
  const [headers] = await once(stream, 'response');
  stream.resume();
  session.close();
  await once(session, 'close');
  const digits = String(headers['x-request-id']).replaceAll('-', '');
  const ours = `trace;desc="00-${digits}-${digits.slice(0, 16)}-03"`;
  expect(headers['server-timing']).toBe(`${ours}, ${APPS_OWN}`);
});

test('a WebSocket’s 101 has it, beside what the app says', async () => {
  const socket = new WebSocket(`ws://localhost:${site.port}/`);
  const [upgraded] = (await once(socket, 'upgrade')) as [IncomingMessage];
  socket.terminate();
  await once(socket, 'close');
  const digits = String(upgraded.headers['x-request-id']).replaceAll('-', '');
  const ours = `trace;desc="00-${digits}-${digits.slice(0, 16)}-03"`;
  expect(upgraded.headersDistinct['server-timing']).toEqual([ours, APPS_OWN]);
});
