// The container file, as far as it can be held without a container engine: what it copies is there and is
// enough, what it starts is in the package, and its health check tells a living sidecar from none.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { freePort } from '../fixtures/caddy.ts';
import {
  copiedSources,
  healthCheckCommand,
  imageVariables,
  restsOf,
} from '../fixtures/package-containerfile.ts';
import { makeFolder, readiness, startSidecar } from '../fixtures/sidecar.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

type OurManifest = {
  readonly version: string;
  readonly bin: { readonly signet: string };
  readonly devDependencies: { readonly node: string };
};

const ours = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as OurManifest;

test('everything that it copies is there', () => {
  expect(copiedSources().filter((source) => !existsSync(join(ROOT, source)))).toEqual([]);
});

/** What the engine is given, by .dockerignore. */
function givenSources(): string[] {
  const [first, ...rules] = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(first).toBe('*');
  return rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1));
}

test('the engine is given what it copies, and nothing else', () => {
  const given = givenSources().map((file) => file.replace(/^deploy\/.*/, 'deploy'));
  expect([...new Set(given)].toSorted()).toEqual(copiedSources().toSorted());
});

test('what it is given is enough to build the package, and the command is where it starts it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-image-'));
  try {
    for (const source of givenSources()) {
      cpSync(join(ROOT, source), join(folder, source), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    await run(process.execPath, ['build/build.ts', join(folder, 'dist')], { cwd: folder });
    const started = JSON.parse(restsOf('ENTRYPOINT')[0] ?? '[]') as string[];
    const program = (started[1] ?? '').replace(/^\/opt\/signet\//, join(folder, 'dist/'));
    expect(started[0]).toBe('node');
    expect((await run(process.execPath, [program, '--version'])).stdout).toBe(`${ours.version}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('it runs as a user by number who is not root', () => {
  expect(restsOf('USER').at(-1)).toMatch(/^[1-9]\d*:[1-9]\d*$/);
});

test('both stages have the Node that the tests ran on', () => {
  const images = restsOf('FROM').map((rest) => rest.split(' ')[0]);
  const tested = `node:${ours.devDependencies.node}-bookworm-slim`;
  expect(images).toEqual([tested, tested]);
});

test('its label names the version of the package', () => {
  const [labels = ''] = restsOf('LABEL');
  expect(/version="([^"]*)"/.exec(labels)?.[1]).toBe(ours.version);
});

test('the first process is Node itself, and SIGTERM is what stops it', () => {
  expect(restsOf('STOPSIGNAL')).toEqual(['SIGTERM']);
  expect(JSON.parse(restsOf('ENTRYPOINT')[0] ?? '')).toEqual([
    'node',
    `/opt/signet/${ours.bin.signet}`,
  ]);
});

/** Runs it as the engine would, with another port; resolves to the exit code. */
async function healthCheck(port: number): Promise<number> {
  const [, ...args] = healthCheckCommand().map((word) => word.replace('9465', String(port)));
  return run(process.execPath, args).then(
    () => 0,
    (error: { code: number }) => error.code,
  );
}

test('the health check says yes of a sidecar that lives, before its provider is there, too', async () => {
  const { folder, remove } = makeFolder();
  const port = await freePort();
  const sidecar = startSidecar(folder, {
    SIGNET_ISSUER: `http://localhost:${await freePort()}`,
    SIGNET_CLIENT_ID: 'signet',
    SIGNET_CLIENT_SECRET: 'secret-of-a-test',
    SIGNET_DESTINATION: 'none',
    SIGNET_HEALTH: `127.0.0.1:${port}`,
  });
  try {
    await readiness(port, sidecar);
    expect(await healthCheck(port)).toBe(0);
  } finally {
    await sidecar.stop();
    remove();
  }
});

test('the health check says no where nothing listens', async () => {
  expect(await healthCheck(await freePort())).toBe(1);
});

test('the health check asks where the sidecar listens by itself', () => {
  expect(imageVariables()).not.toHaveProperty('SIGNET_HEALTH');
  expect(healthCheckCommand().join(' ')).toContain('http://127.0.0.1:9465/healthz');
});
