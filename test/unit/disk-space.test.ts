// When a disk counts as full, and what is told of it; on real small disks, too.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDiskWatch, diskPlaces, diskProblem } from '../../sidecar/disk-space.ts';
import { mountSmallDisk, type SmallDisk } from '../fixtures/small-disk.ts';
import { until } from '../fixtures/until.ts';

const MiB = 1024 * 1024;
const [state] = diskPlaces('/var/lib/signet', '/var/log/caddy/signet-access.log');
const told = (freeBytes: number, bytes: number, freeFiles = 0, files = 0) =>
  diskProblem([{ ...state!, room: { freeBytes, bytes, freeFiles, files } }])?.text;

test('with less than a MiB it is full, and it is said what stops and what to do', () => {
  expect(told(0.5 * MiB, 20_000 * MiB)).toMatch(
    /^the disk of the state folder, \/var\/lib\/signet, is full: 0\.5 of 20000 MiB are free\. .*nobody can sign in.*retention\.rows/,
  );
});

test('with less than a twentieth it is nearly full, unless that is a gigabyte', () => {
  expect(told(900 * MiB, 20_000 * MiB)).toMatch(/is nearly full: 900 of 20000 MiB are free/);
  expect(told(1100 * MiB, 20_000 * MiB)).toBeUndefined();
  expect(told(2000 * MiB, 100_000 * MiB)).toBeUndefined();
});

test('without free inodes it is full, however much room there is', () => {
  expect(told(9000 * MiB, 20_000 * MiB, 3, 65_536)).toMatch(
    /is full: 9000 of 20000 MiB are free, and 3 of 65536 files \(inodes\)\./,
  );
  expect(told(9000 * MiB, 20_000 * MiB, 900, 65_536)).toMatch(/is nearly full: /);
  expect(told(9000 * MiB, 20_000 * MiB, 60_000, 65_536)).toBeUndefined();
});

test('a file system that says 0 of 0 is not full', () => {
  expect(told(9000 * MiB, 20_000 * MiB, 0, 0)).toBeUndefined();
  expect(told(0, 0)).toBeUndefined();
});

test('the folder of published heads is a place of its own when it is another', () => {
  const names = (heads: string) =>
    diskPlaces('/var/lib/signet', '/var/log/caddy/a.log', heads).map(({ folder }) => folder);
  expect(names('/mnt/heads/heads.jsonl')).toContain('/mnt/heads');
  expect(names('/var/lib/signet/heads.jsonl')).toHaveLength(2);
});

test('a disk that does not answer is told after a while, asked once, and told when it does', async () => {
  const said: (string | undefined)[] = [];
  const [hanging, answering] = [Promise.withResolvers<undefined>(), Promise.resolve(undefined)];
  let looks = 0;
  const watch = createDiskWatch({
    places: diskPlaces('/state', '/log/access.log'),
    onChange: (problem) => said.push(problem),
    everyMs: 2,
    hangsAfterMs: 30,
    look: () => (++looks === 1 ? hanging.promise : answering),
  });
  expect(watch.state()).toEqual({ ready: true });
  await until('word of it', () => said.length === 1);
  expect(said[0]).toMatch(/^the disk of the state folder, \/state, does not answer/);
  expect(watch.state()).toEqual({ ready: false, problem: said[0] });
  expect(looks).toBe(1);
  hanging.resolve(undefined);
  await until('word of its answer', () => said.length === 2);
  expect(watch.state()).toEqual({ ready: true });
  watch.close();
});

test('of a folder that isn’t there nothing is told: whoever needs it does that', () => {
  expect(diskProblem([{ ...state!, room: undefined }])).toBeUndefined();
});

describe('two small disks', () => {
  const folders: string[] = [];
  const disks: SmallDisk[] = [];
  beforeAll(() => {
    for (let made = 0; made < 2; made++) {
      const folder = mkdtempSync(join(tmpdir(), 'signet-disk-'));
      folders.push(folder);
      disks.push(mountSmallDisk(folder, 4));
    }
  });
  afterAll(() => {
    for (const disk of disks) disk.unmount();
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  test('each that fills up is told once, and once when there is room again', async () => {
    const said: (string | undefined)[] = [];
    const [stateFolder = '', logs = ''] = folders;
    const watch = createDiskWatch({
      places: diskPlaces(stateFolder, join(logs, 'access.log')),
      onChange: (problem) => said.push(problem),
      everyMs: 5,
    });
    expect(watch.state()).toEqual({ ready: true });
    disks[0]?.fill();
    await until('word of the first', () => said.length === 1);
    disks[1]?.fill();
    await until('word of both', () => said.length === 2);
    await until('both at once', () => /Caddy/.test(watch.state().problem ?? ''));
    expect(watch.state().problem).toMatch(
      /the state folder, .* is full: .*Caddy's log, .* is full/,
    );
    for (const disk of disks) disk.free();
    await until('word of room', () => said.at(-1) === undefined && said.length > 2);
    expect(watch.state()).toEqual({ ready: true });
    watch.close();
  });

  test('one whose inodes are used up is told, with room on it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'signet-disk-'));
    const disk = mountSmallDisk(folder, 4, 20);
    const watch = createDiskWatch({ places: diskPlaces(folder, folder), onChange: () => {} });
    try {
      for (let made = 0; made < 15; made++) writeFileSync(join(folder, `${made}`), '');
      await until('word of it', () => !watch.state().ready);
      expect(watch.state().problem).toMatch(
        /is full: 4\.0 of 4\.0 MiB are free, and \d of 20 files/,
      );
    } finally {
      watch.close();
      disk.unmount();
      rmSync(folder, { recursive: true });
    }
  });
});
