import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { deriveKeys, type KeyRing, loadKeyRing } from '../../sidecar/config/keys.ts';
import { secret } from '../../sidecar/secret.ts';

let stateFolder: string;
let file: string;

beforeEach(() => {
  stateFolder = join(mkdtempSync(join(tmpdir(), 'signet-keys-')), 'state');
  file = join(stateFolder, 'keys');
});
afterEach(() => rmSync(join(stateFolder, '..'), { recursive: true }));

const freshKey = (bytes = 32) => randomBytes(bytes).toString('base64');
const exportAll = (ring: KeyRing) =>
  deriveKeys(ring, 'stamp').map((key) => key.export().toString('hex'));
const ringOf = (text: string) => loadKeyRing({ stateFolder, given: secret(text) });

function writeRing(text: string): void {
  loadKeyRing({ stateFolder });
  writeFileSync(file, text);
}

test('a ring that is not there is made once, and is the same at the next start', () => {
  const first = exportAll(loadKeyRing({ stateFolder }));
  expect(first).toHaveLength(1);
  expect(exportAll(loadKeyRing({ stateFolder }))).toEqual(first);
});

test('the ring and its folder are for their owner only, and no draft is left', () => {
  expect(loadKeyRing({ stateFolder }).warning).toBeUndefined();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(stateFolder).mode & 0o777).toBe(0o700);
  expect(readdirSync(stateFolder)).toEqual(['keys']);
});

test('a ring that others can read works, and is warned of', () => {
  loadKeyRing({ stateFolder });
  chmodSync(file, 0o640);
  expect(loadKeyRing({ stateFolder }).warning).toContain('chmod 600');
});

test('processes that start at the same time end with the same key', async () => {
  const module = new URL('../../sidecar/config/keys.ts', import.meta.url).href;
  const program = `
    import { deriveKeys, loadKeyRing } from ${JSON.stringify(module)};
    process.stdin.once('data', () => {
      const [key] = deriveKeys(loadKeyRing({ stateFolder: ${JSON.stringify(stateFolder)} }), 'stamp');
      process.stdout.write(key.export().toString('hex'));
      process.exit();
    });
    process.stdout.write('.');`;
  const children = [1, 2, 3].map(() => startChild(program));
  await Promise.all(children.map(({ ready }) => ready));
  children.forEach(({ go }) => go());
  const keys = await Promise.all(children.map(({ ended }) => ended));
  expect(keys[0]).toMatch(/^\.[0-9a-f]{64}$/);
  expect(new Set(keys).size).toBe(1);
});

test('the first key seals, the others open: their order is kept', () => {
  const [a, b] = [freshKey(), freshKey(48)];
  const both = exportAll(ringOf(`# new\n${a}\n\n${b} # old\n`));
  expect(both).toEqual([...exportAll(ringOf(a)), ...exportAll(ringOf(b))]);
  expect(exportAll(ringOf(`${a},${b}`))).toEqual(both);
});

test('keys of one purpose are not those of another', () => {
  const ring = ringOf(freshKey());
  const purposes = ['stamp', 'login', 'chain'] as const;
  const keys = purposes.map((purpose) => deriveKeys(ring, purpose)[0].export());
  expect(keys.map((key) => key.length)).toEqual([32, 32, 32]);
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(3);
});

test.each([
  ['empty', '', 'no key in it'],
  ['too short', freshKey(31), 'line 1 has 31 bytes'],
  ['not base64', `${freshKey()}\n"hunter2"`, 'line 2 is not base64'],
])('a ring that is %s is refused, and never remade', (_how, text, problem) => {
  writeRing(text);
  expect(() => loadKeyRing({ stateFolder })).toThrow(
    expect.objectContaining({ code: 'ERR_KEYS', message: expect.stringContaining(problem) }),
  );
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test('a ring that is gone from beside its store is not made anew: its evidence would be nobody’s', () => {
  mkdirSync(stateFolder);
  const neededBy = join(stateFolder, 'audit.db');
  writeFileSync(neededBy, '');
  expect(() => loadKeyRing({ stateFolder, neededBy })).toThrow(
    /is gone, though its store is there; restore/,
  );
  expect(readdirSync(stateFolder)).toEqual(['audit.db']);
});

test('a state folder that cannot be made is a fault with ERR_KEYS', () => {
  loadKeyRing({ stateFolder });
  const options = { stateFolder: join(file, 'below') };
  expect(() => loadKeyRing(options)).toThrow(expect.objectContaining({ code: 'ERR_KEYS' }));
});

/** A child that says when it is ready, goes on when told, and resolves to all that it wrote. */
function startChild(program: string) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let written = '';
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      written += chunk.toString();
      resolve();
    });
  });
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(written)));
  return { ready, ended, go: () => child.stdin.write('go') };
}
