// Whatever is accepted comes back: signet.yaml parses to it, and a real Caddy makes of the Caddyfile
// exactly the host and the upstream that were meant.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { findCaddy } from '../../caddy/find.ts';
import { runCommand } from '../../caddy/run-command.ts';
import { isIssuer } from '../../sidecar/config/address.ts';
import { parseRequirement } from '../../sidecar/policy/requirement.ts';
import type { Answers } from '../../sidecar/setup/answers.ts';
import { parseApp } from '../../sidecar/setup/app.ts';
import { caddyEnvText, caddyfileText } from '../../sidecar/setup/caddy-text.ts';
import { parseClientId, parseIssuer } from '../../sidecar/setup/client.ts';
import { parseHost } from '../../sidecar/setup/host.ts';
import { folderLayout, type Layout, systemLayout } from '../../sidecar/setup/layout.ts';
import type { Parsed } from '../../sidecar/setup/parsed.ts';
import { settingsText } from '../../sidecar/setup/settings-text.ts';
import { SNIPPETS } from '../fixtures/caddy.ts';

let folder: string;
let caddy: string;
let layout: Layout;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-init-'));
  layout = must(folderLayout(folder));
  ({ path: caddy } = await findCaddy({ env: process.env, say: () => {} }));
  writeFileSync(layout.snippet, readFileSync(SNIPPETS));
});
afterAll(() => rmSync(folder, { recursive: true }));

function must<T>(parsed: Parsed<T>): T {
  if ('value' in parsed) return parsed.value;
  throw new Error(parsed.problem);
}

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,6})?$/);
const port = fc.integer({ min: 81, max: 65_535 }).filter((number) => number !== 443);
const ipv6 = fc.constantFrom('[::1]', '[2001:db8::7]');
const hostName = fc.oneof(
  fc.array(name, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
  fc.ipV4(),
  ipv6,
);

type Upstream = { readonly word: string; readonly dial: string };

function upstream(scheme: string): fc.Arbitrary<Upstream> {
  const fallback = scheme === 'https://' ? 443 : 80;
  return fc.record({ host: hostName, port: fc.option(port) }).map((made) => ({
    word: `${scheme}${made.host}${made.port === null ? '' : `:${made.port}`}`,
    dial: `${made.host}:${made.port ?? fallback}`,
  }));
}

const socket = name.map((made) => ({
  word: `unix//run/${made}.sock`,
  dial: `unix//run/${made}.sock`,
}));
const upstreams = fc.constantFrom('', 'http://', 'https://', 'h2c://').chain((scheme) =>
  fc.array(scheme === '' ? fc.oneof(upstream(''), socket) : upstream(scheme), {
    minLength: 1,
    maxLength: 3,
  }),
);

type Adapted = {
  apps: { http: { servers: Record<string, { listen: string[]; routes: unknown[] }> } };
};

async function adapt(text: string, args: readonly string[] = []): Promise<Adapted> {
  writeFileSync(layout.caddyfile, text);
  const command = ['adapt', '--config', layout.caddyfile, '--adapter', 'caddyfile', ...args];
  const env = { ...process.env, HOME: folder };
  return JSON.parse(
    await runCommand({ file: caddy, args: command, env, timeoutMs: 20_000 }),
  ) as Adapted;
}

/** Everything under a key, wherever it stands. */
function all(value: unknown, key: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([at, part]) => [
    ...(at === key ? [part] : []),
    ...all(part, key),
  ]);
}

const GATE = 'unix//run/signet/sidecar.sock';

test('Caddy serves the host that was typed, and asks the app at the addresses that were typed', async () => {
  const one = fc.asyncProperty(hostName, fc.option(port), upstreams, async (host, own, apps) => {
    const typed = `${host}${own === null ? '' : `:${own}`}`;
    const words = apps.map(({ word }) => word).join(' ');
    const app = parseApp(words);
    const text = caddyfileText(must(parseHost(typed)), must(app), layout);
    const { servers } = (await adapt(text)).apps.http;
    const bare = host.replace(/^\[|\]$/g, '');
    expect(all(servers, 'host')).toEqual([[bare]]);
    expect(Object.values(servers).map(({ listen }) => listen.map(portOf))).toEqual([[own ?? 443]]);
    const dialled = all(servers, 'dial').filter((dial) => dial !== GATE);
    expect(dialled).toEqual(apps.map(({ dial }) => dial));
  });
  await fc.assert(one, { numRuns: 15 });
});

function portOf(listen: string): number {
  return Number(/:(\d+)$/.exec(listen)?.[1]);
}

/** Ends of words, blocks and lines; placeholders; what begins a matcher, a comment, a heredoc. */
const TRICKS = ['\n', '\r', ' ', '\t', '{', '}', '{$HOME}', '{env.HOME}', '"', '`', "'", '\\', '#'];
const trick = fc.oneof(
  fc.constantFrom(...TRICKS, '@a', '*', '<<E', ',', ';', '|', '%0a'),
  fc.string(),
);

test('of what was not written for it, only plain words ever come into a Caddyfile', () => {
  const pieces = fc.array(fc.oneof(trick, name, fc.constantFrom(':', '.', '/', '1')), {
    maxLength: 6,
  });
  const one = fc.property(pieces, (made) => {
    const text = made.join('');
    const host = parseHost(text);
    const app = parseApp(text);
    if ('value' in host) expect(host.value.name).toMatch(/^[a-z0-9.:[\]-]+$/);
    if ('value' in app) expect(app.value.join('')).toMatch(/^[\w.:/@+[\]-]+$/);
  });
  fc.assert(one, { numRuns: 5_000 });
});

test('signet.yaml parses to what was typed, whatever that looks like in YAML', () => {
  const odd = fc.constantFrom(
    'yes',
    '0x1',
    '1e3',
    'null',
    '~',
    'a: b',
    '- a',
    '#a',
    '&a',
    '*a',
    '!a',
  );
  const id = fc.oneof(odd, fc.string({ minLength: 1, unit: 'grapheme-ascii' }), fc.string());
  const issuer = fc.oneof(
    fc.webUrl(),
    id.map((path) => `https://login.example.com/${path}`),
  );
  const one = fc.property(id, issuer, (clientId, typed) => {
    const [client, provider] = [parseClientId(clientId), parseIssuer(typed, isIssuer)];
    fc.pre('value' in client && 'value' in provider);
    expect(parse(settingsOf({ clientId, issuer: typed }))).toEqual({
      issuer: typed,
      client_id: clientId,
      client_secret_file: layout.clientSecret,
      state: layout.state,
      listen: layout.socket,
      access_log: layout.accessLog,
      destinations: [],
    });
  });
  fc.assert(one, { numRuns: 2_000 });
});

function settingsOf(answers: Partial<Answers>): string {
  const usual = {
    issuer: 'https://login.example.com',
    clientId: 'signet',
    host: { name: 'localhost' },
  };
  const none = { app: ['localhost:3000'] as const, spansTo: { kind: 'none' } as const };
  return settingsText({ answers: { ...usual, ...none, ...answers }, layout });
}

test('a destination comes into signet.yaml with the file of its token', () => {
  const spansTo = { kind: 'profile', profile: 'lightstep', needsToken: true } as const;
  expect(parse(settingsOf({ spansTo }))).toMatchObject({
    destinations: [
      { name: 'lightstep', profile: 'lightstep', token_file: join(folder, 'lightstep-token') },
    ],
  });
});

describe('the Caddyfile', () => {
  const app = must(parseApp('localhost:3000'));

  test.each([
    ['a host', 'app.example.com', systemLayout()],
    ['a trial', 'localhost:8443', systemLayout()],
  ])(
    'of %s is formatted, bounds headers, and has no port to reconfigure it by',
    async (_, host, own) => {
      writeFileSync(layout.caddyfile, caddyfileText(must(parseHost(host)), app, own));
      await runCommand({
        file: caddy,
        args: ['fmt', '--diff', layout.caddyfile],
        env: process.env,
        timeoutMs: 20_000,
      });
      const adapted = await adapt(readFileSync(layout.caddyfile, 'utf8'));
      expect(adapted).toMatchObject({ admin: { listen: 'unix//var/lib/caddy/admin.sock' } });
      expect(all(adapted, 'max_header_bytes')).toEqual([32 * 1024]);
    },
  );

  test('of an ordinary user has no admin endpoint at all', async () => {
    const adapted = await adapt(caddyfileText({ name: 'app.example.com' }, app, layout));
    expect(adapted).toMatchObject({ admin: { disabled: true } });
  });

  test.each([
    ['3d.localhost:8443', '127.0.0.1:8443'],
    ['127.0.0.5:8443', '127.0.0.5:8443'],
    ['[::1]:8443', '[::1]:8443'],
  ])('of the trial %s listens on this machine only: %s', async (host, listen) => {
    const adapted = await adapt(caddyfileText(must(parseHost(host)), app, layout));
    expect(all(adapted, 'listen')).toEqual([[listen]]);
  });

  test.each(['metrics', 'log', 'tls', 'route', 'import', 'handle'])(
    'serves a host of the name of a directive: %s',
    async (host) => {
      const adapted = await adapt(caddyfileText(must(parseHost(host)), app, layout));
      expect(all(adapted, 'host')).toEqual([[host]]);
    },
  );

  test('puts the whole app behind `any`', async () => {
    const adapted = await adapt(caddyfileText({ name: 'app.example.com' }, app, layout));
    const asked = all(adapted, 'uri').filter((uri) => String(uri).startsWith('/verify'));
    expect(asked).toEqual(['/verify?require=any&route=app']);
  });

  test('says every kind of requirement that there is, and where they are explained', () => {
    const asked = parseRequirement('nonsense');
    const kinds = [...('problem' in asked ? asked.problem : '').matchAll(/\w+(?=:…)/g)].map(String);
    expect(kinds).toContain('team');
    const text = caddyfileText({ name: 'app.example.com' }, app, layout);
    expect(kinds.filter((kind) => !text.includes(` ${kind}:`))).toEqual([]);
    expect(text).toContain('+preflight');
    expect(text).toContain('access.md');
  });

  test('of an ordinary user has the folder’s socket and log by caddy.env', async () => {
    writeFileSync(layout.caddyEnv ?? '', caddyEnvText(layout, app));
    const text = caddyfileText({ name: 'localhost', port: 8443 }, app, layout);
    const adapted = await adapt(text, ['--envfile', layout.caddyEnv ?? '']);
    expect(all(adapted, 'dial')).toContain(`unix/${layout.socket}`);
    expect(all(adapted, 'filename')).toEqual([layout.accessLog]);
  });

  test('with an app on a unix socket caddy.env guards Caddy before 2.11.5', () => {
    expect(caddyEnvText(layout, ['unix//run/app.sock'])).toContain('SIGNET_GATE_KEEPALIVE=off\n');
    expect(caddyEnvText(layout, app)).not.toContain('KEEPALIVE');
  });
});
