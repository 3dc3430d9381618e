// Finding Caddy with real programs in folders of the test's own. Programs of others (an old Caddy, a Go
// toolchain) are small shell scripts here; nothing is fetched over the network: the releases' server is a
// port of this machine that nobody listens on.
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fetchByApt } from '../../caddy/fetch-apt.ts';
import { fetchByGo } from '../../caddy/fetch-go.ts';
import { createReleaseWay } from '../../caddy/fetch-release.ts';
import { FETCH_WAYS } from '../../caddy/fetch.ts';
import { findCaddy } from '../../caddy/find.ts';
import { Fault } from '../../sidecar/fault.ts';

let folder: string;
let safe: string;
let bin: string;
let cacheDir: string;
const said: string[] = [];

beforeAll(async () => {
  ({ path: safe } = await findCaddy({ env: process.env, say: () => {} }));
});

beforeEach(async () => {
  await rm(folder ?? '', { recursive: true, force: true });
  folder = await mkdtemp(join(tmpdir(), 'signet-find-'));
  bin = join(folder, 'bin');
  cacheDir = join(folder, 'cache');
  await mkdir(bin);
  await mkdir(cacheDir, { mode: 0o755 });
  said.length = 0;
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const ways = [createReleaseWay({ releases: 'https://127.0.0.1:1' }), fetchByGo, fetchByApt];
const find = (env: Record<string, string> = {}) =>
  findCaddy({ env: { PATH: bin, ...env }, say: (line) => said.push(line), cacheDir, ways });
const fetching = () => said.filter((line) => line.startsWith('Fetching'));

async function script(path: string, ...lines: string[]): Promise<string> {
  await writeFile(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  await chmod(path, 0o755);
  return path;
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error = await promise.catch((caught: unknown) => caught);
  if (error instanceof Fault) return error;
  throw new Error('no Fault', { cause: error });
}

describe('a kept Caddy that somebody else may have put there is not started, but fetched anew:', () => {
  const trap = () => script(join(cacheDir, 'caddy'), `touch '${folder}/started'`, 'echo v2.11.9');
  const goodGo = () => script(join(bin, 'go'), `/bin/cp '${safe}' "$GOBIN/caddy"`);

  test.each([
    ['the folder', '777', ''],
    ['the folder', '775', ''],
    ['the program', '777', 'caddy'],
    ['the program', '775', 'caddy'],
  ])('%s has the mode %s', async (_, mode, name) => {
    await trap();
    await goodGo();
    await chmod(join(cacheDir, name), Number.parseInt(mode, 8));
    const { path } = await find();
    const why = `others may write ${join(cacheDir, name)} (its mode is ${mode})`;
    expect(said[0]).toBe(`Passing over ${path}: ${why}`);
    expect(await readdir(folder)).not.toContain('started');
    expect([await modeOf(cacheDir), await modeOf(path)]).toEqual(['755', '755']);
  });
});

test('what is fetched can be written by nobody else, whatever the umask', async () => {
  await rm(cacheDir, { recursive: true });
  await script(join(bin, 'go'), `/bin/cp '${safe}' "$GOBIN/caddy"; /bin/chmod 777 "$GOBIN/caddy"`);
  const umask = process.umask(0);
  const { path } = await find().finally(() => process.umask(umask));
  expect([await modeOf(cacheDir), await modeOf(path)]).toEqual(['755', '755']);
  said.length = 0;
  expect((await find()).path).toBe(path);
  expect(fetching()).toEqual([]);
});

test('a cache folder that can’t be made is an error that names it, and says what to do', async () => {
  await rm(cacheDir, { recursive: true });
  await writeFile(cacheDir, 'a file');
  const fault = await faultOf(find());
  expect(fault.message).toContain(`no Caddy can be kept in ${cacheDir}; set XDG_CACHE_HOME`);
  expect(fetching()).toEqual([]);
});

test('what a program says of itself reaches no terminal as it is', async () => {
  await script(join(bin, 'caddy'), `printf '\\033]0;owned\\007' >&2`, 'exit 1');
  await faultOf(find());
  expect(said.join('')).toContain('\\x1b]0;owned\\x07');
  expect(said.join('')).not.toContain('\x1b');
});

test('CADDY comes first, then the PATH, then the cache', async () => {
  await symlink(safe, join(cacheDir, 'caddy'));
  expect((await find()).path).toBe(join(cacheDir, 'caddy'));
  await symlink(safe, join(bin, 'caddy'));
  expect((await find()).path).toBe(join(bin, 'caddy'));
  expect(await find({ CADDY: safe })).toMatchObject({ path: safe });
  expect(fetching()).toEqual([]);
});

test('one below 2.11.5 is used, and the better one is named', async () => {
  const CADDY = await script(join(folder, 'good'), 'echo v2.11.4');
  expect((await find({ CADDY })).version).toBe('2.11.4');
  expect(said).toEqual([
    `${CADDY}: Caddy 2.11.4 will do; 2.11.5 or later is better (GHSA-6365-7ppr-5r92; SECURITY.md, "A late dial")`,
  ]);
});

test('one from 2.11.5 on is used without a word', async () => {
  for (const version of ['v2.11.5', 'v2.12.0']) {
    await find({ CADDY: await script(join(folder, version), `echo ${version}`) });
  }
  expect(said).toEqual([]);
});

test('the cache is $XDG_CACHE_HOME/signet, or ~/.cache/signet', async () => {
  for (const home of ['x/signet', 'h/.cache/signet']) {
    await mkdir(join(folder, home), { recursive: true });
    await symlink(safe, join(folder, home, 'caddy'));
  }
  const HOME = join(folder, 'h');
  const found = (env: NodeJS.ProcessEnv) =>
    findCaddy({ env: { PATH: bin, ...env }, say: () => {} });
  expect((await found({ HOME })).path).toBe(join(HOME, '.cache/signet/caddy'));
  const XDG_CACHE_HOME = join(folder, 'x');
  expect((await found({ HOME, XDG_CACHE_HOME })).path).toBe(join(XDG_CACHE_HOME, 'signet/caddy'));
});

test('a CADDY below the floor is an error that names version, floor and advisories', async () => {
  const fault = await faultOf(find({ CADDY: await script(join(folder, 'old'), 'echo 2.6.2') }));
  expect(fault.code).toBe('ERR_CADDY');
  for (const part of ['2.6.2', '2.11.4', 'GHSA-7r4p-vjf4-gxv4', 'CVE-2026-52845']) {
    expect(fault.message).toContain(part);
  }
});

test('a CADDY that is not there, fails or is no Caddy is an error that names it', async () => {
  const missing = join(folder, 'missing');
  expect((await faultOf(find({ CADDY: missing }))).message).toContain(missing);
  const failing = await script(join(folder, 'failing'), 'echo broken >&2', 'exit 3');
  expect((await faultOf(find({ CADDY: failing }))).message).toContain('broken');
  const other = await script(join(folder, 'other'), 'echo hello');
  expect((await faultOf(find({ CADDY: other }))).message).toContain('does not say which version');
});

test('a Caddy on the PATH below the floor is named and passed over', async () => {
  const old = await script(join(bin, 'caddy'), 'echo v2.11.3 h1:abc=');
  const next = join(folder, 'next');
  await mkdir(next);
  await symlink(safe, join(next, 'caddy'));
  expect((await find({ PATH: `${bin}:${next}` })).path).toBe(join(next, 'caddy'));
  expect(said.join('\n')).toContain(old);
  expect(said.join('\n')).toContain('2.11.3');
});

test('a Caddy that says `unknown`, as one of `go install` does, is known by its build information', async () => {
  const build = 'mod\\tgithub.com/caddyserver/caddy/v2\\tv2.11.4\\th1:abc=';
  const says = `[ "$1" = version ] && echo unknown || printf 'go\\tgo1.26\\n${build}\\n'`;
  const CADDY = await script(join(folder, 'built'), says);
  expect(await find({ CADDY })).toEqual({ path: CADDY, version: '2.11.4' });
});

test('a folder named caddy on the PATH is no Caddy', async () => {
  await mkdir(join(bin, 'caddy'));
  await symlink(safe, join(cacheDir, 'caddy'));
  expect((await find()).path).toBe(join(cacheDir, 'caddy'));
});

test('when nothing works, one fault says what was tried, why it failed, and what to do', async () => {
  const fault = await faultOf(find());
  expect(fault.code).toBe('ERR_CADDY');
  expect(fault.message).toMatch(/release .*: .*listens.*\n.*go install .*: .*go.*\n.*apt .*: /);
  expect(fault.message).toContain('https://caddyserver.com/docs/install');
  expect(fetching()).toHaveLength(3);
  expect(await readdir(cacheDir)).toEqual([]);
});

test('the release comes first, then Go, and last apt, whose Caddy is older', () => {
  const found = FETCH_WAYS.map(({ name }) => name.split(' ')[0]);
  expect(found).toEqual(['release', 'go', 'apt']);
  expect(FETCH_WAYS[0]?.name).toContain('https://github.com/caddyserver/caddy/releases/download/v');
});

test('a fetched Caddy below the floor is not kept', async () => {
  await script(
    join(bin, 'go'),
    `printf '#!/bin/sh\\necho 2.6.2\\n' > "$GOBIN/caddy"`,
    '/bin/chmod +x "$GOBIN/caddy"',
  );
  expect((await faultOf(find())).message).toContain('2.6.2');
  expect(await readdir(cacheDir)).toEqual([]);
});

test('two that fetch at once both end with a whole Caddy in the cache, and nothing else', async () => {
  await script(join(bin, 'go'), `/bin/cp '${safe}' "$GOBIN/caddy"`);
  const found = await Promise.all([find(), find()]);
  for (const { path } of found) expect(path).toBe(join(cacheDir, 'caddy'));
  expect(await readdir(cacheDir)).toEqual(['caddy']);
  said.length = 0;
  expect((await find()).path).toBe(join(cacheDir, 'caddy'));
  expect(fetching()).toEqual([]);
});
