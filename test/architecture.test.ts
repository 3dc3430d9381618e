// The house: which room may import which. README prints the same table.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../sidecar', import.meta.url));

/** Room → the rooms that it may import. Whatever is not named here must not be imported. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  identity: [],
  policy: ['identity'],
  accesslog: [],
  audit: ['accesslog', 'identity', 'policy'],
  trace: ['audit'],
  delivery: ['audit', 'trace'],
  config: ['delivery', 'identity', 'trace'],
  http: ['identity', 'policy'],
};

/** Small basics at the top that any room may use. */
const BASICS = ['fault.ts', 'secret.ts'];

/** What `http` may know of the spines: the gate, and how a request to it is read. */
const SPINES_FOR_HTTP = ['gate.ts', 'request.ts'];

type Import = { from: string; to: string };

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((m) => m[1]!);
  return specifiers.map((specifier) => ({
    from: file,
    to: relative(ROOT, join(ROOT, file, '..', specifier))
      .split(sep)
      .join('/'),
  }));
}

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.split(sep).join('/'));
const imports = files.flatMap(importsOf);
const roomOf = (file: string) =>
  file.includes('/') ? file.slice(0, file.indexOf('/')) : undefined;

test('every room is in the table', () => {
  const rooms = new Set(files.map(roomOf).filter((room) => room !== undefined));
  expect([...rooms].toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted());
});

test('rooms import one way, by the table', () => {
  const wrong = imports.filter(({ from, to }) => {
    const room = roomOf(from);
    if (room === undefined || roomOf(to) === room) return false;
    const other = roomOf(to);
    if (other !== undefined) return !MAY_IMPORT[room]?.includes(other);
    if (room === 'http' && SPINES_FOR_HTTP.includes(to)) return false;
    return !BASICS.includes(to);
  });
  expect(wrong).toEqual([]);
});

test('the spines know nothing of http, config or main; nobody but the command imports main', () => {
  const spines = ['gate.ts', 'record.ts', 'stamp.ts', 'to-row.ts', 'request.ts', 'present.ts'];
  const wrong = imports.filter(
    ({ from, to }) =>
      (spines.includes(from) && ['http', 'config'].includes(roomOf(to) ?? '')) ||
      (to === 'main.ts' && from !== 'cli.ts'),
  );
  expect(wrong).toEqual([]);
});

test('only main.ts takes the whole configuration', () => {
  const takers = imports
    .filter(({ from, to }) => roomOf(to) === 'config' && roomOf(from) !== 'config')
    .map(({ from }) => from);
  expect([...new Set(takers)].toSorted()).toEqual(['cli.ts', 'main.ts']);
});

test('clocks, randomness, files and sockets stay at the rim: the pure files name none', () => {
  const pure = [
    ...files.filter((file) => /^(policy|trace)\//.test(file)),
    'stamp.ts',
    'to-row.ts',
    'request.ts',
    'record.ts',
    'gate.ts',
    'accesslog/line.ts',
    'identity/claims.ts',
    'identity/return-url.ts',
  ];
  const impure =
    /Date\.now|new Date\(\)|Math\.random|randomBytes|randomUUID|node:fs|node:net|node:http|process\.env/;
  expect(pure.filter((file) => impure.test(readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
});
