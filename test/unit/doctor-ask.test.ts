// What `signet doctor` does at sites that answer whatever they like: it ends, and tells what it met.
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { addressesOf, ask, type Failed, type Reply, type Site } from '../../sidecar/doctor/ask.ts';
import { examine } from '../../sidecar/doctor/examine.ts';
import type { Line } from '../../sidecar/doctor/line.ts';
import { until } from '../fixtures/until.ts';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

/** Starts a server that does this with each connection. */
async function siteOf(serve: (socket: Socket) => void): Promise<Site> {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => serve(socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`http://127.0.0.1:${port}/`) };
}

/** Asks such a server. */
async function asked(serve: (socket: Socket) => void, withinMs?: number): Promise<Reply | Failed> {
  return ask(await siteOf(serve), '/', {}, { ...(withinMs !== undefined && { withinMs }) });
}

/** Returns the lines about such a server, with nothing else of an installation here. */
async function examined(site: Site): Promise<Line[]> {
  const why = 'not here';
  const lines: Line[] = [];
  for await (const line of examine({
    ...{ site, version: '1.2.3', tell: () => undefined },
    ...{ installed: { why }, sending: { why }, record: { why } },
    caddy: { path: '/nonexistent', isNamed: true },
  })) {
    lines.push(line);
  }
  return lines;
}

const HEAD = 'HTTP/1.1 200 OK\r\n';

test('a body without an end is cut at 256 KiB', async () => {
  const reply = await asked((socket) => {
    socket.write(`${HEAD}\r\n`);
    const more = () => {
      while (socket.writable && socket.write(Buffer.alloc(65_536, 'x')));
    };
    socket.on('drain', more);
    more();
  });
  expect(reply).toMatchObject({ status: 200, isCut: true });
  expect('body' in reply && reply.body.length).toBe(256 * 1024);
});

test('headers beyond 64 KiB are no answer', async () => {
  const reply = await asked((socket) => {
    socket.write(HEAD);
    for (let at = 0; at < 100; at++) socket.write(`X-${at}: ${'y'.repeat(1000)}\r\n`);
  });
  expect(reply).toEqual({ problem: 'its headers are longer than 64 KiB' });
});

test('bytes that are no HTTP are no answer', async () => {
  const reply = await asked((socket) => socket.end(Buffer.from([0, 255, 27, 91, 50, 74])));
  expect(reply).toEqual({ problem: 'it does not speak HTTP' });
});

test('one that hangs up is told to have done so', async () => {
  expect(await asked((socket) => socket.destroy())).toEqual({ problem: 'it hung up' });
});

test('a body that breaks off is cut, and its head is known', async () => {
  const reply = await asked((socket) => {
    socket.write(`${HEAD}Content-Length: 100\r\n\r\nhalf`, () => socket.destroy());
  });
  expect(reply).toMatchObject({ status: 200, body: 'half', isCut: true });
});

test('one that says nothing is not waited for', async () => {
  expect(await asked(() => undefined, 200)).toEqual({ problem: 'no answer within 0.2 s' });
});

/** Answers well, and then drips; ends when the other side does. */
function drip(socket: Socket): void {
  socket.write(`${HEAD}\r\n`);
  const timer = setInterval(() => socket.write('x'), 20);
  socket.on('close', () => clearInterval(timer));
}

test('one that says a little now and then is not waited for', async () => {
  const site = await siteOf(drip);
  let reply: Reply | Failed | undefined;
  // Asked again where the machine stalled for as long, and nothing of the answer came in time.
  await until('a beginning of an answer', async () => {
    reply = await ask(site, '/', {}, { withinMs: 300 });
    return 'status' in reply;
  });
  expect(reply).toMatchObject({ status: 200, isCut: true });
});

test('when the time for all questions is over, an answer is cut, and nothing more is asked', async () => {
  let times = 0;
  const site = await siteOf((socket) => {
    times += 1;
    drip(socket);
  });
  const ending = { ...site, endsAtMs: performance.now() + 1_500 };
  expect(await ask(ending, '/')).toMatchObject({ status: 200, isCut: true });
  expect(await ask(ending, '/')).toMatchObject({ isUnasked: true });
  expect(times).toBe(1);
});

test('a site whose every answer drips is examined within one time, and what there was none for is said', async () => {
  const id = '4d032074-7bbc-4e5d-964f-a0f15a34b6f6';
  const timers: NodeJS.Timeout[] = [];
  const site = await siteOf((socket) => {
    socket.write(`HTTP/1.1 401 No\r\nX-Request-Id: ${id}\r\n\r\n`);
    timers.push(setInterval(() => socket.write('x'), 20));
  });
  const startedMs = performance.now();
  const lines = await examined({ ...site, endsAtMs: startedMs + 1_500 });
  for (const timer of timers) clearInterval(timer);
  expect(performance.now() - startedMs).toBeLessThan(15_000);
  expect(lines.filter(({ seen }) => seen.includes('took all the time'))).toMatchObject([
    { name: 'sidecar', verdict: 'not-looked-at' },
    { name: 'sign-in', verdict: 'not-looked-at' },
    { name: 'spoofed headers', verdict: 'not-looked-at' },
  ]);
});

test('a refused CONNECT is an answer with its status', async () => {
  const site = await siteOf((socket) =>
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nX-Request-Id: a\r\nContent-Length: 0\r\n\r\n'),
  );
  expect(await ask(site, '/x', {}, { method: 'CONNECT' })).toMatchObject({
    ...{ status: 405, headers: { 'x-request-id': ['a'] } },
  });
});

test('a name below localhost is this machine, as it is to browsers and to curl', async () => {
  const { url } = await siteOf((socket) => socket.end(`${HEAD}\r\nhere`));
  const site = { url: new URL(`http://shop.localhost:${url.port}/`) };
  expect(await addressesOf(site.url)).toContain('127.0.0.1');
  expect(await ask(site, '/')).toMatchObject({ status: 200, body: 'here' });
});

test('of a site that leads on to https that is told, and nothing is said of its snippets', async () => {
  const to = 'Location: https://app.example.com/orders\r\nContent-Length: 0\r\n';
  const site = await siteOf((socket) => socket.end(`HTTP/1.1 308 Moved\r\n${to}\r\n`));
  const lines = await examined(site);
  expect(lines.map(({ name }) => name)).toEqual(['address', 'site', 'caddy', 'settings']);
  expect(lines[1]?.mend).toBe('look at that: signet doctor https://app.example.com/orders');
});

test('101 to who asked for no other protocol is no answer', async () => {
  const reply = await asked((socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
  );
  expect(reply).toEqual({ problem: 'it answers 101 to what asked for no other protocol' });
});

test('a redirect is not followed', async () => {
  let connections = 0;
  const reply = await asked((socket) => {
    connections += 1;
    socket.end('HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n');
  });
  expect(reply).toMatchObject({ status: 302, headers: { location: ['/again'] } });
  expect(connections).toBe(1);
});

test('a binary body is a character for each byte', async () => {
  const reply = await asked((socket) => {
    socket.write(`${HEAD}Content-Length: 3\r\n\r\n`);
    socket.end(Buffer.from([0x00, 0xff, 0x1b]));
  });
  expect(reply).toMatchObject({ body: '\u0000\u00ff\u001b', isCut: false });
});

test('a port where nothing listens is told so', async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const reply = await ask({ url: new URL(`http://127.0.0.1:${port}/`) }, '/');
  expect(reply).toEqual({ problem: 'nothing listens there' });
});
