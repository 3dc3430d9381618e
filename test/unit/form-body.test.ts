// How many bodies of forms are read at once, in all and for one client; and when one is given up.
import { createServer, request, type ClientRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from '@jest/globals';
import { createFormReader, type BodyBounds } from '../../sidecar/http/form-body.ts';
import { until } from '../fixtures/until.ts';

const BOUNDS: BodyBounds = { maxBytes: 100, timeoutMs: 60_000, maxAtOnce: 3, maxByAddress: 2 };

let server: Server;
let asked: ClientRequest[];
let begun: number;
let ended: string[];

async function start(bounds: BodyBounds): Promise<void> {
  const read = createFormReader(bounds);
  // Its own: what is cut off at the end of a test ends in the next one.
  const texts: string[] = [];
  [asked, begun, ended] = [[], 0, texts];
  server = createServer((req, res) => {
    begun++;
    void read(req, req.headers['x-forwarded-for'] as string).then((form) => {
      texts.push(typeof form === 'object' ? form.toString() : String(form));
      res.setHeader('Connection', 'close').end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
}

afterEach(async () => {
  asked.forEach((one) => one.destroy());
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Begins to post, and is there when the server has begun to read. */
async function post(address: string, body = 'a=1'): Promise<ClientRequest> {
  const { port } = server.address() as AddressInfo;
  const headers = {
    'x-forwarded-for': address,
    'content-type': 'application/x-www-form-urlencoded',
  };
  const [one, before] = [request({ port, method: 'POST', headers }), begun];
  one.on('response', (answer) => answer.resume()).on('error', () => {});
  one.write(body);
  asked.push(one);
  await until('it is being read', () => begun > before);
  return one;
}

const endedAs = (...texts: string[]) =>
  until(`ended: ${texts.join()}`, () => ended.join() === texts.join());

test('a client that has as many as it may is busy, and another one is not', async () => {
  await start(BOUNDS);
  for (let count = 0; count < 3; count++) await post('192.0.2.1');
  await endedAs('busy');
  (await post('192.0.2.2')).end();
  await endedAs('busy', 'a=1');
});

test('beyond the bound for all, whoever comes is busy', async () => {
  await start(BOUNDS);
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']) await post(address);
  await endedAs('busy');
});

test('what was read, or broke off, makes room', async () => {
  await start({ ...BOUNDS, maxAtOnce: 1 });
  (await post('192.0.2.1')).end();
  await endedAs('a=1');
  (await post('192.0.2.1')).destroy();
  await endedAs('a=1', 'undefined');
  (await post('192.0.2.1')).end();
  await endedAs('a=1', 'undefined', 'a=1');
});

test('what is too slow is given up, and makes room', async () => {
  await start({ ...BOUNDS, maxAtOnce: 1, timeoutMs: 20 });
  await post('192.0.2.1');
  await endedAs('undefined');
  await post('192.0.2.1');
  await endedAs('undefined', 'undefined');
});

test.each([
  ['2001:db8::1', '2001:db8::2', 'one client'],
  ['2001:db8::1', '2001:db8:0:0:ffff:1:2:3', 'one client'],
  ['2001:db8:0:1::1', '2001:db8:0:2::1', 'two'],
  ['::1', '1::1', 'two'],
  ['192.0.2.1', '192.0.2.2', 'two'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.2', 'two'],
  ['192.0.2.1, 192.0.2.9', '192.0.2.2, 192.0.2.9', 'two'],
])('%s and %s are %s', async (first, second, are) => {
  await start({ ...BOUNDS, maxByAddress: 1 });
  await post(first);
  (await post(second)).end();
  await endedAs(are === 'two' ? 'a=1' : 'busy');
});
