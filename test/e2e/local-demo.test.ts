// The demo from end to end, once; and its checker on evidence of that run that was damaged.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { damage, DAMAGES } from '../../deploy/local/damage.ts';

/** The first start on a machine may have to fetch Caddy. */
const WITHIN_MS = 300_000;

type Ended = { readonly code: number | null; readonly output: string };

const root = mkdtempSync(join(tmpdir(), 'signet-demo-'));
// Too long for a socket's path, as people's folders can be: the socket then lies elsewhere.
const folder = join(root, 'a-folder-with-a-long-name-'.repeat(4));
let demo: Ended;

beforeAll(async () => {
  demo = await run('demo.ts', [], {
    SIGNET_LOCAL_DIR: folder,
    SIGNET_LOCAL_PORT: '0',
    SIGNET_LOCAL_PROVIDER_PORT: '0',
    SIGNET_LOCAL_RECEIVER_PORT: '0',
    SIGNET_LOCAL_HEALTH_PORT: '0',
  });
}, WITHIN_MS);
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('the demo drives the whole stack, finds everything as it must be, and exits 0', () => {
  expect(demo).toEqual({ code: 0, output: expect.stringContaining('all as they must be') });
});

test('the demo shows the audit and the tree of one trace', () => {
  expect(demo.output).toContain('deploy-agent');
  expect(demo.output).toContain('signet.verify');
});

describe('the checker exits 1 and names the request when', () => {
  test.each([...DAMAGES])('a %s is damaged', async (kind) => {
    for (const label of ['alice: GET /orders', 'deploy-agent: GET /orders', 'carol: GET /admin/']) {
      const evidence = join(folder, `damaged-${kind}`);
      cpSync(join(folder, 'demo'), evidence, { recursive: true });
      damage(evidence, kind, label);
      const { code, output } = await run('check.ts', [evidence]);
      expect(code).toBe(1);
      expect(output).toContain(`wrong: ${label} (`);
    }
  });
});

test('the checker finds nothing wrong in the same evidence undamaged', async () => {
  expect((await run('check.ts', [join(folder, 'demo')])).code).toBe(0);
});

test('the checker and what it imports import nothing of the sidecar', () => {
  const files = ['check.ts', 'evidence.ts', 'journey.ts', 'span-line.ts'];
  const all = readdirSync(join('deploy', 'local')).filter(
    (file) => file.startsWith('check-') || files.includes(file),
  );
  const imported = all.filter((file) =>
    readFileSync(join('deploy', 'local', file), 'utf8').includes('/sidecar/'),
  );
  expect(imported).toEqual([]);
});

test('a damage that does not exist is refused before anything starts', async () => {
  const { code, output } = await run('demo.ts', [], { DEMO_BREAK: 'everything' });
  expect(code).toBe(1);
  expect(output).toContain('DEMO_BREAK is "everything"');
});

function run(file: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [join('deploy', 'local', file), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}
