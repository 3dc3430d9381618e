// The package that `npm run build` makes: what is in it, and that it works where there is no repository,
// installed by npm, under the same end-to-end tests as the repository.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEPLOY_FILES } from '../../build/deploy-files.ts';
import { installPackage, packInto, type InstalledPackage } from '../fixtures/package-installed.ts';
import { CHOSEN_SUITES, runSuites } from '../fixtures/package-suites.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** Whatever is in the package matches one of these. */
const MAY_BE_IN_IT = [
  /^(?:package\.json|npm-shrinkwrap\.json|sbom\.cdx\.json|LICENSE|THIRD-PARTY-LICENSES\.txt|README\.md|CHANGELOG\.md|SECURITY\.md)$/,
  /^bin\/signet\.js$/,
  /^sidecar\/[a-z0-9/-]+(?:\.js|\.d\.ts)$/,
  /^caddy\/(?:signet\.caddy|[a-z-]+\.js)$/,
  /^deploy\/(?!local\/|container\/)(?:[\w.-]+\/)*[\w.-]+(?<!\.ts|\.js|\.map)$/,
];

let installed: InstalledPackage;
let paths: readonly string[];
const read = (file: string) => readFileSync(join(installed.place, file), 'utf8');

beforeAll(async () => {
  installed = await installPackage();
  paths = installed.packed.files.map(({ path }) => path);
}, 480_000);

afterAll(() => installed?.remove());

/** Runs Node in the folder where it was installed; a failure is an outcome like others. */
async function node(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: process.env['PATH'], HOME: installed.folder };
  try {
    const { stdout, stderr } = await run(process.execPath, args, { cwd: installed.folder, env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

describe('what is in it', () => {
  test('is the product: no tests, no sources, nothing of the local stack', () => {
    const others = paths.filter((path) => !MAY_BE_IN_IT.some((rule) => rule.test(path)));
    expect(others).toEqual([]);
  });

  test('is all of the product: the command, both workers, the snippets, the documents', () => {
    expect(paths).toEqual(
      expect.arrayContaining([
        'bin/signet.js',
        'sidecar/cli.js',
        'sidecar/record-worker.js',
        'sidecar/accesslog/unpack-worker.js',
        'sidecar/exports.d.ts',
        'caddy/signet.caddy',
        'deploy/README.md',
        'deploy/compose/compose.yaml',
        'LICENSE',
        'THIRD-PARTY-LICENSES.txt',
        'sbom.cdx.json',
        'README.md',
        'CHANGELOG.md',
        'SECURITY.md',
      ]),
    );
  });

  test('has of deploy/ the files that are listed, and no others', () => {
    const deployed = paths.filter((path) => path.startsWith('deploy/'));
    expect(deployed.map((path) => path.replace('deploy/', ''))).toEqual(
      expect.arrayContaining([...DEPLOY_FILES]),
    );
    expect(deployed).toHaveLength(DEPLOY_FILES.length);
  });

  test('names nothing of the machine that built it', () => {
    const telling = paths.filter((path) => read(path).includes(ROOT.replace(/\/$/, '')));
    expect(telling).toEqual([]);
  });

  test('runs nothing when it is installed', () => {
    expect(Object.keys(JSON.parse(read('package.json')) as object)).not.toContain('scripts');
  });

  test('is what was tested: every dependency in one exact version, the indirect ones, too', () => {
    const ours = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Locked;
    const theirs = JSON.parse(read('npm-shrinkwrap.json')) as Locked;
    const { '': root, ...packages } = theirs.packages;
    expect(Object.keys(packages).length).toBeGreaterThan(
      Object.keys(root?.dependencies ?? {}).length,
    );
    expect(Object.values(packages).filter(({ dev }) => dev === true)).toEqual([]);
    const inOurs = Object.keys(packages).map((path) => [path, ours.packages[path]]);
    expect(packages).toEqual(Object.fromEntries(inOurs));
  });

  test('can be installed by its own lock alone, as the container image does', async () => {
    const built = join(dirname(installed.packed.file), 'built');
    const options = ['--omit=dev', '--ignore-scripts', '--prefer-offline', '--dry-run'];
    expect((await run('npm', ['ci', ...options], { cwd: built })).stdout).toMatch(
      /added \d+ packages/,
    );
  });

  test('has documents whose links lead to what is there', () => {
    const dead = paths
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) => linksOf(read(path)).map((link) => posix.join(dirname(path), link)))
      .filter((target) => !paths.some((path) => path === target || path.startsWith(`${target}/`)));
    expect(dead).toEqual([]);
  });

  test('is the same bytes whoever builds it again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'signet-again-'));
    const umask = process.umask(0o077);
    try {
      const again = await packInto(folder);
      expect(sha256(again.file)).toBe(sha256(installed.packed.file));
    } finally {
      process.umask(umask);
      rmSync(folder, { recursive: true });
    }
  });
});

describe('installed where there is no repository', () => {
  test('the command says its version', async () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(await node(installed.command, '--version')).toMatchObject({
      code: 0,
      out: `${version}\n`,
    });
  });

  test('the command says what it can do', async () => {
    const { code, out } = await node(installed.command, '--help');
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('serve') });
  });

  test('`signet serve` says which settings are missing', async () => {
    const { code, err } = await node(installed.command, 'serve');
    expect({ code, err }).toMatchObject({
      code: 78,
      err: expect.stringContaining('SIGNET_ISSUER'),
    });
  });

  test('an older Node is refused in a sentence, and told what to do', async () => {
    const older = "Object.defineProperty(process,'versions',{value:{node:'20.19.0'}})";
    const { code, err } = await node(
      '--import',
      `data:text/javascript,${older}`,
      installed.command,
    );
    const said = 'signet needs Node 24.5 or later; this is Node 20.19.0. Install a newer one; ';
    expect({ code, err }).toMatchObject({ code: 69, err: expect.stringContaining(said) });
  });

  test('a program can import the closed lists', async () => {
    const program = `
      import { DECISIONS, REASONS, VERSION } from 'signet';
      console.log(DECISIONS.join(), REASONS.includes('public'), VERSION.length > 0);`;
    const { out } = await node('--input-type=module', '-e', program);
    expect(out).toBe('allow,login,deny,none true true\n');
  });

  test('a program in TypeScript knows what a line of the audit holds', async () => {
    const program = join(installed.folder, 'program.ts');
    writeFileSync(
      program,
      `import type { AuditLine } from 'signet';
       export const userOf = (line: AuditLine): string | undefined => line.user;
       // @ts-expect-error it may be unknown
       export const wrong = (line: AuditLine): number => line.user;`,
    );
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    const options = ['--ignoreConfig', '--strict', '--noEmit', '--module', 'nodenext'];
    const { code, out } = await node(compiler, ...options, '--target', 'es2024', program);
    expect({ code, out }).toEqual({ code: 0, out: '' });
  });

  test('the fixtures of the end-to-end tests start the package when they are told to', async () => {
    const fixtures = ['sidecar', 'caddy'].map((name) => join(ROOT, `test/fixtures/${name}.ts`));
    const program = `
      process.env.SIGNET_TEST_PACKAGE = '/opt/signet';
      const [{ BIN }, { SNIPPETS }] = await Promise.all(${JSON.stringify(fixtures)}.map((file) => import(file)));
      console.log(BIN, SNIPPETS);`;
    const { out } = await node('--input-type=module', '-e', program);
    expect(out).toBe('/opt/signet/bin/signet.js /opt/signet/caddy/signet.caddy\n');
  });

  test('the end-to-end tests pass against it', async () => {
    const { printed, ...counts } = await runSuites(installed.place, CHOSEN_SUITES);
    expect({ ...counts, why: counts.failed > 0 ? printed : '' }).toEqual({
      passed: expect.any(Number),
      failed: 0,
      left: 0,
      suites: CHOSEN_SUITES.length,
      why: '',
    });
  }, 480_000);
});

type Locked = {
  readonly packages: Readonly<
    Record<
      string,
      { readonly dev?: boolean; readonly dependencies?: Readonly<Record<string, string>> }
    >
  >;
};

function linksOf(text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^(?:[a-z]+:|#)/.test(target))
    .map((target) => target.replace(/#.*/, ''));
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
