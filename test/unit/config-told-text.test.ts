// What `signet config` prints of what there is to tell.
import { describe, expect, test } from '@jest/globals';
import {
  jsonOf,
  tableOf,
  type ToldConfig,
  warningsOf,
} from '../../sidecar/commands/config-text.ts';
import { yaml } from '../fixtures/config-sources.ts';
import { printed, toldOf } from '../fixtures/told.ts';

const told: ToldConfig = {
  file: { path: '/etc/signet/signet.yaml', isThere: true },
  settings: [
    { setting: 'issuer', value: 'https://login.example.com', from: 'SIGNET_ISSUER' },
    { setting: 'hosts', value: [], from: 'default' },
    { setting: 'scopes', value: ['openid', 'email'], from: 'default' },
    { setting: 'client_secret_file', isSecret: true, from: 'SIGNET_CLIENT_SECRET' },
    { setting: 'session.idle', isRefused: true, from: 'signet.yaml: session.idle' },
    { setting: 'session.absolute', value: '24h', from: 'default' },
  ],
  warnings: ['one wins over another'],
  mistakes: [{ where: 'signet.yaml: session.idle', read: '"never"', allowed: 'a time' }],
  problem: '1 setting needs mending.',
};

test('the table has setting, value and where from, and a line between sections', () => {
  expect(tableOf(told)).toBe(`Read: /etc/signet/signet.yaml

SETTING             VALUE                      FROM
issuer              https://login.example.com  SIGNET_ISSUER
hosts               none                       default
scopes              openid, email              default
client_secret_file  set                        SIGNET_CLIENT_SECRET

session.idle        refused: see below         signet.yaml: session.idle
session.absolute    24h                        default
`);
});

test('a value that is long does not push the last column away from the others', () => {
  const long = { setting: 'state', value: '/'.padEnd(80, 'x'), from: 'default' };
  const [, , head] = tableOf({ ...told, settings: [...told.settings, long] }).split('\n');
  expect(head).toBe('SETTING             VALUE                      FROM');
});

test('a file that is not there is said not to be', () => {
  const text = tableOf({ ...told, file: { path: '/folder/signet.yaml', isThere: false } });
  expect(text).toMatch(/^Not there: \/folder\/signet\.yaml\n/);
});

test('JSON is one object on a line, with values as they are', () => {
  const text = jsonOf(told);
  expect(text.split('\n')).toHaveLength(2);
  expect(JSON.parse(text)).toEqual({
    file: { path: '/etc/signet/signet.yaml', there: true },
    settings: [
      { setting: 'issuer', value: 'https://login.example.com', from: 'SIGNET_ISSUER' },
      { setting: 'hosts', value: [], from: 'default' },
      { setting: 'scopes', value: ['openid', 'email'], from: 'default' },
      { setting: 'client_secret_file', value: null, from: 'SIGNET_CLIENT_SECRET', secret: true },
      { setting: 'session.idle', value: null, from: 'signet.yaml: session.idle', refused: true },
      { setting: 'session.absolute', value: '24h', from: 'default' },
    ],
    warnings: ['one wins over another'],
    mistakes: [{ where: 'signet.yaml: session.idle', read: '"never"', allowed: 'a time' }],
  });
});

test('warnings come before what is wrong', () => {
  expect(warningsOf(told)).toBe(
    'Warning: one wins over another.\nsignet: 1 setting needs mending.\n',
  );
});

test('where all is well nothing is said', () => {
  expect(warningsOf(toldOf())).toBe('');
});

describe('nothing that a terminal obeys gets out', () => {
  const escape = '\u001b]0;gone\u0007\u202e';
  const UNSAFE = /[\p{Cc}\p{Cf}]/u;

  test.each([
    ['of a value', { OTEL_SERVICE_NAME: `a${escape}` }, {}],
    ['of an attribute’s name', { OTEL_RESOURCE_ATTRIBUTES: `${encodeURIComponent(escape)}=1` }, {}],
    ['of the file’s name', { SIGNET_CONFIG: `x${escape}.yaml` }, {}],
    ['of a mistake', {}, yaml(`trace: { trust: "a\\e[2J" }`)],
    ['of a key', {}, yaml(`"\\e[2J": 1`)],
    ['of a path', { SIGNET_STATE: `/tmp/${escape}` }, {}],
  ])('%s', (_what, env, files) => {
    const text = printed(toldOf(env, files)).replaceAll('\n', '');
    expect(text).not.toMatch(UNSAFE);
  });
});
