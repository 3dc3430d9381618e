// What stands where it does not belong may be a secret: messages describe it, and don't quote it.
import { describe, expect, test } from '@jest/globals';
import { formatConfigErrors } from '../../sidecar/config/errors.ts';
import { loadPlaces } from '../../sidecar/config/load.ts';
import { errorsIn, errorsOf, sourcesOf, yaml } from '../fixtures/config-sources.ts';

const TOKEN = 'hcaik_01hunter2';
const PEM = '-----BEGIN PRIVATE KEY-----hunter2';

/** Returns the one mistake; throws if the text of all of them holds the secret. */
function theOne(errors: ReturnType<typeof errorsOf>) {
  expect(formatConfigErrors(errors)).not.toMatch(/hunter2|ter2/);
  expect(errors).toHaveLength(1);
  return errors[0];
}

describe('of a URL that is refused nothing is shown but scheme and host', () => {
  test.each([
    ['https://host/?api_key=hunter2', '"https://host" and 17 characters more'],
    ['https://host/v1#hunter2', '"https://host" and 11 characters more'],
    ['https://host/v1/hunter2', '"https://host" and 11 characters more'],
    ['https://host?hunter2', '"https://host" and 8 characters more'],
    ['https://joe:hunter2@host', '"https://" and 16 characters more'],
    ['https://joe:hun/ter2@host', '"https://" and 17 characters more'],
    ['https://joe:12/ter2@host', '"https://" and 16 characters more'],
    ['collector/v1?api_key=hunter2', 'a text of 28 characters that is no URL'],
    ['joe:hunter2@collector', 'a text of 21 characters that is no URL'],
    ['url=https://host/hunter2', 'a text of 24 characters'],
    ['ftp://host', '"ftp://host"'],
  ])('%s', (endpoint, read) => {
    const error = theOne(errorsIn(`destinations: [{ name: a, endpoint: '${endpoint}' }]`));
    expect(error).toMatchObject({ where: 'signet.yaml: destinations[0].endpoint', read });
  });

  test.each(['?key=hunter2', '/hunter2?', '/v1/traces?hunter2'])('nor over HTTP: …%s', (rest) => {
    const endpoint = `protocol: http/protobuf, endpoint: 'https://host${rest}'`;
    theOne(errorsIn(`destinations: [{ name: a, ${endpoint} }]`));
  });

  test.each([
    ['SIGNET_ISSUER', 'https://login.example.com/?key=hunter2'],
    ['SIGNET_ISSUER', 'login.example.com/?key=hunter2'],
    ['SIGNET_HOSTS', 'https://a/hunter2'],
    ['SIGNET_HEALTH', '//joe:hunter2@a'],
  ])('in %s, too: %s', (name, value) => {
    expect(theOne(errorsOf({ [name]: value }))?.where).toBe(name);
  });
});

describe('a text in place of its file’s path is not shown', () => {
  test.each([
    [TOKEN, 'a text of 15 characters that is no file'],
    ['authorization=Bearer hunter2', 'a text of 28 characters that is no file'],
    [PEM, 'a text of 34 characters that is no file'],
    ['/authorization=hunter2', 'a text of 22 characters that is no file'],
    ['/a\nhunter2', 'a text of 10 characters that is no file'],
    ['ab/hunter2', 'a text of 10 characters that is no file'],
  ])('%j', (text, read) => {
    for (const name of ['SIGNET_KEYS_FILE', 'SIGNET_AUDIT_STORE_FILE']) {
      expect(theOne(errorsOf({ [name]: text }))).toMatchObject({ where: name, read });
    }
  });

  test.each(['keys_file', 'gate_key_file'])('nor in %s', (key) => {
    theOne(errorsOf({}, yaml(`${key}: ${TOKEN}`)));
  });

  test.each(['headers_file', 'certificate_file'])('nor in a destination’s %s', (key) => {
    theOne(errorsIn(`destinations: [{ name: a, ${key}: ${TOKEN} }]`));
  });

  test.each(['client_key_file', 'client_certificate_file'])('nor in its %s', (key) => {
    const errors = errorsIn(`destinations: [{ name: a, ${key}: '${PEM}' }]`);
    expect(errors[0]?.read).toBe('a text of 34 characters that is no file');
    expect(formatConfigErrors(errors)).not.toContain('hunter2');
  });

  test('nor in a profile’s variable, its token_file, or the client’s secret', () => {
    const env = { SIGNET_DESTINATION: 'lightstep', LIGHTSTEP_ACCESS_TOKEN_FILE: TOKEN };
    expect(theOne(errorsOf(env))?.where).toBe('LIGHTSTEP_ACCESS_TOKEN_FILE');
    theOne(errorsIn(`destinations: [{ name: a, profile: lightstep, token_file: ${TOKEN} }]`));
    theOne(errorsOf({ SIGNET_CLIENT_SECRET: '', SIGNET_CLIENT_SECRET_FILE: TOKEN }));
  });

  test('nor by commands that only read the record', () => {
    const places = () => loadPlaces(sourcesOf({ SIGNET_AUDIT_STORE_FILE: TOKEN }));
    expect(places).toThrow('a text of 15 characters that is no file');
    expect(places).not.toThrow('hunter2');
  });

  test.each(['/run/secrets/token', './token', '../token', '~/token'])('a path is: %s', (path) => {
    const read = `"${path}", a file that is not there`;
    expect(errorsOf({ SIGNET_KEYS_FILE: path })).toMatchObject([{ read }]);
  });

  test('a file that is there is named, whatever its name', () => {
    const errors = errorsOf({ SIGNET_KEYS_FILE: 'keys' }, { '/folder/keys': '' });
    expect(errors).toMatchObject([{ read: '"keys", an empty file' }]);
  });
});

describe('what is of the wrong kind is told by its kind', () => {
  test.each([
    ['{ authorization: Bearer hunter2 }', 'a mapping of 1 key'],
    ['[authorization, hunter2]', 'a list of 2 elements'],
    ['42', 'a number'],
  ])('headers_file: %s', (value, read) => {
    const error = theOne(errorsIn(`destinations: [{ name: a, headers_file: ${value} }]`));
    expect(error).toMatchObject({ where: 'signet.yaml: destinations[0].headers_file', read });
  });

  test.each(['{ url: https://host/hunter2 }', '[hunter2]'])('endpoint: %s', (value) => {
    theOne(errorsIn(`destinations: [{ name: a, endpoint: ${value} }]`));
  });

  test('a list of the right kind is shown', () => {
    const errors = errorsOf({}, yaml('scopes: [email, a]'));
    expect(errors).toMatchObject([{ where: 'signet.yaml: scopes', read: '["email", "a"]' }]);
  });

  test('a line of headers among the keys is not quoted', () => {
    const error = theOne(errorsIn('destinations: [{ name: a, authorization=hunter2 }]'));
    expect(error).toMatchObject({
      where: 'signet.yaml: destinations[0]',
      read: 'an unknown key: a text of 21 characters',
    });
  });

  test('the name of an alias that leads nowhere is not quoted: a secret may begin with *', () => {
    expect(theOne(errorsOf({}, yaml('client_id: *hunter2')))?.where).toBe('signet.yaml');
  });
});

describe('a token in SIGNET_DESTINATION is not shown', () => {
  test('alone', () => {
    const error = theOne(errorsOf({ SIGNET_DESTINATION: TOKEN }));
    expect(error).toMatchObject({ read: 'a text of 15 characters that names no destination' });
  });

  test('as one of several, which is told by its number', () => {
    const error = theOne(errorsOf({ SIGNET_DESTINATION: `otlp,${TOKEN}` }));
    expect(error?.read).toBe('a text of 15 characters that names no destination (number 2)');
  });

  test('in place of an endpoint', () => {
    const env = { SIGNET_DESTINATION: `honeycomb@${TOKEN}`, HONEYCOMB_API_KEY: 'a' };
    expect(theOne(errorsOf(env))?.read).toBe('a text of 15 characters that is no URL');
  });

  test('a profile that is misspelt is', () => {
    const env = { SIGNET_DESTINATION: 'ligthstep@https://host/hunter2' };
    expect(theOne(errorsOf(env))?.read).toBe('"ligthstep"');
  });
});
