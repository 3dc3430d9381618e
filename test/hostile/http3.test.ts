// HTTP/3 against a real Caddy: what stands in its header frames is the client's own, and nobody but Caddy's QUIC library
// looks at it before our snippet does. Beside it CONNECT by HTTP/1.1 and 2, whose body Go sends to an app without a frame:
// to an app that takes CONNECT for any request, what stands in it is the next one.
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:tls';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { freePort, globalOptions } from '../fixtures/caddy.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { sendEarly, sendHttp3, type Field, type Http3Answer } from '../fixtures/http3-client.ts';
import { until } from '../fixtures/until.ts';

const OPTIONS = `${globalOptions}\nservers {\n\tmax_header_size 1MiB\n}`;
/** As somebody else, at a page that the sender may not see. */
const SMUGGLED = 'GET /admin/x HTTP/1.1\r\nHost: localhost\r\nRemote-User: root\r\n\r\n';

let raw: Server;
/** All that reached the app which takes any bytes. */
let heard = '';
let edge: Edge;
let port: number;

beforeAll(async () => {
  raw = createServer((socket) => {
    socket.setEncoding('latin1').on('error', () => undefined);
    socket.on('data', (piece: string) => {
      heard += piece;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  }).listen(0, '127.0.0.1');
  await once(raw, 'listening');
  const to = `127.0.0.1:${(raw.address() as AddressInfo).port}`;
  const site = `
handle /admin/* {
import protect admin role:auditor {
reverse_proxy ${to}
}
}
handle /public/* {
import protect public public {
reverse_proxy ${to}
}
}
handle /open/* {
reverse_proxy ${to}
}
handle /app/* {
import protect app public {
reverse_proxy APP
}
}
handle {
import protect orders public {
reverse_proxy ${to}
}
}`;
  port = await freePort();
  const withTls = `${site}\n}\nhttps://localhost:${port} {\ntls internal\nimport signet\n${site}`;
  edge = await startEdge(withTls, { options: OPTIONS });
  await until('a certificate', () => hasCertificate(port));
});
afterAll(async () => {
  await edge.stop();
  raw.close();
});
beforeEach(() => {
  heard = '';
  edge.app.seen.length = 0;
});

async function hasCertificate(at: number): Promise<boolean> {
  const socket = connect({ port: at, servername: 'localhost', rejectUnauthorized: false });
  return once(socket, 'secureConnect')
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy());
}

const authority = (host = `localhost:${port}`): Field => [':authority', host];
const asked = (path: string, ...more: Field[]): Field[] => [
  [':method', 'GET'],
  [':scheme', 'https'],
  authority(),
  [':path', path],
  ...more,
];
const idOf = ({ fields }: Http3Answer) =>
  fields?.find(([name]) => name === 'x-request-id')?.[1] ?? '';

test('a request has one row, of HTTP/3, and the address that it came from', async () => {
  const [answer] = await sendHttp3(port, [
    { fields: asked('/app/x', ['x-forwarded-for', '6.6.6.6']) },
  ]);
  expect(answer!.status).toBe(200);
  expect(await edge.row(idOf(answer!))).toMatchObject({
    protocol: 'HTTP/3.0',
    clientAddress: '127.0.0.1',
    decision: 'allow',
    route: 'app',
  });
});

test.each([
  'x:http://x/.signet/signed-out',
  'x:http://x/verify?require=public&route=a',
  'x:http://x/admin/x',
  'x:%2Fadmin%2Fx',
  '*',
  '',
  'admin/x',
  '#',
])('the target %j, without a path, reaches no app', async (target) => {
  const [answer] = await sendHttp3(port, [{ fields: asked(target) }]);
  // Newer Caddys end the stream.
  expect([0, 400]).toContain(answer!.status);
  expect([heard, edge.app.seen]).toEqual(['', []]);
});

test.each([
  ['plain', () => [[':method', 'CONNECT'], authority()] satisfies Field[]],
  ...['foo', 'connect-udp', 'webtransport', 'WebSocket', 'h2c'].flatMap((protocol) =>
    ['/public/x', '/open/x', '/x', '/.signet/me'].map(
      (path) =>
        [
          `to ${protocol} at ${path}`,
          (): Field[] => [[':method', 'CONNECT'], [':protocol', protocol], ...asked(path).slice(1)],
        ] as const,
    ),
  ),
] as const)(
  'CONNECT by HTTP/3, %s, reaches no app, nor does what stands in it',
  async (_, spelled) => {
    const [answer] = await sendHttp3(port, [{ fields: spelled(), body: SMUGGLED }]);
    expect(answer!.status).toBe(405);
    expect(heard).toBe('');
  },
);

test('CONNECT by HTTP/2 reaches no app, nor does what stands in it', async () => {
  const session = connectHttp2(`https://localhost:${port}`, { rejectUnauthorized: false });
  const stream = session.request(
    { ':method': 'CONNECT', ':authority': `localhost:${port}` },
    { endStream: false },
  );
  stream.end(SMUGGLED);
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  session.destroy();
  expect([headers[':status'], heard]).toEqual([405, '']);
});

test.each(['localhost', '/public/x', '/open/x'])(
  'CONNECT %s by HTTP/1.1 reaches no app',
  async (target) => {
    const reply = await edge.send(target, ['Content-Length: 0'], 'CONNECT');
    expect([reply.status, heard]).toEqual([405, '']);
  },
);

describe('before the handshake is done, when who saw it can send it again,', () => {
  /** Once more where the handshake was done before Caddy came to the request: then it isn't early. */
  async function early(method: string, isEarly: (answer: Http3Answer) => boolean) {
    const fields: Field[] = [[':method', method], ...asked('/app/x').slice(1)];
    let answer: Http3Answer;
    await until(`${method} that is early`, async () => {
      edge.app.seen.length = 0;
      [answer] = (await sendEarly(port, { fields })) as [Http3Answer];
      return isEarly(answer);
    });
    return answer!;
  }

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'get'])('%s is too early', async (method) => {
    const answer = await early(method, ({ status }) => status === 425);
    expect(edge.app.seen).toEqual([]);
    expect(await edge.row(idOf(answer))).toMatchObject({ decision: 'none', status: 425 });
  });

  test('GET is answered, and the app is told', async () => {
    const isTold = () => edge.app.seen.some((one) => one.values('early-data').join() === '1');
    expect(await early('GET', isTold)).toMatchObject({ status: 200 });
  });
});

test('WebSocket by HTTP/3 (RFC 9220) goes on to the app as a GET', async () => {
  const fields: Field[] = [
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    ...asked('/app/x', ['sec-websocket-version', '13']).slice(1),
  ];
  const [answer] = await sendHttp3(port, [{ fields }]);
  expect(answer!.status).toBe(200);
  expect(edge.app.seen.map(({ method, url }) => [method, url])).toEqual([['GET', '/app/x']]);
});

describe('a host that is the site’s by another spelling has its row', () => {
  test.each(['LocalHost', 'LOCALHOST'])('%s', async (host) => {
    const fields = asked('/app/x').map(([name, value]): Field =>
      name === ':authority' ? authority(`${host}:${port}`) : [name, value],
    );
    const [answer] = await sendHttp3(port, [{ fields }]);
    expect(await edge.row(idOf(answer!))).toMatchObject({ route: 'app', status: 200 });
  });

  test('also where Unicode alone makes it the same, if it is served at all', async () => {
    const fields = asked('/app/x').map(([name, value]): Field =>
      name === ':authority' ? authority(`localho\u017ft:${port}`) : [name, value],
    );
    const [answer] = await sendHttp3(port, [{ fields }]);
    const served = edge.app.seen.map((one) => one.values('x-request-id').join());
    for (const id of served) expect(await edge.row(id)).toMatchObject({ route: 'app' });
    expect(served.length > 0 ? [200] : [0, 400]).toContain(answer!.status);
  });
});

test.each(['Remote-User', 'Connection', 'Upgrade', 'Keep-Alive', 'transfer-encoding', 'upgrade'])(
  'the field %s ends the stream',
  async (name) => {
    const [answer] = await sendHttp3(port, [{ fields: asked('/app/x', [name, 'remote-user']) }]);
    expect([answer!.status, edge.app.seen]).toEqual([0, []]);
  },
);

test.each(['remote-user', 'remote_user', 'remote.user', 'signet-assertion', 'signet.assertion'])(
  'no %s of the client’s reaches the app',
  async (name) => {
    await sendHttp3(port, [{ fields: asked('/app/x', [name, 'root'], [name, 'root']) }]);
    expect(JSON.stringify(edge.app.seen.map(({ rawHeaders }) => rawHeaders))).not.toContain('root');
    expect(edge.app.seen).toHaveLength(1);
  },
);

test('of the cookie’s many fields the app gets all but the session', async () => {
  const cookies: Field[] = [
    ['cookie', 'a=1'],
    ['cookie', '__Host-signet=x'],
    ['cookie', '__Secure-signet=y'],
    ['cookie', 'b=2'],
  ];
  await sendHttp3(port, [{ fields: asked('/app/x', ...cookies) }]);
  expect(edge.app.seen.map((one) => one.values('cookie'))).toEqual([['a=1; b=2']]);
});
