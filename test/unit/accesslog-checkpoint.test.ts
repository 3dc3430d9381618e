// A checkpoint as it was stored, or as somebody or something damaged it.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCheckpoint, type Checkpoint } from '../../sidecar/accesslog/checkpoint.ts';
import { makeLogFolder, readAll } from '../fixtures/log-folder.ts';

const SHA256 = 'a0'.repeat(32);

function aCheckpoint(): Checkpoint {
  return {
    file: { inode: '4711', birthTimeNs: '1795170914000000001', firstLineSha256: SHA256 },
    offset: 900,
    last: { length: 90, sha256: SHA256 },
  };
}

/** Returns a checkpoint as JSON, with something at a path of it that is not what it was. */
function changed(path: string, value: unknown): string {
  const keys = path.split('.');
  const copy = structuredClone(aCheckpoint()) as unknown as Record<string, unknown>;
  const parent = keys.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, copy);
  parent[keys.at(-1) ?? ''] = value;
  return JSON.stringify(copy);
}

test('a stored checkpoint is what it was', () => {
  expect(parseCheckpoint(JSON.stringify(aCheckpoint()))).toEqual(aCheckpoint());
});

test('one with the files that were consumed is what it was', () => {
  const checkpoint = { ...aCheckpoint(), consumed: ['0123456789abcdef', 'f'.repeat(16)] };
  expect(parseCheckpoint(JSON.stringify(checkpoint))).toEqual(checkpoint);
});

test('the one that a follower gives is what it was', () => {
  const files = makeLogFolder();
  files.write('a');
  const { checkpoint } = readAll(files.follower());
  files.remove();
  expect(parseCheckpoint(JSON.stringify(checkpoint))).toEqual(checkpoint);
});

describe('nothing is believed of a checkpoint', () => {
  test.each(['', ' ', 'null', '17', '[]', '"text"', '{}', '{"file":', '\u0000'])(
    'that is %j',
    (text) => {
      expect(parseCheckpoint(text)).toBeUndefined();
    },
  );

  test.each([
    ['file', null],
    ['file', []],
    ['file.inode', 4711],
    ['file.inode', '47x'],
    ['file.inode', ''],
    ['file.inode', '1'.repeat(21)],
    ['file.birthTimeNs', '-1'],
    ['file.birthTimeNs', undefined],
    ['file.firstLineSha256', SHA256.toUpperCase()],
    ['file.firstLineSha256', `${SHA256}\n`],
    ['file.more', 1],
    ['offset', '900'],
    ['offset', -1],
    ['offset', 900.5],
    ['offset', 2 ** 53],
    ['offset', null],
    ['offset', 89], // less than the last line
    ['last', 'text'],
    ['last.length', 0],
    ['last.length', 4097],
    ['last.length', 1.5],
    ['last.sha256', SHA256.slice(1)],
    ['last.sha256', null],
    ['more', 1],
    ['consumed', null],
    ['consumed', {}],
    ['consumed', [17]],
    ['consumed', ['0123456789abcde']],
    ['consumed', ['0123456789ABCDEF']],
    ['consumed', Array.from({ length: 129 }, () => '0123456789abcdef')],
  ])('with %s as %j', (path, value) => {
    expect(parseCheckpoint(changed(path, value))).toBeUndefined();
  });

  test('that was cut anywhere', () => {
    const text = JSON.stringify(aCheckpoint());
    for (let length = 0; length < text.length; length++) {
      expect(parseCheckpoint(text.slice(0, length))).toBeUndefined();
    }
  });

  test('whatever the JSON, unless it has the shape of one', () => {
    fc.assert(fc.property(fc.json(), (json) => parseCheckpoint(json) === undefined));
  });
});
