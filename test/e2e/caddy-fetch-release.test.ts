// Fetching Caddy's release archive from a real https server on this machine, which serves right and wrong
// ones, well and badly. Nothing leaves this machine.
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fetchCaddy } from '../../caddy/fetch.ts';
import { createReleaseWay, type ReleaseSource } from '../../caddy/fetch-release.ts';
import { findCaddy } from '../../caddy/find.ts';
import { releaseFiles } from '../../caddy/release.ts';
import { CADDY_FETCHED } from '../../sidecar/edge/version.ts';
import { Fault } from '../../sidecar/fault.ts';
import { createAuthority, type Authority } from '../fixtures/certificates.ts';
import { startForwardProxy } from '../fixtures/forward-proxy.ts';
import { checksumLine, packedBySystem, tarGz } from '../fixtures/release-archive.ts';
import { type Answer, type ReleaseServer, startReleaseServer } from '../fixtures/release-server.ts';
import { until } from '../fixtures/until.ts';

const MACHINE = { platform: 'linux', arch: 'x64', endianness: 'LE' } as const;
const NAMES = releaseFiles(CADDY_FETCHED, MACHINE);
/** What is fetched, where the program is not the point: it says that it is a Caddy. */
const SMALL = tarGz({ name: 'caddy', body: '#!/bin/sh\necho v2.11.9\n' });

let folder: string;
let authority: Authority;
let server: ReleaseServer;
let cacheDir: string;
const said: string[] = [];
const cleanUps: (() => unknown)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signet-release-'));
  authority = createAuthority(folder, 'releases');
  server = await startReleaseServer(authority.issue('server'));
});
beforeEach(async () => {
  cacheDir = await mkdtemp(join(folder, 'cache-'));
  said.length = 0;
  server.asked.length = 0;
  server.files.clear();
  serve(SMALL);
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

function serve(archive: Answer, listed: Buffer = SMALL) {
  const bytes = Buffer.isBuffer(archive) ? archive : listed;
  server.files.set(NAMES.checksums, Buffer.from(checksumLine(bytes, NAMES.archive)));
  server.files.set(NAMES.archive, archive);
}

function fetch(source: ReleaseSource = {}, env: Record<string, string> = {}) {
  const ca = readFileSync(authority.certificateFile, 'utf8');
  const { releases } = server;
  const way = createReleaseWay({ releases, machine: MACHINE, ca, ...source });
  return fetchCaddy(cacheDir, [way], { env, say: (line) => said.push(line) });
}

/** Resolves to what is said of a failure; it must leave nothing behind. */
async function failure(...given: Parameters<typeof fetch>): Promise<string> {
  const error = await fetch(...given).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Fault);
  expect(await readdir(cacheDir)).toEqual([]);
  return (error as Fault).message;
}

test('a real Caddy, packed as a release is, is fetched into the cache, and nothing beside it', async () => {
  const { path, version } = await findCaddy({ env: process.env, say: () => undefined });
  serve(packedBySystem(path));
  expect(await fetch()).toEqual({ path: join(cacheDir, 'caddy'), version });
  expect(await readdir(cacheDir)).toEqual(['caddy']);
  const at = `/caddy/v${CADDY_FETCHED}`;
  expect(server.asked).toEqual([`${at}/${NAMES.checksums}`, `${at}/${NAMES.archive}`]);
});

test('findCaddy takes it when no other Caddy is there', async () => {
  const ca = readFileSync(authority.certificateFile, 'utf8');
  const ways = [createReleaseWay({ releases: server.releases, machine: MACHINE, ca })];
  const say = (line: string) => said.push(line);
  const found = await findCaddy({ env: { PATH: '' }, say, cacheDir, ways });
  expect(found).toEqual({ path: join(cacheDir, 'caddy'), version: '2.11.9' });
  expect(said[1]).toBe(`Fetching Caddy by release archive (${server.releases}/v${CADDY_FETCHED})`);
});

describe('the checksum', () => {
  test('that differs is the end, before anything is unpacked', async () => {
    server.files.set(NAMES.archive, tarGz({ name: 'caddy', body: 'another program' }));
    expect(await failure()).toMatch(/the archive's SHA-512 is [0-9a-f]{16}…, and was published as/);
  });

  test('that is missing is the end, and the archive is not even asked for', async () => {
    server.files.set(NAMES.checksums, Buffer.from(checksumLine(SMALL, 'caddy_other.tar.gz')));
    expect(await failure()).toContain(`the published checksums do not name ${NAMES.archive}`);
    expect(server.asked).toHaveLength(1);
  });
});

test('a program that is no safe Caddy is not kept', async () => {
  serve(tarGz({ name: 'caddy', body: '#!/bin/sh\necho v2.11.3\n' }));
  expect(await failure()).toContain('Caddy 2.11.3 is below 2.11.4');
});

test('an archive with entries that lead elsewhere puts nothing there', async () => {
  const elsewhere = [{ name: '../evil' }, { name: join(folder, 'evil') }];
  const link = { name: 'evil', type: '2', to: '../' };
  serve(tarGz(...elsewhere, link, { name: 'evil/caddy' }));
  expect(await failure()).toContain('the archive holds no file `caddy`');
  expect((await readdir(folder)).filter((name) => name.includes('evil'))).toEqual([]);
});

test('an archive that unpacks to too much is refused', async () => {
  serve(tarGz({ name: 'caddy', body: Buffer.alloc(1_000_000) }));
  expect(await failure({ limits: { unpackedBytes: 100_000 } })).toContain('unpacks to more than');
});

test('a machine that there is no release for is told so, and nothing is asked for', async () => {
  const machine = { platform: 'sunos', arch: 'x64', endianness: 'LE' } as const;
  expect(await failure({ machine })).toContain('there is no release for sunos on x64');
  expect(server.asked).toEqual([]);
});

describe('a server that', () => {
  const PIECE = Buffer.alloc(1000);

  test.each([NAMES.checksums, NAMES.archive])(
    'has no %s answers 404: said with the URL',
    async (name) => {
      server.files.delete(name);
      expect(await failure()).toContain(`/v${CADDY_FETCHED}/${name}: 404 Not Found`);
    },
  );

  test('fails says which status', async () => {
    serve((response) => response.writeHead(503).end());
    expect(await failure()).toContain(`${NAMES.archive}: 503 Service Unavailable`);
  });

  test('says so in words that a terminal would obey is quoted in words that none does', async () => {
    serve((response) => {
      const words = '\x1b]0;owned\x07\x1b[2JNot Found';
      response.socket?.end(`HTTP/1.1 404 ${words}\r\nContent-Length: 0\r\n\r\n`);
    });
    expect(await failure()).toContain(String.raw`404 \x1b]0;owned\x07\x1b[2JNot Found`);
    expect(said.join('')).not.toContain('\x1b');
  });

  test('breaks off is told of with how far it got', async () => {
    serve((response) => {
      response.writeHead(200, { 'content-length': 4_000_000 });
      response.write(Buffer.alloc(1_000_000), () => response.destroy());
    });
    expect(await failure()).toMatch(/the connection broke off after [01]\.\d of 4\.0 MB, \d+ %/);
  });

  test('announces too much is not listened to', async () => {
    serve((response) => response.writeHead(200, { 'content-length': 2_000_000 }).write(PIECE));
    expect(await failure({ limits: { archiveBytes: 1_000_000 } })).toContain('larger than 1.0 MB');
  });

  test('sends too much without saying how much is stopped on the way', async () => {
    let isOver = false;
    serve((response) => {
      response.on('close', () => (isOver = true));
      const more = () => void (isOver || response.write(PIECE, more));
      more();
    });
    expect(await failure({ limits: { archiveBytes: 100_000 } })).toContain('larger than 0.1 MB');
    await until('the server to notice', () => isOver);
  });

  test('sends a list of checksums without end is stopped on the way', async () => {
    server.files.set(NAMES.checksums, Buffer.alloc(100_000));
    expect(await failure({ limits: { checksumsBytes: 50_000 } })).toContain('larger than');
  });

  test('never answers is given up', async () => {
    serve(() => undefined);
    const message = await failure({ limits: { silenceMs: 200 } });
    expect(message).toContain(`nothing was heard from localhost:${server.port} for 0.2 s`);
  });

  test('falls silent in the middle is given up', async () => {
    serve((response) => response.writeHead(200, { 'content-length': 4000 }).write(PIECE));
    expect(await failure({ limits: { silenceMs: 200 } })).toContain('nothing was heard from');
  });

  test('drips is given up, though it is never silent', async () => {
    serve((response) => {
      const drip = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(drip));
    });
    const limits = { silenceMs: 5_000, totalMs: 400 };
    expect(await failure({ limits })).toContain('it took more than 0.4 s');
  });

  test('takes its time, but is never silent, is told of every two seconds in bytes and percent', async () => {
    const isProgress = (line: string) => /^ {2}\d\.\d of \d\.\d MB, \d+ %$/.test(line);
    serve((response) => {
      response.writeHead(200, { 'content-length': SMALL.length });
      let sent = 0;
      const drip = setInterval(() => {
        const isTold = said.some(isProgress);
        response.write(SMALL.subarray(sent, isTold ? undefined : sent + 1));
        sent = isTold ? SMALL.length : sent + 1;
      }, 50);
      response.on('close', () => clearInterval(drip));
    });
    expect((await fetch({ limits: { silenceMs: 1_500 } })).version).toBe('2.11.9');
    expect(said.filter(isProgress)).not.toEqual([]);
  });

  test('has a certificate of an authority that is not trusted is not believed', async () => {
    const other = createAuthority(folder, 'other');
    const ca = readFileSync(other.certificateFile, 'utf8');
    expect(await failure({ ca })).toMatch(/localhost:\d+ can't be reached: .*certificate/);
    expect(server.asked).toEqual([]);
  });
});

describe('a redirect', () => {
  const to =
    (location: string): Answer =>
    (response) =>
      void response.writeHead(302, { location }).end();

  test('to https elsewhere is followed', async () => {
    const elsewhere = await startReleaseServer(authority.issue('elsewhere'));
    cleanUps.push(() => elsewhere.stop());
    elsewhere.files.set('blob', SMALL);
    serve(to(`https://localhost:${elsewhere.port}/of/blob`));
    expect((await fetch()).version).toBe('2.11.9');
    expect(elsewhere.asked).toEqual(['/of/blob']);
  });

  test('within the server is followed', async () => {
    serve(to('../moved'));
    server.files.set('moved', SMALL);
    expect((await fetch()).version).toBe('2.11.9');
  });

  test.each(['http://localhost/x', 'file:///etc/passwd', 'data:,x', '', 'https://'])(
    'to `%s` is not followed',
    async (location) => {
      serve(to(location));
      expect(await failure()).toMatch(/redirected to .*, which is not https/);
    },
  );

  test('that leads round in a circle is followed five times', async () => {
    serve(to(NAMES.archive));
    expect(await failure()).toContain('redirected more than 5 times');
    expect(server.asked).toHaveLength(1 + 6);
  });

  test('to what is not there says where that is, and not what was in the query', async () => {
    serve(to('../gone?signature=secret'));
    const message = await failure();
    expect(message).toContain(`localhost:${server.port}/caddy/gone: 404 Not Found`);
    expect(message).not.toContain('secret');
  });

  test('to who can’t be reached says who that is, and not what was in the query', async () => {
    const port = await closedPort();
    serve(to(`https://localhost:${port}/blob?signature=secret`));
    const message = await failure();
    expect(message).toContain(`localhost:${port} can't be reached: nothing listens there`);
    expect(message).not.toContain('secret');
  });
});

describe('without a network', () => {
  test('a name that is not known is said to be so', async () => {
    // Too long a label: no name server is asked.
    const host = `${'a'.repeat(64)}.example`;
    const message = await failure({ releases: `https://${host}` });
    expect(message).toContain(`${host} can't be reached: its name is not known here`);
  });

  test('a port that nobody listens on is said to be so', async () => {
    const message = await failure({ releases: `https://127.0.0.1:${await closedPort()}` });
    expect(message).toMatch(/can't be reached: nothing listens there \(connect ECONNREFUSED/);
  });

  test('a black hole is given up', async () => {
    const { port } = await listen();
    const releases = `https://127.0.0.1:${port}`;
    const message = await failure({ releases, limits: { silenceMs: 200 } });
    expect(message).toContain(`nothing was heard from 127.0.0.1:${port} for 0.2 s`);
  });
});

describe('a proxy', () => {
  const proxied = async (password?: string) => {
    const proxy = await startForwardProxy(server.port, password);
    cleanUps.push(() => proxy.stop());
    return proxy;
  };

  test.each(['HTTPS_PROXY', 'https_proxy'])('that %s names is used', async (variable) => {
    const { port, asked } = await proxied();
    const releases = `https://receiver.test:${server.port}/caddy`;
    await fetch({ releases }, { [variable]: `http://127.0.0.1:${port}` });
    const to = `receiver.test:${server.port}`;
    expect(asked.map((each) => each.to)).toEqual([to, to]);
  });

  test('is gone past for what NO_PROXY names', async () => {
    const { port, asked } = await proxied();
    await fetch({}, { HTTPS_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: 'localhost' });
    expect(asked).toEqual([]);
  });

  test('gets name and password of the URL, which no message repeats', async () => {
    const { port } = await proxied('right');
    const by = (password: string) => ({
      HTTPS_PROXY: `http://signet:${password}@127.0.0.1:${port}`,
    });
    expect((await fetch({}, by('right'))).version).toBe('2.11.9');
    await rm(join(cacheDir, 'caddy'));
    const message = await failure({}, by('wrong'));
    expect(message).toMatch(/the proxy does not let through .*407/);
    expect(message).not.toContain('wrong');
  });

  test('whose URL is none is an error that does not repeat it', async () => {
    const message = await failure({}, { HTTPS_PROXY: 'http://signet:secret@:::' });
    expect(message).toContain('HTTPS_PROXY');
    expect(message).not.toContain('secret');
  });

  test('that never answers is given up', async () => {
    const { port } = await listen();
    const env = { HTTPS_PROXY: `http://127.0.0.1:${port}` };
    // Which of the two notices first is theirs to settle.
    const message = await failure({ limits: { silenceMs: 200 } }, env);
    expect(message).toMatch(/nothing was heard from|proxy tunnel timed out/);
  });
});

/** Accepts, and says nothing. */
async function listen(): Promise<{ port: number }> {
  const sockets = new Set<{ destroy(): void }>();
  const silent: Server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  return { port: (silent.address() as { port: number }).port };
}

async function closedPort(): Promise<number> {
  const { port } = await listen();
  await cleanUps.pop()?.();
  return port;
}
