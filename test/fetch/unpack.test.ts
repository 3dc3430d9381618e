// One program out of an archive, and nothing else of it: what hostile archives try is not even looked at.
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { unpackProgram } from '../../caddy/unpack.ts';
import { tarGz, tarOf } from '../fixtures/release-archive.ts';

const ROOM = 1024 * 1024;
const unpack = (archive: Buffer, maxBytes = ROOM) => unpackProgram(archive, 'caddy', maxBytes);

test('the program is taken, whatever lies before and behind it', async () => {
  const before = { name: 'README.md', body: 'x'.repeat(700) };
  const archive = tarGz(before, { name: 'caddy', body: 'the program' }, { name: 'z', body: 'z' });
  expect((await unpack(archive)).toString()).toBe('the program');
});

test('of two of the same name the first is taken', async () => {
  const archive = tarGz({ name: 'caddy', body: 'first' }, { name: 'caddy', body: 'second' });
  expect((await unpack(archive)).toString()).toBe('first');
});

describe('no program is', () => {
  test.each([
    { name: '../caddy' },
    { name: '/caddy' },
    { name: '/usr/bin/caddy' },
    { name: 'a/../caddy' },
    { name: 'sub/caddy' },
    { name: 'caddy/' },
    { name: 'caddy', type: '2', to: '/bin/sh' },
    { name: 'caddy', type: '1', to: '../../other' },
    { name: 'caddy', type: '5' },
    { name: 'caddy', type: '3' },
    { name: 'caddy.exe' },
  ])('the entry %j', async (entry) => {
    const archive = tarGz({ body: 'hostile', ...entry });
    await expect(unpack(archive)).rejects.toThrow('the archive holds no file `caddy`');
  });
});

test('a bomb is not unpacked', async () => {
  const bomb = tarGz({ name: 'caddy', body: Buffer.alloc(20 * ROOM) });
  expect(bomb.length).toBeLessThan(ROOM);
  await expect(unpack(bomb)).rejects.toThrow('unpacks to more than 1048576 bytes');
});

describe('broken is', () => {
  const whole = tarGz({ name: 'caddy', body: 'x'.repeat(5_000) });

  test.each([
    ['what is not gzip', Buffer.from('<html>')],
    ['nothing at all', Buffer.alloc(0)],
    ['an archive that is cut off', whole.subarray(0, whole.length / 2)],
    ['a tar that ends in mid-file', gzipSync(tarOf({ name: 'caddy', size: '00000100000' }))],
    ['a size that is no number', gzipSync(tarOf({ name: 'caddy', size: '-1' }))],
    ['a size beyond all measure', gzipSync(tarOf({ name: 'caddy', size: '777777777777' }))],
  ])('%s', async (_, archive) => {
    await expect(unpack(archive)).rejects.toThrow('the archive is broken');
  });
});
