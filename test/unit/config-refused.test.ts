// What no sidecar can run with is refused with a mistake that names it: `signet config --check` is not to call
// good what `signet serve` then ends with.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jsonSchemaText } from '../../sidecar/config/json-schema.ts';
import { errorsOf, yaml } from '../fixtures/config-sources.ts';
import { toldOf } from '../fixtures/told.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-'));
  writeFileSync(join(folder, 'file'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['state: "st\\0ate"', 'state'],
  ['access_log: "a\\0b"', 'access_log'],
  ['listen: "/a\\0b"', 'listen'],
  ['keys_file: "k\\0"', 'keys_file'],
  ['audit: { heads_file: "h\\0" }', 'audit.heads_file'],
])('a path with a NUL is a mistake that is named: %s', (text, setting) => {
  expect(errorsOf({}, yaml(text)).map(({ where }) => where)).toEqual([`signet.yaml: ${setting}`]);
});

test.each(['rows', 'undelivered'])('retention.%s of more than a century is a mistake', (name) => {
  const at = (time: string) => errorsOf({}, yaml(`retention: { ${name}: ${time} }`));
  expect(at('36500d')).toEqual([]);
  const allowed = expect.stringMatching(/a time such as \d+d, at most 36500d/) as unknown;
  expect(at('36501d')).toMatchObject([{ setting: `retention.${name}`, allowed }]);
  expect(at('99999999d')).toHaveLength(1);
});

describe('a state folder', () => {
  const toldAt = (state: string) => {
    const readFile = (path: string) => {
      if (path.startsWith(folder)) return readFileSync(path, 'utf8');
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    };
    return toldOf({ SIGNET_STATE: join(folder, state) }, {}, { readFile });
  };

  test.each(['file', 'file/below'])('whose name is a file’s is a mistake: %s', (state) => {
    const { mistakes, problem } = toldAt(state);
    expect(mistakes).toMatchObject([{ where: 'SIGNET_STATE', setting: 'state' }]);
    expect(problem).toContain('a file is in the way');
  });

  test.each(['.', 'nowhere/yet'])('that is one, or is to be made, is none: %s', (state) => {
    expect(toldAt(state).mistakes).toEqual([]);
  });
});

describe('a client secret', () => {
  const fromFile = { SIGNET_CLIENT_SECRET: '', SIGNET_CLIENT_SECRET_FILE: '/secret' };

  test.each([
    ['two lines', 'hunter2\nhunter2\n'],
    ['bytes', '\u0000\ufffd\ufffd'],
    ['a letter that no secret has', 'hunter2é'],
  ])('of %s is refused without showing it', (_, text) => {
    const errors = errorsOf(fromFile, { '/secret': text });
    expect(errors).toMatchObject([
      { where: 'SIGNET_CLIENT_SECRET_FILE', allowed: 'one line of printable ASCII' },
    ]);
    expect(JSON.stringify(errors)).not.toContain('hunter2');
  });

  test('of one line is taken, with the newline that an editor puts behind it', () => {
    expect(errorsOf(fromFile, { '/secret': 'correct horse\n' })).toEqual([]);
  });
});

test('an editor does not offer a rule of sampling about refusals, which is always refused', () => {
  expect(jsonSchemaText()).not.toContain('"deny"');
});
