// Files that change, told by what they were when they were read.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from '@jest/globals';
import { markOf, watchFiles, type Watch } from '../../sidecar/reload/watch-files.ts';
import { until } from '../fixtures/until.ts';

let folder: string;
let marks: Map<string, string>;
let told: number;
let watch: Watch;

const path = (name: string) => join(folder, name);
/** As whoever reads a file has it: its mark from before. */
const read = (name: string) => marks.set(path(name), markOf(path(name)));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-watch-'));
  [marks, told] = [new Map(), 0];
  writeFileSync(path('a'), 'one');
  read('a');
});
afterEach(() => {
  watch.close();
  rmSync(folder, { recursive: true });
});

const begin = () =>
  (watch = watchFiles(
    () => marks,
    () => (told += 1),
  ));

test.each<[string, () => void]>([
  ['written anew', () => writeFileSync(path('a'), 'two')],
  [
    'replaced by another',
    () => {
      writeFileSync(path('b'), 'two');
      renameSync(path('b'), path('a'));
    },
  ],
  ['removed', () => rmSync(path('a'))],
])('a file that is %s is told', async (_, change) => {
  begin();
  change();
  await until('the change', () => told > 0);
});

test('a file that was not there is told when it is', async () => {
  read('later');
  begin();
  writeFileSync(path('later'), 'x');
  await until('the change', () => told > 0);
});

test('what changed between its reading and the first look is told', async () => {
  writeFileSync(path('a'), 'two');
  begin();
  await until('the change', () => told > 0);
});

test('a file that never rests hides no other', async () => {
  writeFileSync(path('busy'), '');
  read('busy');
  const writing = setInterval(() => writeFileSync(path('busy'), String(Math.random())), 50);
  try {
    begin();
    writeFileSync(path('a'), 'two');
    await until('the change', () => told > 0);
  } finally {
    clearInterval(writing);
  }
});
