// `signet config` as an operator and a pipeline meet it: a process of its own, its output, its exit code.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Ended, runSignet } from '../fixtures/cli.ts';

const SCHEMA = new URL('../../deploy/signet.schema.json', import.meta.url);
const PROGRAM = fileURLToPath(new URL('../../sidecar/cli.ts', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'signet-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const secret = join(folder, 'client-secret');
writeFileSync(secret, 'correct horse battery staple\n');

/** Returns the variables that name a file with this text. */
function saying(name: string, text: string): Record<string, string> {
  const file = join(folder, name);
  writeFileSync(file, text);
  return { SIGNET_CONFIG: file };
}

const right = saying(
  'right.yaml',
  `issuer: https://login.example.com
client_id: signet
client_secret_file: ${secret}
destinations: []
`,
);
const wrong = saying('wrong.yaml', 'issuer: https://login.example.com\nsession: { idle: never }\n');

describe('where all is well', () => {
  let ended: Ended;
  beforeAll(async () => {
    ended = await runSignet(['config'], right);
  });

  test('it ends with 0, and says nothing beside its output', () => {
    expect({ code: ended.code, err: ended.err }).toEqual({ code: 0, err: '' });
  });

  test('a pipe gets one JSON object', () => {
    expect(JSON.parse(ended.out)).toMatchObject({
      file: { path: right['SIGNET_CONFIG'], there: true },
      mistakes: [],
    });
  });

  test('a secret is told by its file', () => {
    const { settings } = JSON.parse(ended.out) as { settings: { setting: string }[] };
    expect(settings.find(({ setting }) => setting === 'client_secret_file')).toEqual({
      setting: 'client_secret_file',
      value: null,
      secret: true,
      from: `${right['SIGNET_CONFIG']}:3: client_secret_file, the file ${secret}`,
    });
  });

  test('--check says nothing at all', async () => {
    expect(await runSignet(['config', '--check'], right)).toEqual({ code: 0, out: '', err: '' });
  });
});

describe('where something is wrong', () => {
  test('it ends with 78, tells what it understood, and says all mistakes as serve does', async () => {
    const [told, served] = await Promise.all([
      runSignet(['config'], wrong),
      runSignet(['serve'], wrong),
    ]);
    expect([told.code, served.code]).toEqual([78, 78]);
    expect(told.out).toContain('https://login.example.com');
    expect(told.err).toContain('session.idle');
    expect(served.err).toContain(told.err.trim());
  });

  test('words of pages that Signet does not have are told beside the other mistakes', async () => {
    const texts = join(folder, 'texts.yaml');
    writeFileSync(texts, 'de: { signed-out.titel: Abgemeldet, signed-in.title: "{who}" }\n');
    const pages = `pages: { texts_file: ${texts} }\nsession: { idle: never }\n`;
    const ended = await runSignet(['config', '--check'], saying('pages.yaml', pages));
    expect(ended.code).toBe(78);
    for (const mistake of ['de.signed-out.titel', 'de.signed-in.title', 'session.idle'])
      expect(ended.err).toContain(mistake);
  });

  test('--check says the mistakes alone', async () => {
    const ended = await runSignet(['config', '--check'], wrong);
    expect([ended.code, ended.out]).toEqual([78, '']);
    expect(ended.err).toContain('session.idle');
  });

  test('a reader that stops does not change how it ends', () => {
    const line = `"${process.execPath}" "${PROGRAM}" config; echo $? >&2`;
    const { stderr } = spawnSync('sh', ['-c', `{ ${line}; } | true`], {
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...wrong },
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/\n78\n$/);
  });
});

test('--schema prints what is committed', async () => {
  const { code, out } = await runSignet(['config', '--schema']);
  expect([code, out]).toEqual([0, readFileSync(SCHEMA, 'utf8')]);
});

test.each(['--nonsense', '--check --json'])(
  '%s can’t be asked for, and ends with 2',
  async (text) => {
    const { code } = await runSignet(['config', ...text.split(' ')]);
    expect(code).toBe(2);
  },
);

test('--help names every exit code', async () => {
  const { code, out } = await runSignet(['config', '--help']);
  expect(code).toBe(0);
  expect(out).toMatch(/\n {2}0 .*\n {2}2 .*\n {2}78 /);
});
