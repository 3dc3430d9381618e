// `signet explain` as its users meet it: exit codes, what is read, what is printed. The Caddy is a real one.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findCaddy } from '../../caddy/find.ts';
import { SNIPPETS } from '../fixtures/caddy.ts';
import { type Ended, runSignet } from '../fixtures/cli.ts';

const CADDYFILE = `import ${SNIPPETS}
{$SITE:app.test} {
	import signet
	handle /admin* {
		import protect admin role:admin+type:human {
			reverse_proxy app:3000
		}
	}
	handle /team* {
		import protect team idp:okta+team:payments {
			respond "team"
		}
	}
	handle /file* {
		@there file
		respond @there "there"
		respond "not there"
	}
	handle {
		respond "open"
	}
}
`;

const PHP = `import ${SNIPPETS}
app.test {
	import signet
	handle /in* {
		import protect in any {
			php_fastcgi php:9000
		}
	}
	handle {
		php_fastcgi php:9001
		file_server
	}
}
`;

const SHUT = `import ${SNIPPETS}
http://plain.test:81 {
	import signet
	abort /bye
	error /gone 410
	respond "open"
}
`;

/** One more issuer, whose claims have other names. */
const SETTINGS = `issuer: https://login.test
client_id: signet
client_secret_file: secret
destinations: [{ name: none }]
bearer:
  - name: okta
    issuer: https://okta.test
    audiences: [api]
    claims: { team: squad }
`;

let folder = '';
let caddy = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signet-explain-'));
  ({ path: caddy } = await findCaddy({ env: process.env, say: () => {} }));
  await writeFile(join(folder, 'Caddyfile'), CADDYFILE);
  await writeFile(join(folder, 'wrong'), 'app.test {\n\tbogus\n}\n');
  await writeFile(join(folder, 'php'), PHP);
  await writeFile(join(folder, 'shut'), SHUT);
  await writeFile(join(folder, 'signet.yaml'), SETTINGS);
  await writeFile(join(folder, 'secret'), 'a-secret-of-the-test', { mode: 0o600 });
  await writeFile(join(folder, 'caddy.env'), 'SITE=other.test\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(args: readonly string[], stdin = ''): Promise<Ended> {
  return runSignet(['explain', ...args], { HOME: folder, CADDY: caddy }, { cwd: folder, stdin });
}

const outcomesOf = ({ out }: Ended): unknown => (JSON.parse(out) as { outcomes: unknown }).outcomes;

describe('its exit code', () => {
  test.each([
    [0, 'GET https://app.test/admin --user alice --role admin'],
    [0, 'GET https://app.test/'],
    [1, 'GET https://app.test/admin'],
    [1, 'GET https://app.test/admin --page'],
    [1, 'GET https://app.test/admin --role admin --type agent'],
    [1, 'CONNECT http://plain.test:81/ --caddyfile shut'],
    [1, 'GET http://plain.test:81/admin/../x --caddyfile shut'],
    [3, 'GET https://app.test/file'],
    [0, 'GET http://plain.test:81/gone --caddyfile shut'],
    [0, 'GET http://plain.test:81/bye --caddyfile shut'],
    [2, 'GET http://plain.test:82/ --caddyfile shut'],
    [2, 'GET http://other.test:81/ --caddyfile shut'],
    [2, 'GET https://app.test/ --from 10.1.1.x'],
    [2, 'GET https://app.test/ --from 999.1.1.1'],
    [2, 'GET https://app.test/ --from 10.0.0.0/8'],
    [2, 'GET https://app.test/ --from fe80::1%eth0'],
    [0, 'GET https://app.test/ --from ::1'],
    [2, 'GET /admin'],
    [2, 'GET https://app.test/ --caddyfile wrong'],
    [2, 'GET https://app.test/ --caddyfile nowhere'],
    [2, 'GET https://app.test/ --caddy /nowhere'],
    [2, 'GET https://app.test/ --actors 9'],
    [2, 'GET https://app.test/ --header nonsense'],
    [2, 'GET https://app.test/ --claims nowhere'],
    [2, 'GET https://app.test/ --claims /dev/zero'],
    [2, 'GET https://app.test/ --claims - --user alice'],
    [2, 'GET'],
  ])('is %s for %s', async (code, args) => {
    expect(await run(args.split(' '))).toMatchObject({ code });
  });
});

test('on a pipe it is JSON, with the block and the line of its import', async () => {
  const ended = await run(['GET', 'https://app.test/admin/x']);
  expect(outcomesOf(ended)).toMatchObject([
    {
      decision: 'deny',
      block: 'admin',
      requirement: 'role:admin+type:human',
      line: 'Caddyfile:5',
      behind: ['reverse_proxy app:3000'],
    },
  ]);
});

test('where nobody is there to answer, it is told who is not, and the exit code is 2', async () => {
  const ended = await run('GET http://plain.test:82/ --caddyfile shut'.split(' '));
  expect(outcomesOf(ended)).toMatchObject([
    { answers: { words: 'nobody: no server of this configuration listens on port 82' } },
  ]);
});

test('what `import signet` refuses is told as its refusal, and not as served to anyone', async () => {
  const ended = await run('CONNECT http://plain.test:81/x --caddyfile shut'.split(' '));
  expect(outcomesOf(ended)).toMatchObject([
    { why: expect.stringContaining('`import signet` refuses it'), answers: { status: '405' } },
  ]);
});

test('--no-trail leaves the trail out of the JSON, too', async () => {
  const [outcome] = outcomesOf(await run(['GET', 'https://app.test/', '--no-trail'])) as object[];
  expect(outcome).toMatchObject({ decision: 'none' });
  expect(outcome).not.toHaveProperty('trail');
});

test('claims that are not there are named in a sentence', async () => {
  const ended = await run(['GET', 'https://app.test/', '--claims', 'absent.json']);
  expect(ended.err).toBe(
    'signet: it could not be told: --claims absent.json: there is no such file\n',
  );
});

test('a condition of php_fastcgi that holds for two of its files is told once', async () => {
  const ended = await run(['GET', 'https://app.test/', '--caddyfile', 'php']);
  for (const { when } of outcomesOf(ended) as { when: string[][] }[]) {
    expect(new Set(when.map((all) => all.join())).size).toBe(when.length);
  }
});

test('claims from standard input are read as their issuer’s are mapped', async () => {
  const claims = JSON.stringify({ iss: 'https://okta.test', sub: '1', squad: 'payments' });
  const ended = await run(['GET', 'https://app.test/team', '--claims', '-'], claims);
  expect(outcomesOf(ended)).toMatchObject([{ decision: 'allow', answers: { body: 'team' } }]);
});

test('variables of the Caddyfile come from --envfile', async () => {
  const ended = await run(['GET', 'https://other.test/', '--envfile', 'caddy.env']);
  expect(outcomesOf(ended)).toMatchObject([{ decision: 'none', answers: { body: 'open' } }]);
});

test('each thing that an unguarded php_fastcgi does has its line', async () => {
  const ended = await run(['GET', 'https://app.test/shop', '--caddyfile', 'php']);
  const lines = (outcomesOf(ended) as { answers: { words: string }; line?: string }[]).map(
    ({ answers, line }) => [answers.words, line],
  );
  expect(lines).toEqual([
    // As Caddy 2.11.9 writes it, or those before.
    [expect.stringMatching(/^a redirect \(308\) to (\.\/shop|\/shop)\/$/), 'php:10'],
    ['file_server', 'php:11'],
    ['php_fastcgi php:9001', 'php:10'],
  ]);
});

test('a file of variables that is not there is named in a sentence', async () => {
  const ended = await run(['GET', 'https://app.test/', '--envfile', 'absent.env']);
  expect(ended.err).toBe(
    'signet: it could not be told: --envfile absent.env: there is no such file\n',
  );
});
