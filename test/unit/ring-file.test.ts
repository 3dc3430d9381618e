// The key ring's file as `signet keys` has it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { freshKey, writeKeys } from '../../sidecar/config/write-keys.ts';
import { openRingFile } from '../../sidecar/ring-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-ring-file-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('of a key that is not there any more no sessions are counted, and no store is asked', async () => {
  const path = join(folder, 'keys');
  writeKeys(path, `${freshKey().key}\n`);
  const ring = openRingFile(path, () => {
    throw new Error('the store was asked');
  });
  expect(await ring.sessionsOf('gone')).toBeUndefined();
});
