// `signet init` against a real provider, and then what it wrote, as it wrote it: `signet serve`, a real
// Caddy, somebody who signs in. And the same questions at a terminal.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findCaddy } from '../../caddy/find.ts';
import { speaksTls } from '../../deploy/local/ready.ts';
import { runSignet } from '../fixtures/cli.ts';
import { createBrowser } from '../fixtures/init-browser.ts';
import { runInit, runSnippet, startInit } from '../fixtures/init.ts';
import { freePort, SNIPPETS, startEchoApp, type EchoApp } from '../fixtures/caddy.ts';
import { startProvider, type TestProvider } from '../fixtures/provider.ts';
import { readiness, startSidecar } from '../fixtures/sidecar.ts';
import { until } from '../fixtures/until.ts';

let folder: string;
let port: number;
let provider: TestProvider;
let app: EchoApp;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-init-'));
  port = await freePort();
  const redirectUris = [`https://localhost:${port}/.signet/callback`];
  [provider, app] = await Promise.all([
    startProvider({ redirectUris, audience: 'https://orders.example' }),
    startEchoApp(),
  ]);
});
afterAll(async () => {
  await Promise.all([provider.stop(), app.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const flags = (name: string) => [
  ...['--issuer', provider.issuer, '--client-id', provider.clientId],
  ...['--client-secret-file', '-', '--host', `localhost:${port}`],
  ...['--app', app.address, '--folder', name],
];
const names = (name: string) => readdirSync(join(folder, name)).toSorted();
const textIn = (name: string, file: string) => readFileSync(join(folder, name, file), 'utf8');

test('what it writes runs as it is: alice signs in, reaches the app, and is found in the record', async () => {
  const written = await runInit({ folder }, flags('whole'), provider.clientSecret);
  expect(written).toMatchObject({ code: 0 });
  const own = join(folder, 'whole');
  const health = await freePort();
  const { path: caddy } = await findCaddy({ env: process.env, say: () => {} });
  // No setting but those in signet.yaml: only another port for health, which two tests can't share.
  const sidecar = startSidecar(own, {
    SIGNET_STATE: join(own, 'state'),
    SIGNET_HEALTH: `127.0.0.1:${health}`,
  });
  const edge = spawn(caddy, ['run', '--envfile', 'caddy.env'], {
    cwd: own,
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  edge.stderr.resume();
  const closed = once(edge, 'close');
  try {
    const root = join(own, 'caddy/pki/authorities/local/root.crt');
    await until('Caddy’s certificate', () => speaksTls(port, root));
    await readiness(health, sidecar, ({ checks }) => checks['provider']?.ok === true);
    const browser = createBrowser({ port, ca: readFileSync(root), provider });
    await browser.signIn('alice', '/orders?page=2');
    expect(app.seen.at(-1)?.values('remote-user')).toEqual(['alice']);
    const asked = ['audit', '--user', 'alice', '--route', 'app', '--decision', 'allow'];
    const config = { SIGNET_CONFIG: join(own, 'signet.yaml') };
    await until('a row of alice’s', async () =>
      (await runSignet(asked, config)).out.includes('"path":"/orders"'),
    );
  } finally {
    edge.kill('SIGTERM');
    await Promise.all([closed, sidecar.stop()]);
  }
});

describe('with flags', () => {
  test('the provider is asked, and what it says is told', async () => {
    const { err } = await runInit({ folder }, flags('told'), 'hush');
    expect(err).toMatch(/The provider answers\.\n  flows: code/);
  });

  test('a second run changes nothing', async () => {
    await runInit({ folder }, flags('twice'), 'hush');
    const before = names('twice').map((name) => statSync(join(folder, 'twice', name)).mtimeMs);
    const again = await runInit({ folder }, flags('twice'), 'hush');
    expect(again).toMatchObject({ code: 0, out: expect.not.stringContaining('written') });
    const after = names('twice').map((name) => statSync(join(folder, 'twice', name)).mtimeMs);
    expect(after).toEqual(before);
  });

  test('what is there and differs stays, ours is beside it, and the exit code is 1', async () => {
    await runInit({ folder }, flags('differs'), 'hush');
    const before = textIn('differs', 'Caddyfile');
    const again = await runInit(
      { folder },
      [...flags('differs'), '--app', 'localhost:3999'],
      'hush',
    );
    expect(again).toMatchObject({ code: 1, out: expect.stringContaining('Caddyfile.new') });
    expect(textIn('differs', 'Caddyfile')).toBe(before);
    expect(textIn('differs', 'Caddyfile.new')).toContain('reverse_proxy localhost:3999');
    expect(names('differs').filter((name) => name.endsWith('.new'))).toEqual(['Caddyfile.new']);
  });

  test('what is beside it already is not written over, and the exit code is 1', async () => {
    await runInit({ folder }, flags('held'), 'hush');
    writeFileSync(join(folder, 'held', 'client-secret.new'), 'the next one\n');
    const again = await runInit({ folder }, flags('held'), 'another');
    expect(again).toMatchObject({
      code: 1,
      out: expect.stringContaining('client-secret.new away'),
    });
    expect(textIn('held', 'client-secret.new')).toBe('the next one\n');
  });

  test('a pipe in place of a file is 73, and nobody waits for it', async () => {
    mkdirSync(join(folder, 'pipe'));
    execFileSync('mkfifo', [join(folder, 'pipe', 'signet.yaml')]);
    const ended = await runInit({ folder }, flags('pipe'), 'hush');
    expect(ended).toMatchObject({ code: 73, err: expect.stringContaining('is no file') });
    expect(names('pipe')).toEqual(['signet.yaml']);
  });

  test('root is refused a folder of another user’s: 73, and nothing is written', async () => {
    mkdirSync(join(folder, 'theirs'));
    // To root the folder of an ordinary user, who runs this test, is another user's already.
    if (process.getuid?.() === 0) chownSync(join(folder, 'theirs'), 65_534, 65_534);
    const place = { folder, isRoot: true } as const;
    const ended = await runInit(place, flags('theirs/site'), 'hush');
    expect(ended).toMatchObject({
      code: 73,
      err: expect.stringContaining('belongs to another user'),
    });
    expect(names('theirs')).toEqual([]);
  });

  test('a secret in place of its file is not shown', async () => {
    const ended = await runInit({ folder }, [...flags('typed'), '--client-secret-file', 'S3cr3t']);
    expect(ended).toMatchObject({ code: 73, err: expect.not.stringContaining('S3cr3t') });
  });

  test('a secret that everybody may read, and a folder for everybody, are told', async () => {
    mkdirSync(join(folder, 'open'));
    writeFileSync(join(folder, 'open', 'client-secret'), 'hush');
    chmodSync(join(folder, 'open', 'client-secret'), 0o666);
    chmodSync(join(folder, 'open'), 0o777);
    const { out } = await runInit({ folder }, flags('open'), 'hush');
    const at = join(folder, 'open');
    expect(out).toContain(`chmod 600 ${at}/client-secret`);
    expect(out).toContain(`chmod 700 ${at}\n`);
  });

  test('what is missing is named at once without a terminal, and nothing is written', async () => {
    const { code, err } = await runInit({ folder }, ['--host', 'a b', '--folder', 'missing']);
    expect(code).toBe(2);
    for (const flag of ['--issuer', '--client-id', '--host', '--app']) expect(err).toContain(flag);
    expect(existsSync(join(folder, 'missing'))).toBe(false);
  });

  test('a provider that can’t be reached is 69, and nothing is written', async () => {
    const nobody = `http://localhost:${await freePort()}`;
    const ended = await runInit({ folder }, [...flags('away'), '--issuer', nobody], 'hush');
    expect(ended).toMatchObject({ code: 69, err: expect.stringContaining('--offline') });
    expect(existsSync(join(folder, 'away'))).toBe(false);
  });

  test('an issuer that the provider spells otherwise is 69', async () => {
    const issuer = ['--issuer', `${provider.issuer}/`];
    const ended = await runInit({ folder }, [...flags('slash'), ...issuer], 'hush');
    expect(ended).toMatchObject({ code: 69, err: expect.stringContaining('calls itself') });
  });

  test('--offline asks nobody', async () => {
    const nobody = `http://localhost:${await freePort()}`;
    const given = [...flags('offline'), '--issuer', nobody, '--offline'];
    expect(await runInit({ folder }, given, 'hush')).toMatchObject({ code: 0, err: '' });
  });

  test('a folder that can’t be is 73', async () => {
    const ended = await runInit({ folder }, flags('init.mjs/below'), 'hush');
    expect(ended).toMatchObject({ code: 73, err: expect.stringContaining('ENOTDIR') });
  });
});

test('`signet snippet` prints the snippets of this version, as init writes them', async () => {
  await runInit({ folder }, flags('snippet'), 'hush');
  const { code, out } = await runSnippet({ folder });
  expect(code).toBe(0);
  expect(out).toBe(textIn('snippet', 'signet.caddy'));
  expect(out).toBe(readFileSync(SNIPPETS, 'utf8'));
});

describe('at a terminal', () => {
  test('it asks the four questions and, unseen, for the secret', async () => {
    const terminal = startInit({ folder }, ['--folder', 'asked']);
    await terminal.answer('issuer', provider.issuer);
    await terminal.answer('id of the client', 'signet');
    await terminal.answer('The host', `localhost:${port}`);
    await terminal.answer('Where the app listens', app.address);
    await terminal.answer('unseen', 'hush-hush-hush');
    expect(await terminal.ended).toBe(0);
    expect(terminal.shown()).not.toContain('hush');
    expect(textIn('asked', 'client-secret')).toBe('hush-hush-hush\n');
    expect(textIn('asked', 'signet.yaml')).toContain(`issuer: ${provider.issuer}\n`);
  });

  test('only what no flag gives is asked, and a wrong answer is asked for again', async () => {
    const given = ['--issuer', provider.issuer, '--client-id', 'signet', '--app', app.address];
    const terminal = startInit({ folder }, [...given, '--folder', 'again']);
    await terminal.answer('The host', 'http://app.example.com');
    await terminal.answer('The host', 'app.example.com');
    await terminal.answer('unseen', '');
    expect(await terminal.ended).toBe(0);
    expect(terminal.shown()).toContain('allowed is one host name');
    expect(textIn('again', 'client-secret')).toBe('');
    expect(terminal.shown()).toContain('Write the secret into');
  });

  test('a provider that can’t be reached is told, and another one can be named', async () => {
    const given = ['--client-id', 'signet', '--app', app.address, '--host', 'app.example.com'];
    const terminal = startInit({ folder }, [...given, '--folder', 'other']);
    await terminal.answer('issuer', `http://localhost:${await freePort()}`);
    await terminal.answer('Go on all the same?', '');
    await terminal.answer('issuer', provider.issuer);
    await terminal.answer('unseen', '');
    expect(await terminal.ended).toBe(0);
    expect(textIn('other', 'signet.yaml')).toContain(`issuer: ${provider.issuer}\n`);
  });

  test('a secret that was to come from standard input is asked for, because a person is there', async () => {
    const terminal = startInit({ folder }, flags('stdin'));
    await terminal.answer('unseen', 'hush');
    expect(await terminal.ended).toBe(0);
    expect(textIn('stdin', 'client-secret')).toBe('hush\n');
  });

  test.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('%s at a question ends it, and nothing is written', async (_, key) => {
    const terminal = startInit({ folder }, [...flags('left').slice(0, 4), '--folder', 'left']);
    await terminal.press('The host', key);
    expect(await terminal.ended).toBe(130);
    expect(terminal.shown()).toContain('nothing was written');
    expect(existsSync(join(folder, 'left'))).toBe(false);
  });
});
