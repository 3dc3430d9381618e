// The stylesheet and the texts that are not the ones built in.
import { describe, expect, test } from '@jest/globals';
import { checkConfig } from '../../sidecar/config/load.ts';
import { loadWatched } from '../../sidecar/config/load-watched.ts';
import { configOf, errorsOf, FOUR, sourcesOf, yaml } from '../fixtures/config-sources.ts';
import { lineOf, toldOf } from '../fixtures/told.ts';

const filesOf = (name: 'css_file' | 'texts_file', text: string) => ({
  ...yaml(`pages: { ${name}: own }`),
  '/folder/own': text,
});
const readsOf = (name: 'css_file' | 'texts_file', text: string) =>
  errorsOf({}, filesOf(name, text)).map(({ read }) => read);

test('without files, pages are as they are built in', () => {
  expect(configOf().pages).toEqual({});
});

describe('a stylesheet', () => {
  test('is read from its file', () => {
    expect(configOf({}, filesOf('css_file', 'a {}\n')).pages).toEqual({ css: 'a {}' });
  });

  test('of more than 64 KiB is refused', () => {
    expect(readsOf('css_file', 'a'.repeat(65_536))).toEqual([]);
    expect(readsOf('css_file', 'ä'.repeat(32_769))).toEqual(['a file of 65538 bytes']);
  });

  test.each(['</style>', '</STYLE >'])('that would end its element is refused: %s', (text) => {
    expect(readsOf('css_file', `a {} ${text}<script>`)).toEqual(['a file with </style in it']);
  });

  test('with a NUL, which browsers replace, is refused', () => {
    expect(readsOf('css_file', 'a {}\0')).toEqual([
      'a file with a NUL in it, such as one in UTF-16',
    ]);
  });
});

describe('texts', () => {
  test('are read for each language', () => {
    const text = 'de: { signed_out: Abgemeldet }\npt-BR: { signed_out: Saiu }';
    expect(configOf({}, filesOf('texts_file', text)).pages.texts).toEqual({
      de: { signed_out: 'Abgemeldet' },
      'pt-br': { signed_out: 'Saiu' },
    });
  });

  test('that are wrong are all told at once', () => {
    const text = 'de: { a: 5, b: [c], "d e": f }\n"x y": { a: b }\nfr: Bonjour';
    expect(readsOf('texts_file', text)).toEqual([
      'a text of 3 characters as a key, which is no language',
      'a number at "de.a"',
      'a list of 1 element at "de.b"',
      'a text of 1 character at a text of 3 characters under "de"',
      'a text of 7 characters under "fr"',
    ]);
  });

  test('that are wrong in many places are told by a few of them', () => {
    const text = Array.from({ length: 300 }, (_, at) => `de-${at}: x`).join('\n');
    const reads = readsOf('texts_file', text);
    expect(reads).toHaveLength(6);
    expect(reads.at(-1)).toBe('295 more like these');
  });

  test('that whoever makes the pages finds wrong in many places are told by a few, each bounded', () => {
    const sources = sourcesOf(FOUR, filesOf('texts_file', 'de: { a: b }'), {
      pagesProblems: () => Array.from({ length: 300 }, () => 'x'.repeat(5000)),
    });
    const checked = checkConfig(sources);
    const reads = ('errors' in checked ? checked.errors : []).map(({ read }) => read);
    expect(reads).toEqual([...Array<string>(5).fill('x'.repeat(200)), '295 more like these']);
  });

  test.each([
    'hunter2-secret: x',
    '{ hunter2, abc }',
    'url: hunter2',
    'de: { "hunter2 hunter2": x }',
    'hunter2 : { a: b }',
  ])('that are a secret by mistake are not quoted: %s', (text) => {
    const errors = errorsOf({}, filesOf('texts_file', text));
    expect(errors).not.toEqual([]);
    expect(JSON.stringify(errors)).not.toContain('hunter');
  });

  test.each(['[', '5', '- de', '*a', 'x'.repeat(262_145)])(
    'that are no mapping are refused',
    (text) => {
      expect(readsOf('texts_file', text)).toEqual([
        'a file that is no YAML, or of more than 262144 bytes, or of too many parts',
      ]);
    },
  );
});

describe.each(['css_file', 'texts_file'] as const)('%s', (name) => {
  const RING = 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=';
  const BEARER =
    "bearer: [{ issuer: 'https://b.example.com', audiences: [b], introspection: { client_id: i, client_secret_file: own } }]";
  const DESTINATION =
    "destinations: [{ name: a, endpoint: 'https://a.example.com', headers_file: own }]";

  test.each([
    ['client_secret_file', 'client_secret_file: own', { SIGNET_CLIENT_SECRET: '' }, 'hunter2'],
    ['keys_file', 'keys_file: own', {}, RING],
    ['bearer[0].introspection.client_secret_file', BEARER, {}, 'hunter2'],
    ['destinations[0].headers_file', DESTINATION, { SIGNET_DESTINATION: '' }, 'x-key=hunter2'],
  ])('that is the file of %s is a mistake', (setting, more, env, secret) => {
    const files = { ...yaml(`pages: { ${name}: ./own }\n${more}`), '/folder/own': secret };
    const errors = errorsOf(env as Record<string, string>, files);
    expect(errors).toEqual([
      expect.objectContaining({
        where: `signet.yaml: pages.${name}`,
        read: `what is in the file of signet.yaml: ${setting}`,
      }),
    ]);
  });

  test('that is the file of a secret by another path, or a copy of it, is a mistake', () => {
    const files = { ...yaml(`pages: { ${name}: link }`), '/folder/link': RING, '/ring': RING };
    expect(errorsOf({ SIGNET_KEYS_FILE: '/ring' }, files)).toMatchObject([
      { read: 'what is in the file of SIGNET_KEYS_FILE' },
    ]);
  });

  test.each(['/s/keys', 'signet.yaml'])('that is %s is a mistake', (file) => {
    const files = { ...yaml(`state: /s\npages: { ${name}: ${file} }`), '/s/keys': RING };
    expect(errorsOf({}, files)).toMatchObject([{ read: 'a file of Signet itself' }]);
  });
});

test('what whoever makes the pages finds wrong is a mistake of the settings', () => {
  const sources = sourcesOf(FOUR, filesOf('texts_file', 'de: { nonsense: b }'), {
    pagesProblems: ({ texts }) => Object.keys(texts?.['de'] ?? {}),
  });
  expect(checkConfig(sources)).toMatchObject({ errors: [{ setting: 'pages', read: 'nonsense' }] });
});

test('the files are watched, and told as absolute paths', () => {
  const files = filesOf('css_file', 'a {}');
  const loaded = loadWatched(sourcesOf(FOUR, files), () => 'mark');
  expect([...loaded.files.keys()]).toEqual(['/folder/signet.yaml', '/folder/own']);
  expect(lineOf(toldOf({}, files), 'pages.css_file')?.value).toBe('/folder/own');
});

test('so are the secrets of further providers and of introspection', () => {
  const text = `
providers: [{ issuer: 'https://p.example.com', client_id: p, client_secret_file: one }]
bearer: [{ issuer: 'https://b.example.com', audiences: [b], introspection: { client_id: i, client_secret_file: two } }]`;
  const files = { ...yaml(text), '/folder/one': 'a', '/folder/two': 'b' };
  const loaded = loadWatched(sourcesOf(FOUR, files), () => 'mark');
  expect([...loaded.files.keys()]).toEqual(['/folder/signet.yaml', '/folder/one', '/folder/two']);
});
