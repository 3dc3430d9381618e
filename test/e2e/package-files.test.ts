// Which files go into the package and into the container's build: those that are named, and nothing that lies
// beside them.
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DEPLOY_FILES, LEFT_OUT } from '../../build/deploy-files.ts';
import { copyInto } from '../../build/files.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('each file of deploy/ that git has is in the package, or is named as left out', () => {
  const tracked = execFileSync('git', ['ls-files', '-z', 'deploy'], { cwd: ROOT, encoding: 'utf8' })
    .split('\0')
    .filter((file) => file !== '')
    .map((file) => file.replace('deploy/', ''));
  const isLeftOut = (file: string) =>
    LEFT_OUT.some((left) => file === left || file.startsWith(`${left}/`));
  expect(tracked.filter((file) => !isLeftOut(file))).toEqual([...DEPLOY_FILES]);
});

test('of deploy/ the engine is given the same files, by name', () => {
  const given = readFileSync(join(ROOT, '.dockerignore'), 'utf8').matchAll(/^!deploy\/?(.*)$/gm);
  expect([...given].map(([, file]) => file)).toEqual([...DEPLOY_FILES]);
});

describe('what is copied', () => {
  let folder: string;
  const from = () => join(folder, 'from');
  const to = () => join(folder, 'to');
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'signet-files-'));
    mkdirSync(join(from(), 'in'), { recursive: true });
    writeFileSync(join(from(), 'in/secret'), 'a secret');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is the file that is named, and not what lies beside it', () => {
    writeFileSync(join(from(), 'in/page.md'), 'a page');
    copyInto(to(), from(), 'in/page.md');
    expect(readdirSync(to(), { recursive: true })).toEqual(['in', 'in/page.md']);
  });

  test.each([
    ['a link', 'page.md', 'in/secret'],
    ['behind a link', 'elsewhere/secret', 'in'],
  ])('is refused where it is %s', (_, file, target) => {
    symlinkSync(target, join(from(), file.split('/')[0] ?? ''));
    expect(() => copyInto(to(), from(), file)).toThrow(`${file} is a link, lies behind one`);
    expect(readdirSync(folder)).toEqual(['from']);
  });

  test('is refused where it is a folder', () => {
    expect(() => copyInto(to(), from(), 'in')).toThrow('in is a link, lies behind one, or is no');
  });
});
