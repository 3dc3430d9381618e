// What OTLP over HTTP meets besides: pages for people, redirections, answers without end.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { createTransport } from '../../sidecar/otlp/connect.ts';
import type { Destination, Signal } from '../../sidecar/otlp/destination.ts';
import { readRejection } from '../../sidecar/otlp/read-response.ts';
import type { Answer } from '../../sidecar/otlp/transport.ts';
import { until } from '../fixtures/until.ts';

const REQUEST = Buffer.from('a request');

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function listen(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function send(
  endpoint: string,
  changes: Partial<Destination> = {},
  signal: Signal = 'traces',
  timeoutMs = 20_000,
): Promise<Answer> {
  const destination = { name: 'one', protocol: 'http/protobuf', endpoint, headers: {} } as const;
  const transport = createTransport(
    { ...destination, compression: 'none', signals: ['traces'], ...changes },
    { version: '1.2.3', timeoutMs },
  );
  const answer = await transport.send(signal, REQUEST);
  transport.close();
  return answer;
}

test('a signal is posted under the path of its endpoint', async () => {
  const paths: (string | undefined)[] = [];
  const endpoint = await listen(({ url }, response) => {
    paths.push(url);
    response.end();
  });
  await send(`${endpoint}/otlp`, {}, 'logs');
  expect(paths).toEqual(['/otlp/v1/logs']);
});

test('a URL that is named whole is taken as it is', async () => {
  const paths: (string | undefined)[] = [];
  const endpoint = await listen(({ url }, response) => {
    paths.push(url);
    response.end();
  });
  await send(endpoint, { urls: { traces: `${endpoint}/v2/trace/otlp?a=b` } });
  expect(paths).toEqual(['/v2/trace/otlp?a=b']);
});

test('a redirection is not followed: the credentials are for the host that was named', async () => {
  const paths: (string | undefined)[] = [];
  const endpoint = await listen(({ url }, response) => {
    paths.push(url);
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  expect(await send(endpoint)).toMatchObject({
    kind: 'misdirected',
    problem: expect.stringContaining('/elsewhere'),
  });
  expect(paths).toEqual(['/v1/traces']);
});

test('a login page that answers 200 has taken nothing', async () => {
  const endpoint = await listen((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<h1>Sign in');
  });
  expect(await send(endpoint)).toMatchObject({ kind: 'misdirected' });
});

test.each([
  ['200 without a body', 200, undefined, ''],
  ['202', 202, 'application/json', '{}'],
  ['204', 204, undefined, ''],
  ['200 of a page without a body', 200, 'text/html', ''],
  ['200 in protobuf that can’t be read', 200, 'application/x-protobuf', 'hi'],
  ['200 in JSON that is none', 200, 'application/json', '{'],
])('%s is an acknowledgement', async (_what, status, type, body) => {
  const endpoint = await listen((_request, response) => {
    response.writeHead(status, type === undefined ? {} : { 'content-type': type }).end(body);
  });
  expect(await send(endpoint)).toMatchObject({ kind: 'acknowledged' });
});

test.each([
  ['in plain text', 'text/plain', /text\/plain: hi; it is no OTLP receiver/],
  ['of no type', undefined, /no content type; it is no OTLP receiver/],
])('an app that says hi %s has taken nothing', async (_what, type, problem) => {
  const endpoint = await listen((_request, response) => {
    response.writeHead(200, type === undefined ? {} : { 'content-type': type }).end('hi');
  });
  const answer = { kind: 'misdirected', problem: expect.stringMatching(problem) };
  expect(await send(endpoint)).toMatchObject(answer);
});

test('plain text on the port for TLS of a server that says so in plain text refuses no spans', async () => {
  const endpoint = await listen((_request, response) => {
    response.writeHead(400).end('Client sent an HTTP request to an HTTPS server.\n');
  });
  expect(await send(endpoint)).toMatchObject({
    kind: 'misdirected',
    problem: expect.stringContaining('https:// in the endpoint'),
  });
});

test.each(['rejectedSpans', 'rejectedLogRecords', 'rejectedDataPoints'])(
  'a partial success in JSON is one: %s',
  async (count) => {
    const partialSuccess = { [count]: '3', errorMessage: 'too old' };
    const endpoint = await listen((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ partialSuccess }));
    });
    const answer = await send(endpoint);
    const response = answer.kind === 'acknowledged' ? answer.response : Buffer.alloc(0);
    expect(readRejection(response, 10)).toEqual({ spans: 3, reason: 'too old' });
  },
);

test('an acknowledgement without end is one, and is not read to its end', async () => {
  const chunk = Buffer.alloc(64 * 1024);
  let isLeft = false;
  const endpoint = await listen((_request, response) => {
    response.setHeader('content-type', 'application/x-protobuf');
    const write = () => response.write(chunk) && setImmediate(write);
    response.on('drain', write).on('close', () => (isLeft = true));
    write();
  });
  expect(await send(endpoint)).toMatchObject({ kind: 'acknowledged' });
  await until('its end', () => isLeft);
});

test('an answer that comes byte by byte has the same deadline as any other', async () => {
  const endpoint = await listen((_request, response) => {
    const drip = setInterval(() => response.write('x'), 50);
    response.on('close', () => clearInterval(drip));
  });
  expect(await send(endpoint, {}, 'traces', 500)).toMatchObject({
    kind: 'retry',
    problem: expect.stringContaining('no answer within 500 ms'),
  });
});

test('what a destination says of a failure is quoted from protobuf, JSON and text, but no page', async () => {
  const bodies = {
    'application/x-protobuf': Buffer.from('\x08\x03\x12\x07too big', 'latin1'),
    'application/json': '{"code":3,"message":"too big"}',
    'text/plain': 'too big',
    'text/html': '<p>too big',
  };
  const said: boolean[] = [];
  for (const [type, body] of Object.entries(bodies)) {
    const endpoint = await listen((_request, response) => {
      response.writeHead(413, { 'content-type': type }).end(body);
    });
    const answer = await send(endpoint);
    said.push(answer.kind === 'refused' && answer.problem.endsWith('answered 413: too big'));
    server?.close();
  }
  expect(said).toEqual([true, true, true, false]);
});
