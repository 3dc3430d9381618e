import { describe, expect, test } from '@jest/globals';
import { formatConfigErrors } from '../../sidecar/config/errors.ts';
import { loadPlaces } from '../../sidecar/config/load.ts';
import { configOf, errorsOf, sourcesOf } from '../fixtures/config-sources.ts';

const URL_OF_STORE =
  'postgresql://signet:correct%20horse@db.example.com:5432/audit?sslmode=verify-full';
const yaml = (text: string) => ({ '/folder/signet.yaml': text });
const storeOf = (text: string) => configOf({ SIGNET_AUDIT_STORE: text }).auditStore?.reveal();
const problemWith = (text: string) => errorsOf({ SIGNET_AUDIT_STORE: text });

describe('the audit store', () => {
  test('is a file in the state folder where nothing else is said', () => {
    expect(configOf().auditStore).toBeUndefined();
  });

  test.each([
    URL_OF_STORE,
    'postgres://db/audit',
    'postgres://[::1]:5432/audit',
    'postgresql:///audit?host=/run/postgresql',
    'postgresql://signet:pw@/audit?host=/run/postgresql',
    'postgresql://%2Frun%2Fpostgresql/audit',
    'postgresql://signet:p%40ss,word@db/audit%20of%20us',
  ])('may be %s', (url) => expect(storeOf(url)).toBe(url));

  test('may come from a file that a variable or a setting names, the variable first', () => {
    const files = {
      ...yaml('audit: { store_file: secrets/store }'),
      '/folder/secrets/store': `${URL_OF_STORE}\n`,
      '/other': 'postgres://other/audit',
    };
    expect(configOf({}, files).auditStore?.reveal()).toBe(URL_OF_STORE);
    const other = configOf({ SIGNET_AUDIT_STORE_FILE: '/other' }, files);
    expect(other.auditStore?.reveal()).toBe('postgres://other/audit');
  });

  test('can not be printed', () => {
    const config = configOf({ SIGNET_AUDIT_STORE: URL_OF_STORE });
    expect(JSON.stringify(config)).not.toContain('horse');
  });

  test.each([
    ['mysql://db/audit', 'no URL that begins with postgresql://'],
    ['host=db password=hunter2', 'no URL that begins with postgresql://'],
    ['postgres:db/audit', 'no URL that begins with postgresql://'],
    ['postgres://db:70000/audit', 'no URL that can be read'],
    ['postgres://u:hunter2/x@db/audit', 'no URL that can be read'],
    ['postgres://u:12#3@db/audit', 'no URL that can be read'],
    ['postgres://one,two/audit', 'a URL with several hosts'],
    ['postgres://db/audit of us', 'no URL that can be read'],
    ['postgres:///audit', 'a URL without a host'],
    ['postgres://u:hunter2@/audit', 'a URL without a host'],
    ['postgres://db', 'a URL without one database'],
    ['postgres://db/', 'a URL without one database'],
    ['postgres://db/audit/us', 'a URL without one database'],
    ['postgres://u:1/2@db/audit', 'no URL that can be read'],
    ['postgres://u:1?hunter2@db/audit', 'no URL that can be read'],
  ])('is not %s', (text, read) => {
    expect(problemWith(text)).toMatchObject([{ where: 'SIGNET_AUDIT_STORE (or its file)', read }]);
  });

  test.each([
    { SIGNET_AUDIT_STORE: 'postgres://u:hunter2@db' },
    { SIGNET_AUDIT_STORE: 'host=db password=hunter2' },
    { SIGNET_AUDIT_STORE_FILE: 'postgres://db/audit?password=hunter2' },
    { SIGNET_AUDIT_STOR: 'postgres://u:hunter2@db/audit' },
    { SIGNET_STATE: '/s', SIGNET_HEALTH: 'postgres://u:hun/t@ter2@db/hunter2@audit' },
  ])('is not quoted when it is wrong, or in the wrong place: %j', (env) => {
    const errors = errorsOf(env);
    expect(errors).toHaveLength(1);
    expect(formatConfigErrors(errors)).not.toMatch(/hunter2|ter2/);
  });

  test.each([
    'audit: postgres://u:hunter2@db/audit',
    'audit: { store: "postgres://u:hunter2@db/audit" }',
    'audit: { store_file: "postgres://db/audit?password=hunter2" }',
    'audit_store: postgres://u:hunter2@db/audit',
  ])('is kept out of the text of signet.yaml, and not quoted: %s', (text) => {
    const errors = errorsOf({}, yaml(text));
    expect(errors).toHaveLength(1);
    expect(formatConfigErrors(errors)).not.toContain('hunter2');
  });
});

describe('commands that only read the record', () => {
  const placesOf = (env: Record<string, string>, files?: Record<string, string>) =>
    loadPlaces(sourcesOf(env, files));

  test('find it without any other setting', () => {
    expect(placesOf({ SIGNET_STATE: '/s' })).toEqual({
      stateFolder: '/s',
      health: { host: '127.0.0.1', port: 9465 },
      accessLog: '/s/access.log',
      headsFile: '/s/heads.jsonl',
    });
  });

  test('find the audit store in a database', () => {
    const places = placesOf({ SIGNET_AUDIT_STORE: URL_OF_STORE, SIGNET_HEADS_FILE: '/h' });
    expect(places.auditStore?.reveal()).toBe(URL_OF_STORE);
    expect(places.headsFile).toBe('/h');
  });

  test('are not stopped by what is wrong elsewhere', () => {
    const env = { SIGNET_STATE: '/s', SIGNET_TRACE_TRUST: 'all', SIGNET_SOKET: 'x' };
    expect(placesOf(env, yaml('issuer: ftp://x\nsession: { idel: 1h }')).stateFolder).toBe('/s');
  });

  test.each([
    ['a store that is no URL', { SIGNET_AUDIT_STORE: 'db' }, ''],
    ['a store in a file that is not there', { SIGNET_AUDIT_STORE_FILE: '/nowhere' }, ''],
    ['a setting that is misspelt', {}, 'audit: { stor_file: /s }'],
    ['a state folder that is no text', {}, 'state: 7'],
    ['a file that can not be read', {}, 'issuer: ['],
  ])('are stopped by %s: they would read another record', (_what, env, text) => {
    expect(() => placesOf(env, yaml(text))).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG',
        message: expect.stringMatching(/^1 setting needs/),
      }),
    );
  });
});
