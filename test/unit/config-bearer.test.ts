// The issuers of bearer tokens: presets, claims, introspection, and what cannot go together.
import { describe, expect, test } from '@jest/globals';
import { DEFAULT_CLAIM_NAMES } from '../../sidecar/identity/claims.ts';
import { PRESETS } from '../../sidecar/identity/presets.ts';
import { configOf, errorsOf, FOUR, yaml } from '../fixtures/config-sources.ts';

const FILES = { '/folder/secret': 'hunter2' };
const filesOf = (...entries: string[]) => ({
  ...yaml(`bearer: [${entries.join(', ')}]`),
  ...FILES,
});
const bearerIn = (...entries: string[]) => configOf({}, filesOf(...entries)).bearer;
const wrongIn = (...entries: string[]) =>
  errorsOf({}, filesOf(...entries)).map(
    ({ where, read }) => `${where.replace('signet.yaml: ', '')}: ${read}`,
  );
const entry = (host: string, more = '') =>
  `{ issuer: 'https://${host}.example.com', audiences: [a]${more && `, ${more}`} }`;

describe('without a preset', () => {
  test('an issuer is called as its host, and names claims as the top level does', () => {
    const env = yaml(`claims: { user: sub }\nbearer: [${entry('b')}]`);
    expect(configOf({}, env).bearer).toEqual([
      {
        name: 'b.example.com',
        issuer: 'https://b.example.com',
        audiences: ['a'],
        names: { ...DEFAULT_CLAIM_NAMES, user: 'sub' },
      },
    ]);
  });

  test('two of one host are called apart by their paths', () => {
    const names = bearerIn(
      "{ issuer: 'https://k.example.com/realms/a', audiences: [a] }",
      "{ issuer: 'https://k.example.com/realms/b', audiences: [a] }",
    ).map(({ name }) => name);
    expect(names).toEqual(['k.example.com-realms-a', 'k.example.com-realms-b']);
  });

  test('two that differ in a slash only go on working', () => {
    const names = bearerIn(
      "{ issuer: 'https://k.example.com', audiences: [a] }",
      "{ issuer: 'https://k.example.com/', audiences: [a] }",
    ).map(({ name }) => name);
    expect(names).toEqual(['k.example.com', 'k.example.com-3615d507']);
  });

  const K = 'https://k.example.com/realms/';
  const nameOf = (issuer: string, ...before: string[]) =>
    bearerIn(...[...before, issuer].map((one) => `{ issuer: '${one}', audiences: [a] }`)).at(-1)
      ?.name;

  test.each([
    ['is too long', `${K}${'a'.repeat(60)}-beta`, `${K}${'a'.repeat(60)}-alpha`],
    ['has capitals', `${K}Team`, `${K}team`],
    ['has other characters', `${K}a~b`, `${K}a-b`],
    ['has a port', 'https://k.example.com:8443', 'https://k.example.com/8443'],
    ['ends with a slash', `${K}a/`, `${K}a`],
    ['is of http', 'http://localhost/a', 'https://localhost/a'],
  ])('an issuer that %s is called by its hash, too, whatever else there is', (_, issuer, other) => {
    const alone = nameOf(issuer);
    expect(alone).toMatch(/^[a-z0-9][a-z0-9._-]{0,54}-[0-9a-f]{8}$/);
    expect(nameOf(issuer, other)).toBe(alone);
    expect(nameOf(other)).not.toBe(alone);
  });

  test('two that would be called alike are a mistake, and are not numbered', () => {
    const errors = errorsOf(
      {},
      filesOf(...['a/b', 'a-b'].map((path) => `{ issuer: '${K}${path}', audiences: [a] }`)),
    );
    expect(errors).toMatchObject([
      {
        where: 'signet.yaml: bearer[1].name',
        read: 'the name k.example.com-realms-a-b twice',
        mend: 'give each a name of its own by `name`',
      },
    ]);
  });

  test('the issuer of a provider is called as the provider', () => {
    const [own] = bearerIn(`{ issuer: '${FOUR.SIGNET_ISSUER}', audiences: [a] }`);
    expect(own?.name).toBe('main');
  });

  test('the issuer of a further provider names claims as that does', () => {
    const text = `providers: [{ issuer: 'https://b.example.com', client_id: p, client_secret_file: secret, claims: { user: oid } }]\nbearer: [${entry('b')}]`;
    const [own] = configOf({}, { ...yaml(text), ...FILES }).bearer;
    expect(own?.names?.user).toBe('oid');
  });

  test('an issuer has to be given', () => {
    expect(wrongIn('{ audiences: [a] }')).toEqual(['bearer[0].issuer: nothing']);
  });
});

describe('a preset', () => {
  test.each(Object.keys(PRESETS))('%s brings claims, algorithms and types', (name) => {
    const [own] = bearerIn(entry('b', `preset: ${name}`));
    const { claims, algorithms, types, audienceClaim, forPeople } = PRESETS[name] ?? {};
    expect(own?.names).toEqual({ ...DEFAULT_CLAIM_NAMES, ...claims });
    expect(own?.algorithms).toEqual(algorithms);
    expect(own?.types).toEqual(types);
    expect(own?.audienceClaim).toBe(audienceClaim);
    expect(own?.forPeople ?? true).toBe(forPeople);
  });

  test('for people rules the tokens that a provider of it issues, too', () => {
    const files = { ...yaml('preset: cognito\naudiences: [client-1]'), ...FILES };
    const [own] = configOf({}, files).bearer;
    expect(own).toMatchObject({ audiences: ['client-1'], audienceClaim: 'client_id' });
  });

  test('with an issuer needs none', () => {
    const [own] = bearerIn('{ preset: github-actions, audiences: [a] }');
    expect(own).toMatchObject({
      name: 'github-actions',
      issuer: 'https://token.actions.githubusercontent.com',
    });
  });

  test('is won over by what is written', () => {
    const more =
      "preset: kubernetes, algorithms: [ES256], types: [AT+JWT, ''], claims: { user: x }";
    expect(bearerIn(entry('b', more))).toMatchObject([
      { algorithms: ['ES256'], types: ['at+jwt', ''], names: { user: 'x' } },
    ]);
  });
});

test('the claim of the audience is as written, or else as the preset has it', () => {
  const [own, preset, plain] = bearerIn(
    entry('b', 'audience_claim: azp'),
    entry('c', 'preset: cognito'),
    entry('d'),
  );
  const claims = [own, preset, plain].map((one) => one?.audienceClaim);
  expect(claims).toEqual(['azp', 'client_id', undefined]);
});

test('a tolerance is told in seconds, and of more than five minutes refused', () => {
  expect(bearerIn(entry('b', 'clock_tolerance: 90s'))[0]?.toleranceSeconds).toBe(90);
  expect(wrongIn(entry('b', 'clock_tolerance: 6m'))).toEqual(['bearer[0].clock_tolerance: "6m"']);
});

describe('introspection', () => {
  const ask = (more = '') =>
    `introspection: { client_id: i, client_secret_file: secret${more && `, ${more}`} }`;

  test('has the client, its secret, and half a minute of cache', () => {
    const [own] = bearerIn(entry('b', ask()));
    expect(own?.introspection).toMatchObject({ clientId: 'i', cacheMs: 30_000 });
    expect(own?.introspection?.clientSecret.reveal()).toBe('hunter2');
  });

  test('at several issuers needs a prefix at each', () => {
    expect(wrongIn(entry('b', ask()), entry('c', ask('token_prefix: c_')))).toEqual([
      'bearer[0].introspection.token_prefix: nothing',
    ]);
    expect(wrongIn(entry('b', ask()), entry('c', ask()))).toHaveLength(2);
  });

  test('is refused where one prefix begins with another', () => {
    const two = [ask('token_prefix: a_'), ask('token_prefix: a_b')] as const;
    expect(wrongIn(entry('b', two[0]), entry('c', two[1]))).toEqual([
      'bearer[0].introspection.token_prefix: the beginning of another one',
    ]);
  });

  test('by prefixes apart is taken', () => {
    const two = [ask('token_prefix: a_'), ask('token_prefix: b_')] as const;
    expect(wrongIn(entry('b', two[0]), entry('c', two[1]))).toEqual([]);
  });

  test('that is cached for more than an hour is refused', () => {
    expect(wrongIn(entry('b', ask('cache: 61m')))).toEqual([
      'bearer[0].introspection.cache: "61m"',
    ]);
  });

  test('whose secret is no file is told without quoting it', () => {
    const errors = errorsOf(
      {},
      filesOf(entry('b', 'introspection: { client_id: i, client_secret_file: hunter3 }')),
    );
    expect(errors).toMatchObject([
      { where: 'signet.yaml: bearer[0].introspection.client_secret_file' },
    ]);
    expect(JSON.stringify(errors)).not.toContain('hunter3');
  });
});

test('an issuer that stands twice is a mistake', () => {
  expect(wrongIn(entry('b'), entry('b'))).toEqual(['bearer: an issuer twice']);
});
