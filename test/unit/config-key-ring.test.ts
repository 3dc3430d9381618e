// Changes of the key ring's text, and its file that is written whole.
import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { existsSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { addKey, promoteLast, removeKey, stagedKey } from '../../sidecar/config/key-ring-text.ts';
import { deriveKeys, type KeyRing, parseKeys } from '../../sidecar/config/keys.ts';
import { whileLocked } from '../../sidecar/config/ring-lock.ts';
import { changeKeys, freshKey, writeKeys } from '../../sidecar/config/write-keys.ts';

const at = (module: string) => new URL(`../../sidecar/config/${module}.ts`, import.meta.url).href;

const key = () => randomBytes(32).toString('base64');
const [A, B, C, FRESH] = [key(), key(), key(), key()];
const AT = { key: FRESH, atMs: Date.UTC(2026, 10, 21, 21, 50) };
const LINE = `${FRESH} # added 2026-11-21T21:50:00Z`;
const STAGED = `${FRESH} # staged 2026-11-21T21:50:00Z`;

/** Ids that are told apart here: any will do. */
const idsOf = (ring: KeyRing) =>
  deriveKeys(ring, 'chain').map((one) => one.export().toString('hex').slice(0, 8));

function idOf(one: string): string {
  const parsed = parseKeys(one);
  return 'keys' in parsed ? (idsOf(parsed)[0] ?? '') : '';
}

describe('a new key', () => {
  test('as the first stands before the others, behind the comment at the head', () => {
    expect(addKey(`# head\n${A} # old\n${B}\n`, 'first', AT)).toBe(
      `# head\n${LINE}\n${A} # old\n${B}\n`,
    );
  });

  test('as the last stands behind the others', () => {
    expect(addKey(`# head\n${A}\n# foot`, 'last', AT)).toBe(`# head\n${A}\n${STAGED}\n# foot\n`);
  });

  test('as the last is refused where one is staged, and as the first is not', () => {
    const text = `${A}\n${B} # staged 2026-11-20T00:00:00Z\n`;
    expect(() => addKey(text, 'last', AT)).toThrow('staged already');
    expect(addKey(text, 'first', AT)).toBe(`${LINE}\n${text}`);
  });

  test('is a line of its own where the others stand on one', () => {
    expect(addKey(`${A}, ${B}`, 'first', AT)).toBe(`${LINE}\n${A}, ${B}\n`);
  });

  test('that is there already, or is none, is refused', () => {
    expect(() => addKey(`${FRESH}\n`, 'first', AT)).toThrow('it has this key');
    expect(() => addKey(`${A}\n`, 'first', { ...AT, key: 'short' })).toThrow('no key ring');
  });
});

describe('the staged key', () => {
  const both = `# head\n${A} # a\n${B}\n${STAGED}\n`;

  test('becomes the first, and is marked no more', () => {
    expect(promoteLast(both)).toBe(`# head\n${LINE}\n${A} # a\n${B}\n`);
  });

  test('is not put in front twice: the old key, which may have leaked, would seal again', () => {
    expect(() => promoteLast(promoteLast(both))).toThrow('nothing is staged');
  });

  test('is known by its id until it is in front', () => {
    expect(stagedKey(both, idsOf)).toBe(idOf(FRESH));
    expect(stagedKey(promoteLast(both), idsOf)).toBeUndefined();
  });

  test.each([
    ['the only one', `${A} # staged 2026-11-21T21:50:00Z\n`],
    ['without a mark', `${A}\n${B} # added 2026-11-21T21:50:00Z\n`],
    ['not the last', `${A}\n${STAGED}\n${B}\n`],
    ['beside others', `${A},${B} # staged 2026-11-21T21:50:00Z`],
  ])('is none that is %s', (_, text) => {
    expect(() => promoteLast(text)).toThrow('nothing is staged');
    expect(stagedKey(text, idsOf)).toBeUndefined();
  });
});

describe('a key', () => {
  test('is taken out with its line; all other lines stay', () => {
    expect(removeKey(`# head\n${A}\n${B} # b\n# foot\n`, idOf(B), idsOf)).toBe(
      `# head\n${A}\n# foot\n`,
    );
  });

  test('beside others is taken out by itself', () => {
    expect(removeKey(`${A},${B},${C} # all`, idOf(B), idsOf)).toBe(`${A},${C} # all\n`);
  });

  test('that stands twice is taken out twice', () => {
    expect(removeKey(`${A}\n${B}\n${C},${B}\n`, idOf(B), idsOf)).toBe(`${A}\n${C}\n`);
  });

  test('that seals, or is not there, is not taken out', () => {
    expect(() => removeKey(`${A}\n${B}\n`, idOf(A), idsOf)).toThrow('is the key that seals');
    expect(() => removeKey(`${A}\n${B}\n`, 'nobody', idsOf)).toThrow(`there is ${idOf(A)}`);
  });
});

test.each([
  ['addKey', () => addKey('hunter2', 'first', AT)],
  ['promoteLast', () => promoteLast('hunter2')],
  ['removeKey', () => removeKey('hunter2', 'id', idsOf)],
])('%s of a text that is no ring is refused without quoting it', (_name, act) => {
  expect(act).toThrow(expect.objectContaining({ code: 'ERR_KEYS' }));
  expect(act).not.toThrow('hunter2');
});

describe('the file', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'signet-ring-'));
    file = join(folder, 'keys');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is replaced whole, by another file, and no draft is left', () => {
    writeFileSync(file, `${A}\n`);
    const before = statSync(file).ino;
    writeKeys(file, `${B}\n${A}\n`);
    expect(readFileSync(file, 'utf8')).toBe(`${B}\n${A}\n`);
    expect(statSync(file).ino).not.toBe(before);
    expect(readdirSync(folder)).toEqual(['keys']);
  });

  test.each([0o600, 0o640, 0o444])('keeps its mode %o', (mode) => {
    writeFileSync(file, `${A}\n`);
    chmodSync(file, mode);
    writeKeys(file, `${B}\n`);
    expect(statSync(file).mode & 0o777).toBe(mode);
  });

  test('keeps its owner and group', () => {
    writeFileSync(file, `${A}\n`);
    // Anybody's right is to give it to oneself; root's to give it to others.
    const { uid, gid } = process.getuid?.() === 0 ? { uid: 4242, gid: 4243 } : statSync(file);
    chownSync(file, uid, gid);
    writeKeys(file, `${B}\n`);
    expect(statSync(file)).toMatchObject({ uid, gid });
  });

  test('that is new is its owner’s only', () => {
    writeKeys(file, `${A}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('behind a link is replaced, and the link stays', () => {
    writeFileSync(join(folder, 'ring'), `${A}\n`);
    symlinkSync('ring', file);
    writeKeys(file, `${B}\n`);
    expect(readlinkSync(file)).toBe('ring');
    expect(readFileSync(join(folder, 'ring'), 'utf8')).toBe(`${B}\n`);
  });

  test('is not written with what is no ring', () => {
    writeFileSync(file, `${A}\n`);
    expect(() => writeKeys(file, '# nothing\n')).toThrow('no key in it');
    expect(readFileSync(file, 'utf8')).toBe(`${A}\n`);
  });

  test('where none can be is a fault with ERR_KEYS', () => {
    const nowhere = join(folder, 'nowhere', 'keys');
    expect(() => writeKeys(nowhere, `${A}\n`)).toThrow(
      expect.objectContaining({ code: 'ERR_KEYS' }),
    );
  });

  test('takes a fresh key, which no other is', () => {
    const [one, other] = [freshKey(), freshKey()];
    expect(one.key).not.toBe(other.key);
    writeKeys(file, addKey(addKey(`${A}\n`, 'first', one), 'last', other));
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(4);
  });
});

describe('a change of the file', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'signet-ring-'));
    file = join(folder, 'keys');
    writeFileSync(file, `${A}\n`);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const lock = () => `${file}.lock`;
  const addFirst = (text: string) => addKey(text, 'first', AT);
  const promptly = (act = () => {}) => whileLocked(file, act, 0);

  test('returns the text that it has written, and leaves nothing behind', () => {
    expect(changeKeys(file, addFirst)).toBe(`${LINE}\n${A}\n`);
    expect(readFileSync(file, 'utf8')).toBe(`${LINE}\n${A}\n`);
    expect(readdirSync(folder)).toEqual(['keys']);
  });

  test('keeps a second one out until it is done', () => {
    changeKeys(file, (text) => {
      expect(() => promptly()).toThrow('another command is changing the key ring');
      return addFirst(text);
    });
    expect(() => promptly()).not.toThrow();
  });

  test('by way of a link is the same as by the file itself', () => {
    const link = join(folder, 'link');
    symlinkSync('keys', link);
    changeKeys(link, (text) => {
      expect(() => promptly()).toThrow('another command is changing the key ring');
      return text;
    });
  });

  test('that fails gives the lock back', () => {
    expect(() => changeKeys(file, promoteLast)).toThrow('nothing is staged');
    expect(existsSync(lock())).toBe(false);
  });

  test('takes over from one that was killed half a minute ago, and not before', () => {
    writeFileSync(lock(), '');
    const agoSeconds = (seconds: number) => Date.now() / 1_000 - seconds;
    utimesSync(lock(), agoSeconds(25), agoSeconds(25));
    expect(() => promptly()).toThrow(`${lock()} counts for 30 seconds`);
    utimesSync(lock(), agoSeconds(31), agoSeconds(31));
    changeKeys(file, addFirst);
    expect(readdirSync(folder)).toEqual(['keys']);
  });

  test('that stood still, and was taken over from, changes nothing any more', () => {
    const stolen = () =>
      changeKeys(file, (text) => {
        rmSync(lock());
        writeFileSync(join(folder, 'other'), '');
        writeFileSync(lock(), '');
        return addFirst(text);
      });
    expect(stolen).toThrow(expect.objectContaining({ code: 'ERR_KEYS' }));
    expect(readFileSync(file, 'utf8')).toBe(`${A}\n`);
    expect(existsSync(lock())).toBe(true);
  });

  /** A command that is killed when its draft, with this text, is on the disk. Its lock is half a minute old. */
  function killedWith(text: string): void {
    const script = `
      const { whileLocked } = await import(${JSON.stringify(at('ring-lock'))});
      const { writeKeys } = await import(${JSON.stringify(at('write-keys'))});
      const kill = () => process.kill(process.pid, 'SIGKILL');
      whileLocked(${JSON.stringify(file)}, () => writeKeys(${JSON.stringify(file)}, ${JSON.stringify(text)}, kill));`;
    const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    expect(signal).toBe('SIGKILL');
    utimesSync(lock(), 1, 1);
  }

  test('removes what killed commands left: a key that is taken out is on the disk no more', () => {
    writeFileSync(file, `${A}\n${B}\n`);
    killedWith(`${C}\n${A}\n${B}\n`);
    killedWith(`${C}\n${A}\n${B}\n`);
    writeFileSync(join(folder, `.keys.lock.${randomUUID()}`), ''); // a stale lock that was moved
    expect(readdirSync(folder).filter((name) => name.startsWith('.keys.'))).toHaveLength(3);
    changeKeys(file, (text) => removeKey(text, idOf(B), idsOf));
    expect(readdirSync(folder)).toEqual(['keys']);
    expect(readFileSync(file, 'utf8')).toBe(`${A}\n`);
  });

  test('leaves what is no draft of this ring: other names, other files’ drafts, folders', () => {
    const others = ['.keys', '.keys.old', `.other.${randomUUID()}`];
    others.forEach((name) => writeFileSync(join(folder, name), `${B}\n`));
    const inside = `.keys.${randomUUID()}`;
    mkdirSync(join(folder, inside));
    changeKeys(file, addFirst);
    expect(readdirSync(folder).toSorted()).toEqual([...others, inside, 'keys'].toSorted());
  });

  test('whose draft another one has removed is refused, and the ring is as it was', () => {
    const removeAll = () =>
      readdirSync(folder)
        .filter((name) => name.startsWith('.keys.'))
        .forEach((name) => rmSync(join(folder, name)));
    expect(() => writeKeys(file, `${B}\n`, removeAll)).toThrow(
      expect.objectContaining({ code: 'ERR_KEYS' }),
    );
    expect(readFileSync(file, 'utf8')).toBe(`${A}\n`);
  });
});
