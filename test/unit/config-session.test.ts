// How long sessions live, where they are, for which hosts, and who vouches to the app.
import { describe, expect, test } from '@jest/globals';
import { loadSessionPlaces } from '../../sidecar/config/load.ts';
import { configOf, errorsOf, FOUR, sourcesOf, yaml } from '../fixtures/config-sources.ts';
import { lineOf, printed, toldOf } from '../fixtures/told.ts';

const cookieIn = (text: string) => configOf({}, yaml(text)).cookie;
const wrongIn = (text: string) =>
  errorsOf({}, yaml(text)).map(
    ({ where, read }) => `${where.replace('signet.yaml: ', '')}: ${read}`,
  );

describe('recheck', () => {
  const recheckMs = (text: string) => configOf({}, yaml(text)).session.recheckMs;

  test('is every ten minutes unless something else is said', () => {
    expect(recheckMs('')).toBe(600_000);
    expect(recheckMs('session: { recheck: 90s }')).toBe(90_000);
  });

  test('never is none', () => {
    expect(recheckMs('session: { recheck: never }')).toBeUndefined();
  });

  test('that would come after the session ends is a mistake', () => {
    expect(wrongIn('session: { recheck: 25h }')).toEqual(['session.recheck: 25h']);
  });

  test('that nobody wrote is none, however short a session is', () => {
    expect(wrongIn('session: { idle: 1m, absolute: 5m }')).toEqual([]);
  });

  test('more often than once a second is refused', () => {
    expect(wrongIn('session: { recheck: 500ms }')).toEqual(['session.recheck: "500ms"']);
  });
});

describe('the store', () => {
  const URL = 'postgresql://signet:hunter2@db.example.com/sessions';
  const RING = Buffer.alloc(32, 7).toString('base64');

  test.each([
    ['a variable', { SIGNET_SESSION_STORE: URL }, {}],
    ['the file of a variable', { SIGNET_SESSION_STORE_FILE: '/url' }, { '/url': `${URL}\n` }],
    ['a file in signet.yaml', {}, { ...yaml('session: { store_file: url }'), '/folder/url': URL }],
  ])('is given by %s', (_how, env, files) => {
    expect(configOf(env, files as Record<string, string>).sessionStore?.reveal()).toBe(URL);
  });

  test('is a file in the state folder unless it is given', () => {
    expect(configOf().sessionStore).toBeUndefined();
  });

  test('is not the store of the record', () => {
    expect(configOf({ SIGNET_SESSION_STORE: URL }).auditStore).toBeUndefined();
  });

  test('that is no PostgreSQL URL is refused by its own name, without quoting it', () => {
    const errors = errorsOf({ SIGNET_SESSION_STORE: 'redis://:hunter2@r.example.com' });
    expect(errors).toMatchObject([{ where: 'SIGNET_SESSION_STORE (or its file)' }]);
    expect(JSON.stringify(errors)).not.toContain('hunter2');
  });

  test('is told to be there, and no more', () => {
    const told = toldOf({ SIGNET_SESSION_STORE: URL });
    expect(lineOf(told, 'session.store_file')).toEqual({
      setting: 'session.store_file',
      isSecret: true,
      from: 'SIGNET_SESSION_STORE',
    });
    expect(printed(told)).not.toContain('hunter2');
  });

  test('that is shared needs a ring that is: one of the state folder is warned of', () => {
    expect(configOf({ SIGNET_SESSION_STORE: URL }).warnings).toEqual([
      expect.stringContaining('several sidecars need one ring, by keys_file or SIGNET_KEYS'),
    ]);
    expect(configOf().warnings).toEqual([]);
  });

  test.each([
    ['SIGNET_KEYS', { SIGNET_KEYS: RING }, {}],
    ['the file that SIGNET_KEYS_FILE names', { SIGNET_KEYS_FILE: '/ring' }, { '/ring': RING }],
    ['keys_file', {}, { ...yaml('keys_file: /ring'), '/ring': RING }],
  ])('with the ring by %s is not warned of', (_how, env, files) => {
    const all = { SIGNET_SESSION_STORE: URL, ...env };
    expect(configOf(all, files as Record<string, string>).warnings).toEqual([]);
  });

  test('is found without a provider, for commands that look at sessions', () => {
    const places = loadSessionPlaces(sourcesOf({ SIGNET_SESSION_STORE: URL, SIGNET_STATE: '/s' }));
    expect(places.stateFolder).toBe('/s');
    expect(places.sessionStore?.reveal()).toBe(URL);
  });

  test('is found with the key ring, and the file that this stands in', () => {
    const ring = 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=';
    const files = { ...yaml('keys_file: ring'), '/folder/ring': `${ring}\n` };
    const places = loadSessionPlaces(sourcesOf({}, files));
    expect(places).toMatchObject({ keysFile: '/folder/ring' });
    expect(places.keys?.reveal()).toBe(ring);
    expect(loadSessionPlaces(sourcesOf({ SIGNET_KEYS: ring })).keysFile).toBeUndefined();
  });

  test('is not looked for elsewhere when its URL is wrong', () => {
    const sources = sourcesOf({ ...FOUR, SIGNET_SESSION_STORE: 'db.example.com' });
    expect(() => loadSessionPlaces(sources)).toThrow('SIGNET_SESSION_STORE');
  });
});

describe('the cookie', () => {
  test('is for each host by itself unless something else is said', () => {
    expect(cookieIn('hosts: [a.example.com]')).toEqual({ kind: 'host' });
  });

  test('may be for all hosts below a domain', () => {
    const text = 'hosts: [a.example.com, "Example.com:8443"]\nsession: { domain: Example.com }';
    expect(cookieIn(text)).toEqual({ kind: 'domain', domain: 'example.com' });
  });

  test.each(['a.example.org', 'notexample.com', 'com'])(
    'for a domain that a host is not within is a mistake: %s',
    (host) => {
      const text = `hosts: [a.example.com, ${host}]\nsession: { domain: example.com }`;
      expect(errorsOf({}, yaml(text))).toMatchObject([
        {
          where: 'signet.yaml: session.domain',
          allowed: expect.stringContaining(`; ${host} would`),
        },
      ]);
    },
  );

  test('is not for a domain alone: hosts say what it is for', () => {
    const text = 'session: { domain: example.com }';
    expect(wrongIn(text)).toEqual(['session.domain: example.com, and no hosts']);
    expect(errorsOf({ SIGNET_HOSTS: 'a.example.com' }, yaml(text))).toEqual([]);
  });

  test.each(['domain: example.com', 'sign_in_host: a.example.com'])(
    'is not judged by hosts that were refused: %s',
    (setting) => {
      const wrong = wrongIn(`hosts: [a b]\nsession: { ${setting} }`);
      expect(wrong).toEqual([expect.stringMatching(/^hosts/)]);
    },
  );

  test.each(['com', '.example.com', 'localhost', '192.0.2.1', 'example.com:8443', 'a..b'])(
    'is not for %s, for which no browser takes one',
    (domain) => {
      expect(wrongIn(`session: { domain: '${domain}' }`)).toEqual([`session.domain: "${domain}"`]);
    },
  );

  test('may be handed out by one of the hosts', () => {
    const text =
      'hosts: [a.example.com, login.example.org]\nsession: { sign_in_host: Login.example.org }';
    expect(cookieIn(text)).toEqual({ kind: 'central', host: 'login.example.org' });
  });

  test('is not handed out by a host that is none of them', () => {
    const more = 'session: { sign_in_host: login.example.org }';
    expect(wrongIn(more)).toEqual(['session.sign_in_host: login.example.org, and no hosts']);
    expect(wrongIn(`hosts: [a.example.com]\n${more}`)).toEqual([
      'session.sign_in_host: login.example.org',
    ]);
  });

  test('is not both', () => {
    const text =
      'hosts: [a.example.com]\nsession: { domain: example.com, sign_in_host: a.example.com }';
    expect(wrongIn(text)).toEqual(['session: domain and sign_in_host']);
  });
});

describe('the assertion', () => {
  test('is off unless it has an issuer', () => {
    expect(configOf().assertion).toBeUndefined();
    const text = 'assertion: { issuer: https://app.example.com }';
    expect(configOf({}, yaml(text)).assertion).toEqual({ issuer: 'https://app.example.com' });
  });

  test('is of nobody who issues tokens himself', () => {
    expect(wrongIn(`assertion: { issuer: ${FOUR.SIGNET_ISSUER} }`)).toEqual([
      'assertion.issuer: https://login.example.com, which issues tokens itself',
    ]);
  });
});
