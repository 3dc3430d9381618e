// `signet check` as its users run it: a process, a folder, a real Caddy; what it prints and what it ends with.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findCaddy } from '../../caddy/find.ts';
import { SNIPPETS } from '../fixtures/caddy.ts';
import { type Ended, runSignet } from '../fixtures/cli.ts';

let folder: string;
let caddy: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-check-'));
  ({ path: caddy } = await findCaddy({ env: process.env, say: () => {} }));
  write('right.caddyfile', site('import protect app any {\n\t\treverse_proxy app:3000\n\t}'));
  write('wrong.caddyfile', site('reverse_proxy {$APP:app:3000}'));
  write('empty.caddyfile', '');
  write(
    'inside.caddyfile',
    `import ${SNIPPETS}\na.test {\n\thandle {\n\t\timport signet\n\t}\n}\n`,
  );
  write('unimported.caddyfile', 'a.test {\n\timport signet\n}\n');
  write('misspelled.caddyfile', site('import prtect app any {\n\t}'));
  write(
    'unset.caddyfile',
    `import ${SNIPPETS}\n# {$COMMENTED}\n{$SITE_OF_THIS} {\n\timport signet\n\trespond {$SET_HERE:hi}\n}\n`,
  );
  write('broken.caddyfile', site('reverse_proxxy app:3000'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

function site(body: string): string {
  return `{
	admin off
	servers {
		max_header_size 32KiB
	}
}

import ${SNIPPETS}

app.example.com {
	import signet
	handle /open/* {
		import unprotected open {
			respond 204
		}
	}
	${body}
}
`;
}

function check(
  args: readonly string[],
  { cwd = folder, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  // Its PATH has no Caddy: the one that is asked is named.
  return runSignet(['check', ...args], { PATH: '/nonexistent', CADDY: caddy, ...env }, { cwd });
}

type Told = {
  readonly file: string;
  readonly errors: number;
  readonly not_looked_at: readonly string[];
  readonly findings: readonly { code: string; file: string; line: number | null; seen: string }[];
};

const told = ({ out }: Ended) => JSON.parse(out) as Told;

describe('exit codes', () => {
  // Where this machine's Caddy is one that dials late, an app on TCP is no matter.
  test('0 where nothing was found', async () => {
    const ended = await check(['right.caddyfile']);
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(told(ended).findings).toEqual([]);
  });

  test('1 where something was found, and it says where', async () => {
    const ended = await check(['wrong.caddyfile']);
    expect(ended).toMatchObject({ code: 1, err: '' });
    expect(told(ended).findings).toMatchObject([
      { code: 'unguarded', file: 'wrong.caddyfile', line: 17 },
    ]);
  });

  test.each([
    ['no such file', ['absent.caddyfile'], /absent\.caddyfile: there is no such file/],
    ['a folder', ['.'], /it is a folder; name the file/],
    [
      'a file that Caddy does not take',
      ['broken.caddyfile'],
      /:17: unrecognized directive: reverse_proxxy/,
    ],
    [
      'a Caddy that is not there',
      ['--caddy', '/nonexistent/caddy', 'right.caddyfile'],
      /there is no such program; name one by --caddy PATH/,
    ],
    [
      'a file of variables that is not there',
      ['--envfile', 'absent.env', 'right.caddyfile'],
      /--envfile absent\.env: there is no such file\n$/,
    ],
    ['a file with nothing in it', ['empty.caddyfile'], /EOF; there is nothing in the file/],
    [
      '`import signet` inside a block',
      ['inside.caddyfile'],
      /stand inside handle\? It belongs at the top level of the site/,
    ],
    [
      'a snippet of a file that is not imported',
      ['unimported.caddyfile'],
      /signet is a snippet of signet\.caddy, which is not imported/,
    ],
    [
      'a snippet that is spelled otherwise',
      ['misspelled.caddyfile'],
      /prtect, at .*; is the snippet protect meant\?/,
    ],
    [
      'a file that lacks its variables, and which they are',
      ['unset.caddyfile'],
      /; not set here: SITE_OF_THIS; name the environment of Caddy by --envfile/,
    ],
    ['a code that there is not', ['--except', 'bogus'], /there are unguarded, /],
    ['two formats at once', ['--json', '--sarif', 'right.caddyfile'], /cannot be used with/],
    ['an option that there is not', ['--fix'], /unknown option/],
  ])('2 for %s, and standard output stays empty', async (_name, args, words) => {
    const ended = await check(args);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(words);
  });

  test('2 where there is no Caddy on the PATH, with what to do', async () => {
    const ended = await check(['right.caddyfile'], { env: { CADDY: '' } });
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(
      /no caddy on the PATH; .*--caddy PATH .*in a clone .*CADDY="\$\(npm run -s caddy\)"/,
    );
  });

  test('2 for JSON that is none', async () => {
    write('broken.json', '{"apps": ');
    const ended = await check(['broken.json']);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(/broken\.json: it is no JSON/);
  });

  test('2 for a file of another adapter, with what to do', async () => {
    write('caddy.yaml', 'apps: {}\n');
    const ended = await check(['caddy.yaml']);
    expect(ended.code).toBe(2);
    expect(ended.err).toMatch(/caddy adapt --adapter NAME/);
  });
});

describe('--except', () => {
  test('leaves findings of its code out, counts them, and the exit code is that of what remains', async () => {
    const ended = await check(['--except', 'unguarded', 'wrong.caddyfile']);
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(told(ended)).toMatchObject({ errors: 0, findings: [], excepted: { unguarded: 1 } });
  });

  test('leaves other findings where they are', async () => {
    const ended = await check(['--except', 'log-skipped', 'wrong.caddyfile']);
    expect(ended.code).toBe(1);
    expect(told(ended)).toMatchObject({ errors: 1, excepted: { 'log-skipped': 0 } });
  });
});

describe('an import with too few or too many words is refused by Caddy itself, and its line told', () => {
  const PROTECT = '`import protect NAME REQUIREMENT { … }`';
  const UNPROTECTED = '`import unprotected NAME { … }`';
  test.each([
    ['protect app', `too few words: ${PROTECT}`],
    ['protect', `too few words: ${PROTECT}`],
    ['protect admin any role:admin', `a word too many, role:admin: ${PROTECT}`],
    ['unprotected', `too few words: ${UNPROTECTED}`],
    ['unprotected hooks role:admin', `a word too many, role:admin: ${UNPROTECTED}`],
  ])('import %s', async (words, sentence) => {
    const file = `${words.replaceAll(/\W/g, '-')}.caddyfile`;
    write(file, site(`import ${words} {\n\t\treverse_proxy app:3000\n\t}`));
    const ended = await check([file]);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toContain(`${file}:17 has ${sentence}`);
  });
});

test('`import signet` twice in one site is refused, and said to be that', async () => {
  write('twice.caddyfile', site('import signet'));
  const ended = await check(['twice.caddyfile']);
  expect(ended).toMatchObject({ code: 2, out: '' });
  expect(ended.err).toMatch(
    /does `import signet` stand twice in one site, or has a matcher of yours/,
  );
});

test('SARIF of a file that Caddy does not take is a run that failed, and says why', async () => {
  const ended = await check(['--sarif', 'broken.caddyfile']);
  expect(ended.code).toBe(2);
  expect(JSON.parse(ended.out)).toMatchObject({
    runs: [
      {
        results: [],
        invocations: [
          {
            executionSuccessful: false,
            toolExecutionNotifications: [
              { level: 'error', message: { text: expect.stringContaining('reverse_proxxy') } },
            ],
          },
        ],
      },
    ],
  });
});

test('settings that are wrong are told of in a sentence with one stop', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'signet-check-'));
  writeFileSync(join(cwd, 'signet.yaml'), 'bogus: 1\n');
  const ended = await check([join(folder, 'right.caddyfile')], { cwd });
  rmSync(cwd, { recursive: true });
  const [first = ''] = told(ended).not_looked_at;
  expect(first).toMatch(/settings? needs? mending\.$/);
});

test('without a name ./Caddyfile is checked', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'signet-check-'));
  writeFileSync(join(cwd, 'Caddyfile'), site('reverse_proxy app:3000'));
  const ended = await check([], { cwd });
  rmSync(cwd, { recursive: true });
  expect(told(ended)).toMatchObject({ file: 'Caddyfile', errors: 1 });
});

test('variables are those of the environment, and then of --envfile', async () => {
  write('caddy.env', 'APP=from-file:1\n');
  const [fromFile, fromBoth] = await Promise.all([
    check(['--envfile', 'caddy.env', 'wrong.caddyfile']),
    check(['--envfile', 'caddy.env', 'wrong.caddyfile'], { env: { APP: 'from-env:2' } }),
  ]);
  expect(told(fromFile).findings[0]?.seen).toContain('from-file:1');
  expect(told(fromBoth).findings[0]?.seen).toContain('from-env:2');
});

test('JSON needs no Caddy, and it is said what could not be told', async () => {
  write('caddy.json', '{"admin":{"disabled":true},"apps":{"http":{"servers":{}}}}');
  const ended = await check(['caddy.json'], { env: { CADDY: '' } });
  expect(ended.code).toBe(0);
  expect(told(ended).not_looked_at).toEqual([
    expect.stringMatching(/settings of the sidecar/),
    expect.stringMatching(/^Which Caddy/),
    expect.stringMatching(/^It is JSON/),
  ]);
});

test('--sarif is a log for code hosts, with paths from here', async () => {
  const ended = await check(['--sarif', 'wrong.caddyfile']);
  const log = JSON.parse(ended.out) as { runs: { results: unknown[] }[] };
  expect(ended.code).toBe(1);
  expect(log.runs[0]?.results).toMatchObject([
    {
      ruleId: 'unguarded',
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'wrong.caddyfile' },
            region: { startLine: 17 },
          },
        },
      ],
    },
  ]);
});

test('a log that the Caddyfile names is not opened, and nothing else is written', async () => {
  const before = readdirSync(folder).toSorted();
  await check(['right.caddyfile'], { env: { SIGNET_ACCESS_LOG: join(folder, 'logs/access.log') } });
  expect(readdirSync(folder).toSorted()).toEqual(before);
});

test('--help names the exit codes and whose variables are read', async () => {
  const { code, out } = await check(['--help']);
  expect(code).toBe(0);
  expect(out).toMatch(
    /0 {2}nothing was found\n.*1 {2}something was found.*\n.*2 {2}it could not be checked/,
  );
  expect(out).toMatch(/environment of this command, not of Caddy's service/);
});
