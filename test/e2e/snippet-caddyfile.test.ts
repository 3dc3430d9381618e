// The Caddyfile at the top, and the one that README shows, are ready to run: a real Caddy accepts
// them, and its formatter has no wish.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findCaddy } from '../../caddy/find.ts';
import { runCommand } from '../../caddy/run-command.ts';
import { SNIPPETS } from '../fixtures/caddy.ts';

const CADDYFILE = fileURLToPath(new URL('../../Caddyfile', import.meta.url));

let folder: string;
let caddy: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signet-caddyfile-'));
  ({ path: caddy } = await findCaddy({ env: process.env, say: () => {} }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(args: string[], env: Record<string, string> = {}): Promise<string> {
  const settings = {
    SIGNET_HOST: 'app.example.com',
    SIGNET_UPSTREAM: '127.0.0.1:3000',
    SIGNET_SOCKET: 'unix//run/signet/sidecar.sock',
    SIGNET_ACCESS_LOG: join(folder, 'access.log'),
    SIGNET_GATE_KEY: 'key-of-the-gate',
  };
  const homes = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const all = { ...process.env, ...homes, ...settings, ...env };
  return runCommand({ file: caddy, args, env: all, timeoutMs: 20_000 });
}

test('Caddy validates it, with a unix socket and with TCP', async () => {
  await run(['validate', '--config', CADDYFILE]);
  await run(['validate', '--config', CADDYFILE], { SIGNET_SOCKET: '127.0.0.1:9000' });
});

test('it serves the host by TLS, bounds headers, has no admin endpoint and keeps the key to itself', async () => {
  const adapted = await run(['adapt', '--config', CADDYFILE]);
  expect(JSON.parse(adapted)).toMatchObject({
    admin: { disabled: true },
    apps: { http: { servers: { srv0: { listen: [':443'], max_header_bytes: 32 * 1024 } } } },
  });
  expect(adapted).not.toContain('key-of-the-gate');
});

test('without SIGNET_ACCESS_LOG it is refused: there would be no record', async () => {
  await expect(
    run(['validate', '--config', CADDYFILE], { SIGNET_ACCESS_LOG: '' }),
  ).rejects.toThrow();
});

test('a site may call its own matchers whatever it likes', async () => {
  const names = ['user', 'name', 'email', 'groups', 'team', 'type', 'person', 'allowed', 'refused'];
  const block = ['problem', 'timing', 'traceparent', 'hop', ...names].map(
    (name) => `@${name} path /${name}\nrespond @${name} here`,
  );
  const path = join(folder, 'Matchers');
  const inside = ['import signet', 'import protect app any {', ...block, '}'].join('\n');
  const outside = [...block, 'import signet', 'import protect app any {', 'respond hi', '}'].join(
    '\n',
  );
  const sites = `one.example.com {\n${inside}\n}\nother.example.com {\n${outside}\n}\n`;
  await writeFile(path, `import ${SNIPPETS}\n${sites}`);
  await run(['adapt', '--config', path, '--adapter', 'caddyfile']);
});

test.each([CADDYFILE, SNIPPETS])('%s is formatted', async (path) => {
  // Exits with 1 where it would change something.
  await run(['fmt', '--diff', path]);
});

test('all sites have one logger: with one for each, every request would cost more with every site', async () => {
  const path = join(folder, 'sites.caddy');
  const sites = ['a', 'b', 'c'].map((name) => `${name}.example.com {\n\timport signet\n}\n`);
  await writeFile(path, [`import ${SNIPPETS}\n`, ...sites].join('\n'));
  const adapted = await run(['adapt', '--config', path, '--adapter', 'caddyfile']);
  const { logging } = JSON.parse(adapted) as { logging: { logs: object } };
  expect(Object.keys(logging.logs)).toEqual(['default', 'signet_access_log']);
});

// By its words, for the effect shows by chance only: a dial that comes late must not read the app's address.
test('before the gate is asked, Caddy is told to dial by URL (caddyserver/caddy#7859)', async () => {
  const adapted = await run(['adapt', '--config', CADDYFILE]);
  const vars = adapted.indexOf('"reverse_proxy.proxy":"none"');
  expect(vars).toBeGreaterThan(0);
  expect(vars).toBeLessThan(adapted.indexOf('"uri":"/verify?'));
});

test('README’s Caddyfile is accepted and formatted as it stands, and bounds headers', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const shown = /```caddyfile\n(.*?)```/s.exec(readme)?.[1] ?? '';
  expect(shown).toContain('import caddy/signet.caddy');
  const path = join(folder, 'Caddyfile');
  await writeFile(path, shown);
  await run(['fmt', '--diff', path]);
  await writeFile(path, shown.replace('caddy/signet.caddy', SNIPPETS));
  await run(['validate', '--config', path, '--adapter', 'caddyfile']);
  const adapted = await run(['adapt', '--config', path, '--adapter', 'caddyfile']);
  expect(adapted).toContain(`"max_header_bytes":${32 * 1024}`);
  expect(adapted).toContain('require=role:auditor+type:human');
});
