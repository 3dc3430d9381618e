// `signet doctor` at a whole installation: a real Caddy with TLS of its own, the real sidecar, a real provider, a
// real OTLP receiver; and at the same one with something broken.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../fixtures/caddy.ts';
import { runDoctor, type Examined } from '../fixtures/doctor.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';

let edge: Edge;
let httpsPort: number;
let authority: string;
let settings: Record<string, string>;

beforeAll(async () => {
  httpsPort = await freePort();
  edge = await startEdge(
    `handle /open* {
      import protect open public {
        reverse_proxy APP
      }
    }
    handle /bare* {
      reverse_proxy APP
    }
    handle /landing* {
      import unprotected landing {
        reverse_proxy APP
      }
    }
    handle {
      import protect orders any {
        reverse_proxy APP
      }
    }
    }
    https://localhost:${httpsPort} {
    import signet
    handle {
      import protect secure any {
        reverse_proxy APP
      }
    }`,
  );
  authority = join(edge.caddy().folder, 'data/caddy/pki/authorities/local/root.crt');
  settings = {
    SIGNET_ISSUER: edge.provider.issuer,
    SIGNET_CLIENT_ID: edge.provider.clientId,
    SIGNET_CLIENT_SECRET: edge.provider.clientSecret,
    SIGNET_DESTINATION: `lightstep@${edge.receiver.endpoint}`,
    LIGHTSTEP_ACCESS_TOKEN: 'the-access-token',
    SIGNET_SOCKET: join(edge.folder, 'run', 'sidecar.sock'),
    SIGNET_ACCESS_LOG: edge.accessLog,
    SIGNET_HEALTH: `127.0.0.1:${edge.healthPort}`,
    SIGNET_STATE: edge.folder,
    CADDY: process.env['CADDY'] ?? 'caddy',
  };
});
afterAll(() => edge.stop());

const plain = (path: string) => `http://localhost:${edge.port}${path}`;
const secure = (path: string) => `https://localhost:${httpsPort}${path}`;

describe('at an installation that is well, with its settings and its record', () => {
  let found: Examined;
  beforeAll(async () => {
    found = await runDoctor([secure('/orders'), '--ca', authority], settings);
  });

  test('nothing is wrong, and the exit code is 0', () => {
    expect(found.lines.filter(({ verdict }) => verdict === 'wrong')).toEqual([]);
    expect(found).toMatchObject({ code: 0, err: '' });
  });

  test.each([
    ['tls', 'the certificate holds for localhost'],
    ['server', 'Caddy'],
    ['clock', 'agree'],
    ['sidecar', 'answers under /.signet/'],
    ['signed-out', '302: sent to sign in'],
    ['odd target', 'refused with 400'],
    ['odd requests', 'CONNECT is refused with 405, and dot segments in a path with 400'],
    ['host in capitals', 'a request to LOCALHOST:'],
    ['spoofed headers', 'none of 9 came back'],
    ['record', 'log written, readable, followed'],
    ['spoofed row', 'nobody is its user'],
    ['readiness', 'ready'],
    ['versions', 'sidecar and command are both'],
    ['destination lightstep', 'took a test span'],
  ])('%s is well', (name, seen) => {
    expect(found.line(name)).toMatchObject({
      verdict: 'well',
      seen: expect.stringContaining(seen),
    });
  });

  test('the sign-in leads to the endpoint that the provider names, and its keys can be used', () => {
    const of = (begin: string) => found.lines.filter(({ name }) => name.startsWith(begin));
    expect(of('sign-in')[0]?.seen).toContain(`leads to ${edge.provider.issuer}/auth, with S256`);
    expect(of('keys of')[0]?.seen).toMatch(/^\d of \d can be used: /);
    expect([...of('sign-in'), ...of('keys of'), ...of('provider'), ...of('clock of')]).toHaveLength(
      4,
    );
  });

  test('the span at the destination says that it is a test', () => {
    const spans = edge.receiver.spans.filter(({ name }) => name === 'signet doctor');
    expect(spans).toHaveLength(1);
    expect(spans[0]?.attributes).toMatchObject({ 'signet.test': true });
  });

  test('no secret is in what it says', () => {
    expect(found.out).not.toContain(edge.provider.clientSecret);
    expect(found.out).not.toContain('the-access-token');
  });
});

describe('without the settings', () => {
  test('the site is looked at, and the rest is said not to be', async () => {
    const found = await runDoctor([secure('/'), '--ca', authority]);
    const verdict = (name: string) => found.line(name).verdict;
    expect(['tls', 'sidecar', 'signed-out', 'sign-in', 'spoofed headers'].map(verdict)).toEqual(
      Array.from({ length: 5 }, () => 'well'),
    );
    expect(found.code).toBe(0);
  });

  test('that they are not here is said once, with what was therefore not looked at', async () => {
    const found = await runDoctor([secure('/'), '--ca', authority]);
    const lacking = found.lines.filter(({ seen }) => seen.includes('not here, or not whole'));
    expect(lacking.map(({ name }) => name)).toEqual(['settings']);
    expect(lacking[0]?.seen).toContain('record, readiness, versions, providers and destinations');
  });

  test('--state alone finds the row', async () => {
    const found = await runDoctor([plain('/orders'), '--state', edge.folder]);
    expect(found.line('record').verdict).toBe('well');
  });
});

test('a certificate of an unknown authority is wrong, and the rest is looked at', async () => {
  const found = await runDoctor([secure('/')]);
  expect(found.line('tls')).toMatchObject({ verdict: 'wrong' });
  expect(found.line('tls').mend).toContain('--ca FILE');
  expect(found.line('signed-out').verdict).toBe('well');
  expect(found.code).toBe(1);
});

test('plain http on this machine is a warning that names the cookies', async () => {
  const { verdict, seen } = (await runDoctor([plain('/')])).line('tls');
  expect({ verdict, seen }).toMatchObject({
    verdict: 'warning',
    seen: expect.stringContaining('__Host-'),
  });
});

test('--ca that is not there is named in a sentence', async () => {
  const found = await runDoctor([secure('/orders'), '--ca', '/nowhere/ca.pem']);
  expect(found).toMatchObject({
    code: 2,
    err: 'signet: --ca /nowhere/ca.pem is of no use: there is no such file\n',
  });
});

test('a public block is a warning, although its app says back all that it gets', async () => {
  const found = await runDoctor([plain('/open')]);
  expect(found.line('signed-out')).toMatchObject({
    verdict: 'warning',
    seen: expect.stringContaining('`public`'),
  });
  expect(found.line('spoofed headers').verdict).toBe('well');
});

test.each(['/bare', '/landing'])('that no gate answers for %s is said once', async (path) => {
  const found = await runDoctor([plain(path)], settings);
  const wrongs = found.lines.filter(({ verdict }) => verdict === 'wrong');
  expect(wrongs).toMatchObject([
    { name: 'signed-out', seen: expect.stringContaining('no gate answers for this URL') },
  ]);
});

test('a block that is open on purpose is told by its row', async () => {
  const found = await runDoctor([plain('/landing')], settings);
  expect(found.line('record').seen).toContain('on landing: open on purpose');
});

test('plain http at a port with TLS is one wrong line, and nothing else is said of the site', async () => {
  const found = await runDoctor([`http://localhost:${httpsPort}/orders`]);
  expect(found.line('site')).toMatchObject({
    verdict: 'wrong',
    mend: `write https://localhost:${httpsPort}/orders`,
  });
  expect(found.lines.map(({ name }) => name)).toEqual(['address', 'site', 'caddy', 'settings']);
});

test('a refused token of a destination is wrong, and says what to mend', async () => {
  edge.receiver.answerWith(16);
  const found = await runDoctor([plain('/')], settings);
  edge.receiver.answerWith(undefined);
  expect(found.line('destination lightstep')).toMatchObject({
    verdict: 'wrong',
    seen: expect.stringContaining('(unauthorized)'),
    mend: expect.stringContaining('put a token that holds'),
  });
});

test('a Caddy below the floor is wrong, with its advisories', async () => {
  const old = join(edge.folder, 'old-caddy');
  writeFileSync(old, '#!/bin/sh\necho v2.11.3\n', { mode: 0o755 });
  const found = await runDoctor([plain('/'), '--caddy', old]);
  expect(found.line('caddy')).toMatchObject({
    verdict: 'wrong',
    seen: expect.stringContaining('CVE-2026-52845'),
  });
});

test.each([
  ['app.example.com'],
  ['ftp://app.example.com/'],
  ['https://me:secret@app.example.com/'],
  ['https://localhost/', '--ca', '/nonexistent'],
  ['https://localhost/', '--ca', import.meta.filename],
  ['https://localhost/', '--deep'],
  [],
])('%s %s %s can’t be looked at: the exit code is 2', async (...args) => {
  const { code, out, err } = await runDoctor(args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).not.toBe('');
  expect(err).not.toMatch(/BEGIN|secret|command-argument/);
});

test('a site that does not answer is wrong, and the rest is looked at', async () => {
  const found = await runDoctor([`http://localhost:${await freePort()}/`], settings);
  expect(found.line('site')).toMatchObject({
    verdict: 'wrong',
    seen: expect.stringContaining('nothing listens there'),
  });
  expect(found.line('versions').verdict).toBe('well');
  expect(found.code).toBe(1);
});

describe('when the sidecar hangs', () => {
  let found: Examined;
  beforeAll(async () => {
    edge.sidecar().signal('SIGSTOP');
    found = await runDoctor([plain('/')], settings);
    edge.sidecar().signal('SIGCONT');
  });

  test('what hangs on the gate is not asked for once more', () => {
    for (const name of ['sign-in', 'spoofed headers', 'spoofed row']) {
      expect(found.line(name)).toEqual({
        ...{ name, verdict: 'not-looked-at', seen: 'the gate did not answer' },
      });
    }
  });

  test('its own page and the row are waited for 2 s', () => {
    expect(found.line('sidecar').seen).toBe('/.signet/me: no answer within 2 s');
    expect(found.line('record').seen).toContain('within 2 s');
  });
});

// Last: it is stopped.
describe('when the sidecar is gone', () => {
  let found: Examined;
  beforeAll(async () => {
    await edge.sidecar().stop();
    found = await runDoctor([plain('/')], settings);
  });

  test('the 502 is told to be no answer of the gate', () => {
    for (const name of ['sidecar', 'signed-out']) {
      expect(found.line(name)).toMatchObject({
        verdict: 'wrong',
        seen: expect.stringContaining('Caddy has no answer of the gate'),
      });
    }
  });

  test('the row does not come, although Caddy has logged the request', () => {
    expect(found.line('record')).toMatchObject({
      verdict: 'wrong',
      seen: expect.stringContaining('Caddy has logged it'),
    });
  });

  test('nothing listens where the sidecar tells how it stands', () => {
    expect(found.line('readiness').seen).toContain('nothing listens there');
  });
});
