// The JSON Schema of signet.yaml: it is the one that is committed, says all that there is, refuses nothing
// that Signet takes, and holds for what the documents show.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { isIssuer, parseAddress, parseDuration } from '../../sidecar/config/address.ts';
import { EXPLANATIONS } from '../../sidecar/config/explanations.ts';
import { jsonSchemaText } from '../../sidecar/config/json-schema.ts';
import { checkConfig } from '../../sidecar/config/load.ts';
import { SETTINGS } from '../../sidecar/config/schema.ts';
import { FOUR, sourcesOf } from '../fixtures/config-sources.ts';
import { documentedSettings } from '../fixtures/documented.ts';
import { inFile } from '../fixtures/settings.ts';
import { toldOf } from '../fixtures/told.ts';

type Node = {
  readonly type?: string;
  readonly description?: string;
  readonly pattern?: string;
  readonly additionalProperties?: boolean;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
};

const COMMITTED = new URL('../../deploy/signet.schema.json', import.meta.url);
const schema = JSON.parse(jsonSchemaText()) as Node & z.core.JSONSchema.JSONSchema;
const byEditor = z.fromJSONSchema(schema);

/** Every path with its node; `[]` is an element of a list of sections. */
function pathsOf(node: Node, path = ''): [string, Node][] {
  const below = Object.entries(node.properties ?? {}).flatMap(([name, part]) =>
    pathsOf(part, path === '' ? name : `${path}.${name}`),
  );
  const elements = node.items?.properties === undefined ? [] : pathsOf(node.items, `${path}[]`);
  const isPlace = path !== '' && !path.endsWith('[]');
  return [...(isPlace ? [[path, node] as [string, Node]] : []), ...below, ...elements];
}

const paths = pathsOf(schema);

test('it is the one that is committed: to renew it, signet config --schema > deploy/signet.schema.json', () => {
  expect(readFileSync(COMMITTED, 'utf8')).toBe(jsonSchemaText());
});

test('it is of the draft that editors know for YAML', () => {
  expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
});

test('every setting is explained, and nothing else is', () => {
  expect(Object.keys(EXPLANATIONS).toSorted()).toEqual(paths.map(([path]) => path).toSorted());
});

test.each(paths)('%s says what it is for, in whole sentences', (path, { description }) => {
  expect(description).toMatch(/^[A-Z$][^]*\.$/);
  expect(description).toContain(EXPLANATIONS[path]);
});

test('no section takes an unknown key', () => {
  const sections = paths.map(([, node]) => node.items ?? node).filter((node) => node.properties);
  expect([schema, ...sections].every((node) => node.additionalProperties === false)).toBe(true);
});

test('what is for our own messages is not in it', () => {
  expect(jsonSchemaText()).not.toContain('"kind"');
});

describe('a pattern refuses nothing that Signet takes', () => {
  const patternAt = (path: string) =>
    new RegExp(paths.find(([at]) => at === path)?.[1].pattern ?? '');
  const end = fc.string({ maxLength: 3 });
  const joined = (...parts: fc.Arbitrary<string>[]) =>
    fc.tuple(...parts).map((texts) => texts.join(''));
  const one = (...words: string[]) => fc.constantFrom(...words);

  const times = joined(one('1', '30', '1.5', '007', '.5'), fc.oneof(one('ms', 's', 'm', 'd'), end));
  const schemes = one('https://', 'HTTPS://', 'http://');
  const hosts = one('login.example.com', 'localhost', '[::1]', '127.0.0.1');
  const issuers = joined(schemes, hosts, one('', ':80'), fc.oneof(one('', '/a', '/ä', '?'), end));
  const places = one('unix//run', '/run', './', '[::1]', 'host', '127.0.0.1', '[::');
  const addresses = joined(places, fc.oneof(one('', '/s', ':90', ':65536'), end));

  test.each([
    ['session.idle', times, parseDuration],
    ['bearer[].clock_tolerance', times, parseDuration],
    ['retention.rows', fc.oneof(times, one('forever')), parseDuration],
    ['issuer', issuers, isIssuer],
    ['listen', addresses, parseAddress],
  ] as const)('%s', (path, texts, read) => {
    let taken = 0;
    fc.assert(
      fc.property(texts, (text) => {
        const isTaken = Boolean(read(text));
        if (isTaken) taken += 1;
        return !isTaken || patternAt(path).test(text);
      }),
      { numRuns: 2000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});

test('an editor finds nothing wrong with what Signet takes', () => {
  fc.assert(
    fc.property(inFile, (said) => {
      if (SETTINGS.safeParse(said).success) {
        expect(byEditor.safeParse(said).error?.issues).toBeUndefined();
      }
    }),
    { numRuns: 200 },
  );
});

test.each([
  ['an unknown key', { isuer: 'https://a.example.com' }],
  ['an unknown key in a section', { session: { idel: '8h' } }],
  ['a secret in the text', { client_secret: 'abc' }],
  ['a time without its unit', { session: { idle: '30' } }],
  ['a number for a time', { session: { idle: 30 } }],
  ['a word that is none', { trace: { trust: 'sometimes' } }],
  ['an issuer without a scheme', { issuer: 'login.example.com' }],
  ['a destination without a name', { destinations: [{ endpoint: 'https://a.example.com' }] }],
  ['a profile that nobody knows', { destinations: [{ name: 'a', profile: 'lightstepp' }] }],
  ['a preset that nobody knows', { preset: 'oktaa' }],
  ['a preset for workloads where people sign in', { providers: [{ preset: 'kubernetes' }] }],
  ['a name in capitals', { name: 'Main' }],
  ['a domain with a dot before it', { session: { domain: '.example.com' } }],
  ['a parameter that is no text', { parameters: { max_age: 5 } }],
  ['introspection without a secret', { bearer: [{ introspection: { client_id: 'i' } }] }],
  ['a ratio of more than 1', { sampling: { ratio: 2 } }],
])('an editor finds %s', (_what, said) => {
  expect(byEditor.safeParse(said).success).toBe(false);
});

/** What stands in files that a setting names, told by a part of their names. */
const FILES = [
  ['headers', 'name=value'],
  ['/keys', Buffer.alloc(32, 1).toString('base64')],
  ['-url', 'postgres://signet:dummy@db.example.com/signet'],
  ['texts', 'fr: {}'],
  ['.css', 'a {}'],
] as const;

describe('what the documents show', () => {
  const examples = documentedSettings(Object.keys(schema.properties ?? {}));

  test('is found', () => {
    const files = new Set(examples.map(({ name }) => name.split(':')[0]));
    expect([...files]).toEqual(
      expect.arrayContaining(['README.md', 'deploy/README.md', 'deploy/destinations.md']),
    );
  });

  test.each(examples)('holds for an editor: $name', ({ text }) => {
    expect(byEditor.safeParse(parse(text)).error?.issues).toBeUndefined();
  });

  test.each(examples)('holds for Signet: $name', ({ text }) => {
    const { SIGNET_DESTINATION, ...three } = FOUR;
    const isSent = 'destinations' in (parse(text) as object);
    const readFile = (path: string) => {
      if (path.endsWith('signet.yaml')) return text;
      return FILES.find(([part]) => path.includes(part))?.[1] ?? 'user:token';
    };
    const env = { ...three, ...(!isSent && { SIGNET_DESTINATION }) };
    const checked = checkConfig({ ...sourcesOf(env), readFile });
    const mistakes = 'errors' in checked ? checked.errors : [];
    // Certificates would have to be made first.
    const others = mistakes.filter(({ where }) => !/certificate_file|client_key_file/.test(where));
    expect(others).toEqual([]);
  });
});

const CLAIMS = { user: 'a', team: 'b', team_prefix: 'c', roles: 'd', groups: 'e', type: 'f' };
const INTROSPECTION = { client_id: 'i', client_secret_file: 't', cache: '1m', token_prefix: 'x_' };
const TOKENS = {
  ...{ preset: 'keycloak', name: 'ci', audiences: ['b'], algorithms: ['ES256'], types: ['at+jwt'] },
  ...{ audience_claim: 'client_id', clock_tolerance: '9s', introspection: INTROSPECTION },
};
const PROVIDER = {
  ...{ preset: 'okta', name: 'partners', label: 'Partners', client_id: 'c', sign_out: 'provider' },
  ...{ client_secret_file: 't', scopes: ['openid'], audiences: ['p'] },
  parameters: { hd: 'partner.example.com' },
};

test('every setting is told by `signet config`', () => {
  const destination = {
    ...{ name: 'one', profile: 'honeycomb', protocol: 'grpc', endpoint: 'https://a.example.com' },
    ...{ token_file: 't', headers_file: 'h', certificate_file: 'c', compression: 'gzip' },
    ...{ signals: ['traces'], budget: { spans_per_second: 3, spans_per_day: 9 } },
    ...{ client_certificate_file: 'c', client_key_file: 'c' },
  };
  const said = {
    bearer: [{ ...TOKENS, issuer: 'https://b.example.com', claims: CLAIMS }],
    providers: [{ ...PROVIDER, issuer: 'https://c.example.com', claims: CLAIMS }],
    ...{ parameters: { hd: 'example.com' }, assertion: { issuer: 'https://app.example.com' } },
    session: { store_file: 's', domain: 'example.com', sign_in_host: 'login.example.com' },
    pages: { css_file: 'css', texts_file: 'texts' },
    service: { version: '1', deployment: '2' },
    sampling: { rules: [{ route: 'health', ratio: 0 }] },
    destinations: [destination],
    gate_key_file: 'g',
    keys_file: 'k',
    audit: { store_file: 's' },
  };
  const pages = { css: 'a {}', texts: 'de: { a: b }' };
  const files = { ...pages, t: 'token', h: 'a=b', c: 'c', g: 'k'.repeat(32), k: 'k', s: 's' };
  const inFolder = Object.entries(files).map(([name, text]) => [`/folder/${name}`, text]);
  const told = toldOf(
    { SIGNET_DESTINATION: '', SIGNET_LISTEN: '127.0.0.1:9000' },
    { ...Object.fromEntries(inFolder), '/folder/signet.yaml': stringify(said) },
  );
  // A section is told by what is in it, a rule as one line, and a destination's name is in each of its lines.
  const isTold = ([path, node]: [string, Node]) => {
    const isLeaf = node.properties === undefined && node.items?.properties === undefined;
    if (!isLeaf || path === 'destinations[].name' || path.startsWith('sampling.rules[]'))
      return true;
    const setting = path.replace('destinations[]', 'destinations.one').replace('[]', '[0]');
    // Each parameter has a line of its own.
    return told.settings.some(
      (line) => line.setting === setting || line.setting === `${setting}.hd`,
    );
  };
  expect(paths.filter((entry) => !isTold(entry)).map(([path]) => path)).toEqual([]);
});
