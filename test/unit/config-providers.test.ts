// Several providers for people, each with its preset: what comes of them, and what is refused.
import { describe, expect, test } from '@jest/globals';
import { DEFAULT_CLAIM_NAMES } from '../../sidecar/identity/claims.ts';
import { PRESETS } from '../../sidecar/identity/presets.ts';
import { RESERVED_PARAMETERS } from '../../sidecar/identity/reserved-parameters.ts';
import { configOf, errorsOf, FOUR, yaml } from '../fixtures/config-sources.ts';
import { lineOf, printed, toldOf } from '../fixtures/told.ts';

const FILES = { '/folder/secret': 'hunter2', '/folder/other': 'hunter3' };
const PARTNERS =
  "{ name: partners, issuer: 'https://p.example.com', client_id: p, client_secret_file: secret }";
const STAFF =
  "{ preset: keycloak, issuer: 'https://k.example.com/realms/a', client_id: k, client_secret_file: other }";

const filesOf = (text: string) => ({ ...yaml(text), ...FILES });
const providersIn = (text: string) => configOf({}, filesOf(text)).providers;
const mistakesIn = (text: string, env = {}) => errorsOf(env, filesOf(text));
/** Returns each mistake as `where: read`. */
const wrongIn = (text: string, env = {}) =>
  mistakesIn(text, env).map(({ where, read }) => `${where.replace('signet.yaml: ', '')}: ${read}`);

describe('further providers', () => {
  test('stand behind the one of the top level, in their order', () => {
    const [main, partners, staff] = providersIn(`providers: [${PARTNERS}, ${STAFF}]`);
    expect(main).toMatchObject({ name: 'main', issuer: FOUR.SIGNET_ISSUER });
    expect(partners).toMatchObject({ name: 'partners', clientId: 'p', label: 'p.example.com' });
    expect(staff).toMatchObject({
      name: 'keycloak',
      clientId: 'k',
      label: PRESETS['keycloak']?.label,
    });
    expect(partners?.clientSecret.reveal()).toBe('hunter2');
  });

  test('take nothing over from the top level', () => {
    const text = `claims: { team: department }\nscopes: [openid, x]\nproviders: [${PARTNERS}]`;
    const [main, partners] = providersIn(text);
    expect(main).toMatchObject({ names: { team: 'department' }, scopes: ['openid', 'x'] });
    expect(partners?.names).toEqual(DEFAULT_CLAIM_NAMES);
    expect(partners?.scopes).toEqual(['openid', 'profile', 'email']);
  });

  test('with audiences are issuers of bearer tokens, by their name and their claims', () => {
    const text = `providers: [${PARTNERS.replace('}', ', audiences: [a], claims: { user: sub } }')}]`;
    const { bearer } = configOf({}, filesOf(text));
    expect(bearer).toMatchObject([
      {
        name: 'partners',
        issuer: 'https://p.example.com',
        audiences: ['a'],
        names: { user: 'sub' },
      },
    ]);
  });

  test('lack nothing that they need: all that is missing is said at once', () => {
    expect(wrongIn('providers: [{ name: a }, {}]')).toEqual([
      'providers[0].issuer: nothing',
      'providers[0].client_id: nothing',
      'providers[0].client_secret_file: nothing',
      'providers[1].issuer: nothing',
      'providers[1].client_id: nothing',
      'providers[1].client_secret_file: nothing',
    ]);
  });

  test('are judged one by one: a mistake in one hides none in another', () => {
    const text = `providers: [{ preset: nowhere }, ${PARTNERS.replace('partners', 'P')}]`;
    expect(mistakesIn(text).map(({ where }) => where)).toEqual(
      expect.arrayContaining([
        'signet.yaml: providers[0].preset',
        'signet.yaml: providers[0].issuer',
        'signet.yaml: providers[1].name',
      ]),
    );
  });

  test('whose secret stands in the text are told where it belongs', () => {
    const errors = mistakesIn("providers: [{ name: a, client_secret: 'hunter2' }]");
    expect(errors).toContainEqual(expect.objectContaining({ read: 'a secret in the text' }));
    expect(JSON.stringify(errors)).not.toContain('hunter2');
  });

  test('of several lines of secret are refused without showing it', () => {
    const errors = errorsOf(
      {},
      { ...filesOf(`providers: [${PARTNERS}]`), '/folder/secret': 'hunter\n2' },
    );
    expect(errors).toMatchObject([{ where: 'signet.yaml: providers[0].client_secret_file' }]);
    expect(JSON.stringify(errors)).not.toContain('hunter');
  });
});

describe('a preset', () => {
  const own = (more: string) => providersIn(`preset: google\n${more}`)[0];
  const google = PRESETS['google'];

  test('brings its issuer: none need be given', () => {
    const env = { SIGNET_ISSUER: '', SIGNET_PRESET: 'google' };
    const [main] = configOf(env).providers;
    expect(main).toMatchObject({ issuer: google?.issuer, name: 'google', label: google?.label });
  });

  test.each(Object.keys(PRESETS).filter((name) => PRESETS[name]?.forPeople))(
    '%s brings claims, scopes and parameters, and they are sound',
    (name) => {
      const [main] = configOf({ SIGNET_PRESET: name }).providers;
      const brings = PRESETS[name];
      expect(main.names).toEqual({ ...DEFAULT_CLAIM_NAMES, ...brings?.claims });
      expect(main.scopes).toEqual(['openid', ...(brings?.scopes ?? ['profile', 'email'])]);
      expect(main.parameters).toEqual(brings?.parameters ?? {});
      expect(Object.keys(main.parameters).filter((key) => RESERVED_PARAMETERS.has(key))).toEqual(
        [],
      );
    },
  );

  test('is won over by what is written, key by key', () => {
    const main = own('scopes: [openid]\nclaims: { team: hd }\nlabel: Staff\nname: staff');
    expect(main).toMatchObject({ scopes: ['openid'], label: 'Staff', name: 'staff' });
    expect(main.names).toEqual({ ...DEFAULT_CLAIM_NAMES, ...google?.claims, team: 'hd' });
  });

  test('keeps its parameters beside those that are written', () => {
    expect(own('parameters: { hd: example.com }').parameters).toEqual({
      ...google?.parameters,
      hd: 'example.com',
    });
  });

  test('loses a parameter that is written as an empty text', () => {
    const all = Object.keys({ ...google?.parameters, hd: '' });
    const none = all.map((name) => `${name}: ''`).join(', ');
    expect(own(`parameters: { ${none} }`).parameters).toEqual({});
  });

  test('that nobody knows is refused, and all that there are are named', () => {
    expect(errorsOf({ SIGNET_PRESET: 'oktaa' })).toMatchObject([
      { where: 'SIGNET_PRESET', read: '"oktaa"', allowed: expect.stringContaining('okta, entra') },
    ]);
  });

  test.each(['github-actions', 'kubernetes'])('%s is refused where people sign in', (name) => {
    const text = `providers: [${PARTNERS.replace('{', `{ preset: ${name},`)}]`;
    expect(mistakesIn(text)).toMatchObject([
      { where: 'signet.yaml: providers[0].preset', mend: 'put it under `bearer`' },
    ]);
    expect(errorsOf({ SIGNET_PRESET: name })).toMatchObject([{ where: 'SIGNET_PRESET' }]);
  });
});

describe('a parameter', () => {
  test.each([...RESERVED_PARAMETERS])('%s is Signet’s own, and refused', (name) => {
    expect(wrongIn(`parameters: { ${name}: x }`)).toEqual([
      `parameters: ${name}, which Signet sets itself`,
    ]);
  });

  test.each(['Redirect_URI', 'STATE', 'Client_Secret'])('%s is so in capitals, too', (name) => {
    expect(wrongIn(`parameters: { ${name}: x }`)).toEqual([
      `parameters: ${name}, which Signet sets itself`,
    ]);
  });

  test.each(['none', 'login none', 'None'])(
    'prompt: %s is refused: nobody could sign in',
    (value) => {
      expect(mistakesIn(`parameters: { prompt: ${value} }`)).toMatchObject([
        { where: 'signet.yaml: parameters', read: 'prompt: none, by which nobody could sign in' },
      ]);
    },
  );

  test('prompt may ask for something else, and others may be none', () => {
    const text = 'parameters: { prompt: select_account, display: none }';
    expect(wrongIn(text)).toEqual([]);
  });

  test.each(['api_key', 'client_assertion', 'software_token', 'Tenant_Secret', 'password'])(
    '%s may be a secret, and is told to be set',
    (name) => {
      const told = toldOf({}, yaml(`parameters: { ${name}: hunter2, hd: example.com }`));
      expect(lineOf(told, `parameters.${name}`)).toEqual({
        setting: `parameters.${name}`,
        isSecret: true,
        from: `signet.yaml:1: parameters.${name}`,
      });
      expect(lineOf(told, 'parameters.hd')?.value).toBe('example.com');
      expect(printed(told)).not.toContain('hunter');
    },
  );

  test('that may be a secret is not quoted where it is no text', () => {
    expect(wrongIn('parameters: { api_key: 271828 }')).toEqual(['parameters.api_key: a number']);
  });

  test('with a name that no parameter has is refused without quoting it', () => {
    expect(wrongIn("parameters: { 'a&b=': x }")).toEqual(['parameters: a name that is none']);
  });

  test('that is a number is to be put in quotes', () => {
    expect(mistakesIn('parameters: { max_age: 5 }')).toMatchObject([
      { where: 'signet.yaml: parameters.max_age', mend: 'put it in quotes' },
    ]);
  });
});

describe('a name', () => {
  test('that stands twice is a mistake', () => {
    const other = STAFF.replace('preset: keycloak', 'name: partners');
    expect(wrongIn(`providers: [${PARTNERS}, ${other}]`)).toEqual([
      'providers[1].name: the name partners twice',
    ]);
    expect(wrongIn(`name: partners\nproviders: [${PARTNERS}]`)).toHaveLength(1);
  });

  test('of a provider and of an issuer of bearer tokens are of one kind', () => {
    const text = "bearer: [{ name: main, issuer: 'https://b.example.com', audiences: [b] }]";
    expect(wrongIn(text)).toEqual(['bearer[0].name: the name main twice']);
  });

  test('that two get from one preset is a mistake that names the mend', () => {
    const other = STAFF.replace('k.example.com', 'l.example.com');
    expect(mistakesIn(`providers: [${STAFF}, ${other}]`)).toMatchObject([
      { where: 'signet.yaml: providers[1].name', mend: 'give each a name of its own by `name`' },
    ]);
  });

  test('is its host and path where none is written, and stays so whatever else there is', () => {
    const unnamed = PARTNERS.replace('name: partners, ', '');
    const [, one] = providersIn(`providers: [${unnamed}]`);
    const [, , same] = providersIn(`providers: [${STAFF}, ${unnamed}]`);
    expect([one?.name, same?.name]).toEqual(['p.example.com', 'p.example.com']);
  });
});

test('an issuer that stands twice among providers is a mistake', () => {
  const text = `providers: [${PARTNERS}, ${PARTNERS.replace('partners', 'others')}]`;
  expect(wrongIn(text)).toEqual(['providers[1].issuer: https://p.example.com, twice']);
});

describe('`signet config`', () => {
  const told = toldOf({ SIGNET_ISSUER: '' }, filesOf(`preset: google\nproviders:\n  - ${STAFF}\n`));

  test('says which values are of the preset', () => {
    expect(lineOf(told, 'issuer')).toEqual({
      setting: 'issuer',
      value: 'https://accounts.google.com',
      from: 'default of the preset google',
    });
    expect(lineOf(told, 'providers[0].label')?.from).toBe('default of the preset keycloak');
    expect(lineOf(told, 'preset')?.from).toBe('signet.yaml:1: preset');
  });

  test('tells a further provider with all that holds, and of its secret that it is there', () => {
    expect(lineOf(told, 'providers[0].client_id')?.from).toBe(
      'signet.yaml:3: providers[0].client_id',
    );
    expect(lineOf(told, 'providers[0].client_secret_file')).toMatchObject({ isSecret: true });
    expect(lineOf(told, 'providers[0].claims.team')).toMatchObject({ value: 'team' });
    expect(printed(told)).not.toContain('hunter');
  });
});

describe('user names', () => {
  const SAID = /user names are unique within an issuer only.*idp:/;

  test('of several issuers are warned of', () => {
    const { warnings } = configOf({}, filesOf(`providers: [${PARTNERS}]`));
    expect(warnings).toEqual([expect.stringMatching(SAID)]);
    const tokens = "bearer: [{ issuer: 'https://b.example.com', audiences: [b] }]";
    expect(configOf({}, yaml(tokens)).warnings).toEqual([expect.stringMatching(SAID)]);
  });

  test('of one issuer, for people and tokens, are not', () => {
    expect(configOf({ SIGNET_AUDIENCE: 'a' }).warnings).toEqual([]);
  });
});
