// Signed ends of a real chain: when they are made, and that they reach their file, whatever was in the way.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isSignedBy, parseHeadLine } from '../../sidecar/audit/head.ts';
import { publicKeysOf } from '../../sidecar/audit/signing-key.ts';
import type { AuditStore } from '../../sidecar/audit/store.ts';
import { createHeads, type Heads } from '../../sidecar/heads.ts';
import { KEY, NOW_US } from '../fixtures/records.ts';
import { batchOf, openStore } from '../fixtures/stores.ts';

let folder: string;
let file: string;
let store: AuditStore;
let heads: Heads;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-heads-'));
  file = join(folder, 'heads.jsonl');
  store = await openStore(join(folder, 'audit.db'));
  heads = begin();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

function begin(): Heads {
  return createHeads({ store, key: KEY, file, clock: () => NOW_US });
}

const lines = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
const published = () => lines().map((line) => parseHeadLine(line));
const sequences = () => published().map((head) => head?.sequence);

describe('a head', () => {
  test('is a line of its own in the file, and is signed', async () => {
    await store.commit(batchOf(1, 2));
    await heads.sign();
    const [head, ...others] = published();
    expect(others).toEqual([]);
    expect(head).toEqual(heads.state().head);
    expect(head).toMatchObject({ chain: store.chain, sequence: 2, signedAtUs: NOW_US });
    expect(head && isSignedBy(head, publicKeysOf([KEY.publicKey]))).toBe('signed');
  });

  test('is made once for a row', async () => {
    await heads.sign();
    expect(heads.state()).toEqual({});
    await store.commit(batchOf(1));
    for (let times = 0; times < 3; times++) await heads.sign();
    await begin().sign();
    await store.commit(batchOf(2));
    await heads.sign();
    expect(sequences()).toEqual([1, 2]);
  });

  test('is not made before it is time', async () => {
    await store.commit(batchOf(1));
    await heads.step();
    expect(existsSync(file)).toBe(false);
  });

  test('is for those who may read the record: its file is nobody else’s', async () => {
    await store.commit(batchOf(1));
    await heads.sign();
    expect(statSync(file).mode & 0o007).toBe(0);
  });
});

describe('a file that can’t be written', () => {
  beforeEach(async () => {
    mkdirSync(file);
    await store.commit(batchOf(1));
    await heads.sign();
  });

  test('is told of, and the head is in the store all the same', () => {
    expect(heads.problem()).toMatch(/signed heads can't be appended to .*heads\.jsonl: EISDIR/);
    expect(heads.state().head).toMatchObject({ sequence: 1 });
  });

  test('gets the last head when it can be written, and then all is well', async () => {
    rmSync(file, { recursive: true });
    await heads.sign();
    expect(heads.problem()).toBeUndefined();
    expect(sequences()).toEqual([1]);
  });

  test('gets the newest of several, which stands for those before it, and then each', async () => {
    for (const number of [2, 3]) {
      await store.commit(batchOf(number));
      await heads.sign();
    }
    rmSync(file, { recursive: true });
    await store.commit(batchOf(4));
    await heads.sign();
    await store.commit(batchOf(5));
    await heads.sign();
    expect(sequences()).toEqual([3, 4, 5]);
  });

  test('in a folder that isn’t there is told of', async () => {
    file = join(folder, 'nowhere', 'heads.jsonl');
    await store.commit(batchOf(2));
    const others = begin();
    await others.sign();
    expect(others.problem()).toMatch(/nowhere.*ENOENT/);
  });
});

test('half a line at the end of the file stays alone', async () => {
  writeFileSync(file, '{"chain":"ha');
  await store.commit(batchOf(1));
  await heads.sign();
  await store.commit(batchOf(2));
  await heads.sign();
  expect(lines()[0]).toBe('{"chain":"ha');
  expect(sequences()).toEqual([undefined, 1, 2]);
});

test('lines that others have appended stay', async () => {
  await store.commit(batchOf(1));
  await heads.sign();
  appendFileSync(file, 'from elsewhere\n');
  await store.commit(batchOf(2));
  await heads.sign();
  expect(sequences()).toEqual([1, undefined, 2]);
});

test('a store that fails is the caller’s to know', async () => {
  await store.close();
  await expect(heads.sign()).rejects.toMatchObject({ code: 'ERR_AUDIT_STORE' });
  store = await openStore(join(folder, 'audit.db'));
});
