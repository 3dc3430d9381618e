// What a reader copies out of the guides works: each signet.yaml is taken without a mistake, each Caddyfile by
// Caddy, each command is one that there is, with these options; and the mappings fit the vendors' tokens.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findCaddy } from '../../caddy/find.ts';
import { runCommand } from '../../caddy/run-command.ts';
import { checkConfig } from '../../sidecar/config/load.ts';
import type { Claims } from '../../sidecar/identity/claims.ts';
import { identityFromClaims } from '../../sidecar/identity/claims.ts';
import { SNIPPETS } from '../fixtures/caddy.ts';
import { runSignet } from '../fixtures/cli.ts';
import { configOf, sourcesOf } from '../fixtures/config-sources.ts';
import { blocksIn, readGuide } from '../fixtures/markdown.ts';

const GUIDES = ['deploy/providers.md', 'deploy/migrating.md', 'deploy/rotation.md'];
// Their YAML is of some settings only, and is held by settings-schema.test.ts.
const IN_PARTS = ['deploy/access.md', 'deploy/sessions.md', 'deploy/pages.md'];
const ALL = [...GUIDES, ...IN_PARTS];

/** Each block of a language, called by where it stands. */
function blocksOf(language: string, guides = GUIDES): [string, string][] {
  return guides.flatMap((guide) =>
    blocksIn(readGuide(guide))
      .filter((block) => block.language === language)
      .map(({ line, text }): [string, string] => [`${guide}:${line}`, text]),
  );
}

test.each(blocksOf('yaml'))('signet.yaml at %s is taken without a mistake', (_, text) => {
  const named = ['client-secret', 'partners-secret', 'introspection-secret'];
  const secrets = Object.fromEntries(named.map((name) => [`/etc/signet/${name}`, 'dummy']));
  const files = { '/folder/signet.yaml': text, ...secrets };
  const checked = checkConfig(sourcesOf({}, files));
  expect('errors' in checked ? checked.errors : []).toEqual([]);
});

describe('a Caddyfile', () => {
  let folder: string;
  let caddy: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signet-guides-'));
    caddy = (await findCaddy({ env: process.env, say: () => {} })).path;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(blocksOf('caddyfile', ALL))('at %s is taken by Caddy', async (_, text) => {
    const config = join(folder, 'Caddyfile');
    writeFileSync(config, `import ${SNIPPETS}\n${text}`);
    const args = ['adapt', '--adapter', 'caddyfile', '--config', config];
    const adapted = await runCommand({ file: caddy, args, env: process.env, timeoutMs: 20_000 });
    expect(JSON.parse(adapted)).toHaveProperty('apps.http.servers');
  });
});

describe('a command', () => {
  const helps = new Map<string, string>();

  async function helpOf(path: readonly string[]): Promise<string> {
    const known = helps.get(path.join(' '));
    const help = known ?? (await runSignet([...path, '--help'])).out;
    helps.set(path.join(' '), help);
    return help;
  }

  /** Returns the words that lead to the command. */
  async function pathOf(words: readonly string[]): Promise<string[]> {
    const path: string[] = [];
    for (const word of words) {
      const isCommand = new RegExp(`^  ${word}( |$)`, 'm').test(await commandsOf(path));
      if (!isCommand) break;
      path.push(word);
    }
    return path;
  }

  async function commandsOf(path: readonly string[]): Promise<string> {
    return (await helpOf(path)).split('\nCommands:\n')[1] ?? '';
  }

  const inLines = blocksOf('sh', ALL).flatMap(([, text]) => text.match(/^signet [^#\n]+/gm) ?? []);
  const inText = ALL.flatMap((guide) => [...readGuide(guide).matchAll(/`(signet [^`]+)`/g)]);
  const commands = new Set([...inLines, ...inText.map(([, command = '']) => command)]);

  test.each([...commands].map((command) => [command.trim()]))('%s is there', async (command) => {
    const words = command.split(/\s+/).slice(1);
    const path = await pathOf(words);
    expect(path).not.toEqual([]);
    const help = await helpOf(path);
    for (const option of words.filter((word) => word.startsWith('-'))) {
      expect(help).toMatch(new RegExp(`^ +(-\\w, )?${option}( |$)`, 'm'));
    }
  });

  test('is found in the guides at all', () => {
    expect(commands.size).toBeGreaterThan(10);
  });
});

test('a file with a secret is never made for all to read', () => {
  const writes = / > \S*(secret|keys?)(\.new)?$/m;
  const writing = blocksOf('sh').filter(([, text]) => writes.test(text));
  expect(writing.length).toBeGreaterThan(2);
  for (const [, text] of writing) {
    expect(text.slice(0, text.search(writes))).toMatch(/^umask 0[27]7$|^umask 0[27]7 /m);
  }
});

test('no command has a secret in its arguments, where others see it: but for -u, which curl blots out', () => {
  const commands = blocksOf('sh').flatMap(([, text]) => text.replaceAll('\\\n', ' ').split('\n'));
  const showing = commands.filter((line) => /\$(SECRET|NEW)\b/.test(line));
  expect(showing).not.toEqual([]);
  for (const line of showing) expect(line).toMatch(/printf (%s|'%s\\n') "\$|curl -s -u /);
});

describe('tokens as the vendors document them, mapped as the guide has it', () => {
  /** The first signet.yaml of a part of providers.md. */
  function mappingOf(vendor: string) {
    const [, part = ''] = readGuide('deploy/providers.md').split(`\n## ${vendor}\n`);
    const yaml = blocksIn(part).find(({ language }) => language === 'yaml')?.text ?? '';
    const files = { '/folder/signet.yaml': yaml, '/etc/signet/client-secret': 'dummy' };
    return configOf({}, files).providers[0].names;
  }

  function identityOf(vendor: string, method: 'session' | 'bearer', claims: Claims) {
    const names = mappingOf(vendor);
    return identityFromClaims(claims, { issuer: 'https://any', method, names, expiresAtMs: 1 });
  }

  const verified = { email: 'alice@example.com', email_verified: true };
  const upn = 'alice@example.com';
  const url = 'https://app.example.com';

  test.each<[string, Claims, object]>([
    [
      'Keycloak',
      {
        ...{ preferred_username: 'alice', groups: ['team-payments'] },
        realm_access: { roles: ['engineer', 'offline_access'] },
      },
      { user: 'alice', team: 'payments', roles: ['engineer', 'offline_access'] },
    ],
    [
      'Okta',
      { preferred_username: upn, groups: ['engineer', 'team-payments'], ...verified },
      { user: upn, team: 'payments', roles: ['engineer', 'team-payments'], email: upn },
    ],
    [
      'Microsoft Entra ID',
      { preferred_username: upn, email: upn, department: 'payments', roles: ['engineer'] },
      { user: upn, team: 'payments', roles: ['engineer'], email: undefined },
    ],
    ['Google', { hd: 'example.com', ...verified }, { user: upn, team: 'example.com', roles: [] }],
    ['Google', verified, { user: upn, team: undefined }],
    [
      'Auth0',
      { [`${url}/team`]: 'payments', [`${url}/roles`]: ['engineer'], ...verified },
      { user: upn, team: 'payments', roles: ['engineer'] },
    ],
    [
      'Auth0',
      { email: upn, email_verified: false, nickname: 'alice', preferred_username: upn },
      { user: 'a1', team: undefined, roles: [], email: undefined },
    ],
    [
      'Microsoft Entra ID',
      { preferred_username: upn, department: ['payments', 'search'], groups: ['team-search'] },
      { user: upn, team: undefined },
    ],
  ])('%s: a person with %j', (vendor, claims, expected) => {
    const identity = identityOf(vendor, 'session', { sub: 'a1', ...claims });
    expect({ team: undefined, email: undefined, ...identity }).toMatchObject(expected);
  });

  test.each<[string, Claims]>([
    ['Keycloak', { sub: 'a1', azp: 'ci', preferred_username: 'service-account-ci' }],
    ['Okta', { sub: 'ci', cid: 'ci', scp: ['orders'] }],
    ['Microsoft Entra ID', { sub: 'a1', oid: 'a1', azp: 'ci', idtyp: 'app', roles: ['engineer'] }],
    ['Google', { sub: '117', azp: '117', email: 'ci@project.iam.gserviceaccount.com' }],
    ['Auth0', { sub: 'ci@clients', azp: 'ci', gty: 'client-credentials' }],
    ['Auth0', { sub: 'ci@clients', client_id: 'ci' }],
  ])('%s: a service with %j', (vendor, claims) => {
    expect(identityOf(vendor, 'bearer', claims)).toMatchObject({ type: 'service' });
  });
});
