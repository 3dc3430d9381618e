// The file of published heads: what an interrupted write leaves there, and whose heads they are.
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { headFields, headLine, parseHeadLine, signHead } from '../../sidecar/audit/head.ts';
import { signingKeys } from '../../sidecar/audit/signing-key.ts';
import { createHeads } from '../../sidecar/heads.ts';

const [KEY] = signingKeys([createSecretKey(randomBytes(32))]);
if (KEY === undefined) throw new Error('no key');
const key = KEY;

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-'));
  file = join(folder, 'heads.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const headOf = (chain: string, sequence: number) =>
  signHead({ chain, sequence, hash: 'ab'.repeat(32), signedAtUs: 1_795_000_000_000_000 }, key);

function headsOf(chain: string) {
  let sequence = 0;
  const sign = async () => headOf(chain, (sequence += 1));
  return createHeads({ store: { chain, sign }, key, file, clock: () => 1 });
}

const lines = () => readFileSync(file, 'utf8').trimEnd().split('\n');

test('a half line that a power cut left swallows no head', async () => {
  const chain = randomUUID();
  appendFileSync(file, headLine(headOf(chain, 9)).slice(0, 100));
  await headsOf(chain).sign();
  expect(lines()).toHaveLength(2);
  expect(parseHeadLine(lines()[1] ?? '')).toEqual(headOf(chain, 1));
});

test('heads of another chain say that the store was replaced', async () => {
  const [before, now] = [randomUUID(), randomUUID()];
  await headsOf(before).sign();
  appendFileSync(file, 'garbage\n');
  expect(headsOf(now).replaced()).toBe(before);
  expect(headsOf(now).problem()).toMatch(/was the store replaced\?/);
  expect(headsOf(before).replaced()).toBeUndefined();
});

test('a first start has nothing to compare with', () => {
  expect(headsOf(randomUUID()).replaced()).toBeUndefined();
  expect(headsOf(randomUUID()).problem()).toBeUndefined();
});

test('a line of the log that holds a head can be verified as it is', () => {
  const head = headOf(randomUUID(), 3);
  const logged = JSON.stringify({
    level: 'info',
    time: '2026-11-21T09:43:46.301Z',
    head: headFields(head),
    msg: 'the audit chain was signed',
  });
  expect(parseHeadLine(logged)).toEqual(head);
});
