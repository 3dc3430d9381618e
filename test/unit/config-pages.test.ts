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
    const text = 'de: { a: 5, b: [c] }\n"x y": { a: b }\nfr: Bonjour';
    expect(readsOf('texts_file', text)).toEqual([
      'a number at "de.a"',
      'a list of 1 element at "de.b"',
      '"x y", which is no language',
      'a text of 7 characters under "fr"',
    ]);
  });

  test.each(['[', '5', '- de', '*a', 'x'.repeat(262_145)])(
    'that are no mapping are refused',
    (text) => {
      expect(readsOf('texts_file', text)).toEqual([
        'a file that is no YAML, or of more than 262144 bytes',
      ]);
    },
  );
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
