// Owner and mode of what `signet init` finds: what its own earlier run left to root alone is mended, other
// people's arrangements are only told, and root writes into nobody else's folder.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeFolders, placeFile } from '../../sidecar/setup/place-files.ts';
import { closedToGroup, openToOthers } from '../../sidecar/setup/rights.ts';
import { dangerOf } from '../../sidecar/setup/safe-folder.ts';
import { writeWhole } from '../../sidecar/setup/write-whole.ts';

const OWN_ID = process.getuid?.() ?? 0;
const GROUP = process.getgid?.() ?? 0;
/** Nobody's; only root can give something to it. */
const OTHER_ID = 65_534;

let folder: string;
let path: string;
beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'signet-rights-')));
  path = join(folder, 'file');
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const modeOf = (at: string) => fs.statSync(at).mode & 0o777;
const shared = () => ({ path, mode: 0o640, isShared: true, content: 'a' }) as const;

describe('what a run before the group wrote', () => {
  test('is given to the group by a run after it', () => {
    placeFile(shared(), undefined);
    expect(placeFile(shared(), GROUP).became).toBe('given');
    expect([modeOf(path), fs.statSync(path).gid]).toEqual([0o640, GROUP]);
  });

  test('is given once: a third run changes nothing', () => {
    placeFile(shared(), undefined);
    placeFile(shared(), GROUP);
    expect(placeFile(shared(), GROUP).became).toBe('kept');
  });

  test('is left, where somebody gave it other rights since', () => {
    fs.writeFileSync(path, 'a');
    fs.chmodSync(path, 0o400);
    expect(placeFile(shared(), GROUP).became).toBe('kept');
    expect(modeOf(path)).toBe(0o400);
  });

  test('is left, where it is a link or has a second name', () => {
    const elsewhere = join(folder, 'elsewhere');
    fs.writeFileSync(elsewhere, 'a', { mode: 0o600 });
    fs.symlinkSync(elsewhere, path);
    expect(placeFile(shared(), GROUP).became).toBe('kept');
    fs.rmSync(path);
    fs.linkSync(elsewhere, path);
    expect(placeFile(shared(), GROUP).became).toBe('kept');
    expect(modeOf(elsewhere)).toBe(0o600);
  });

  test('a folder is entered by the group, too', () => {
    const below = { path: join(folder, 'below'), mode: 0o750, isShared: true } as const;
    fs.mkdirSync(below.path, { mode: 0o700 });
    makeFolders([below], GROUP);
    expect(modeOf(below.path)).toBe(0o750);
  });
});

describe('told is', () => {
  const modes = (at: number) => {
    fs.writeFileSync(path, '');
    fs.chmodSync(path, at);
    const plain = { path, mode: 0o644 };
    return openToOthers([plain, { ...plain, isSecret: true }]).length;
  };

  test('a file that everybody may write to, and a secret that everybody may read', () => {
    expect([0o600, 0o640, 0o604, 0o666].map(modes)).toEqual([0, 0, 1, 2]);
  });

  test('of root’s files one that the group can’t read, and of nobody else’s', () => {
    fs.writeFileSync(path, '', { mode: 0o600 });
    const closed = closedToGroup([{ path, mode: 0o640 }], GROUP);
    expect(closed.length).toBe(OWN_ID === 0 ? 1 : 0);
    const ofRoots = [{ path: '/proc/self/root', mode: 0o755 }];
    expect(closedToGroup(ofRoots, fs.statSync('/').gid)).toEqual([]);
  });
});

describe('root', () => {
  const toOther = (at: string) => {
    // An ordinary user's temp folder is another user's to root as it is.
    if (OWN_ID === 0) fs.chownSync(at, OTHER_ID, OTHER_ID);
  };

  test('does not write into another user’s folder', () => {
    toOther(folder);
    expect(dangerOf(folder, 0)).toMatch(/belongs to another user \(\d+\)/);
  });

  test('does not write below another user’s folder, where nothing is yet', () => {
    toOther(folder);
    expect(dangerOf(join(folder, 'a/b'), 0)).toContain('belongs to another user');
  });

  test('does not write where a link of its own leads into another user’s folder', () => {
    const theirs = join(folder, 'theirs');
    fs.mkdirSync(theirs);
    toOther(theirs);
    fs.symlinkSync('theirs', join(folder, 'link'));
    expect(dangerOf(join(folder, 'link', 'below'), 0)).toContain('belongs to another user');
  });

  test('does not write where a link is another user’s', () => {
    const link = join(folder, 'link');
    fs.symlinkSync('/etc', link);
    if (OWN_ID === 0) fs.lchownSync(link, OTHER_ID, OTHER_ID);
    expect(dangerOf(link, 0)).toContain('belongs to another user');
  });

  test('writes into /etc, and into a folder of its own in /tmp', () => {
    expect(dangerOf('/etc/signet-that-is-not-there', 0)).toBeUndefined();
    expect(dangerOf(join(folder, 'new'), OWN_ID)).toBeUndefined();
  });
});

test('a folder that everybody may write to is a danger, even where the sticky bit guards others’ files', () => {
  fs.chmodSync(folder, 0o1777);
  expect(dangerOf(folder, OWN_ID)).toContain('everybody may write');
});

test('on the way a folder that everybody may write to is none with the sticky bit, as /tmp has it', () => {
  fs.chmodSync(folder, 0o1777);
  expect(dangerOf(join(folder, 'below'), OWN_ID)).toBeUndefined();
  fs.chmodSync(folder, 0o777);
  expect(dangerOf(join(folder, 'below'), OWN_ID)).toContain('everybody may write');
});

test('links in a circle come to an end', () => {
  fs.symlinkSync('link', join(folder, 'link'));
  expect(dangerOf(join(folder, 'link'), OWN_ID)).toContain('too many links');
});

describe.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP'])('on a disk without hard links (%s)', (code) => {
  const whole = { text: 'a', mode: 0o640, groupId: undefined };
  const link = () => {
    throw Object.assign(new Error(code), { code });
  };

  test('a file is written all the same, with its mode, and no draft stays', () => {
    expect(writeWhole(path, whole, 'link', link)).toBe(true);
    expect([fs.readFileSync(path, 'utf8'), modeOf(path)]).toEqual(['a', 0o640]);
    expect(fs.readdirSync(folder)).toEqual(['file']);
  });

  test('nothing is written over, nor through a link', () => {
    fs.symlinkSync(join(folder, 'elsewhere'), path);
    expect(writeWhole(path, whole, 'link', link)).toBe(false);
    expect(fs.readdirSync(folder)).toEqual(['file']);
  });
});

test('another reason why a file can’t have its name is an error', () => {
  const full = () => {
    throw Object.assign(new Error('full'), { code: 'ENOSPC' });
  };
  const whole = { text: 'a', mode: 0o640, groupId: undefined };
  expect(() => writeWhole(path, whole, 'link', full)).toThrow('full');
  expect(fs.readdirSync(folder)).toEqual([]);
});

test('a file has its mode whatever the umask, and leaves no draft where it can’t have its name', () => {
  const whole = { text: 'a', mode: 0o644, groupId: undefined };
  const before = process.umask(0o077);
  expect(writeWhole(path, whole, 'link')).toBe(true);
  process.umask(before);
  expect(writeWhole(path, whole, 'link')).toBe(false);
  expect([modeOf(path), fs.readdirSync(folder)]).toEqual([0o644, ['file']]);
});
