// When a disk counts as full, and what is told of it; on real small disks, too.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDiskWatch, diskPlaces, diskProblem } from '../../sidecar/disk-space.ts';
import { mountSmallDisk, type SmallDisk } from '../fixtures/small-disk.ts';
import { until } from '../fixtures/until.ts';

const MiB = 1024 * 1024;
const [state] = diskPlaces('/var/lib/signet', '/var/log/caddy/signet-access.log');
const told = (freeBytes: number, bytes: number) =>
  diskProblem([{ ...state!, room: { freeBytes, bytes } }])?.text;

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
    expect(watch.state().problem).toMatch(
      /the state folder, .* is full: .*Caddy's log, .* is full/,
    );
    for (const disk of disks) disk.free();
    await until('word of room', () => said.at(-1) === undefined);
    expect(watch.state()).toEqual({ ready: true });
    watch.close();
  });
});
