import { describe, expect, test } from '@jest/globals';
import { formatConfigErrors, nearest } from '../../sidecar/config/errors.ts';
import { checkConfig, loadConfig } from '../../sidecar/config/load.ts';
import { Fault } from '../../sidecar/fault.ts';
import { DEFAULT_CLAIM_NAMES } from '../../sidecar/identity/claims.ts';
import { configOf, errorsOf, FOUR, sourcesOf } from '../fixtures/config-sources.ts';

const yaml = (text: string) => ({ '/folder/signet.yaml': text });

/** Nine times nine times … a word. */
function bomb(): string {
  const nine = (word: string) => `[${Array.from({ length: 9 }, () => word).join(', ')}]`;
  const lists = ['a', 'b', 'c', 'd'].map((name, at, all) => {
    return `${name}: &${name} ${nine(at === 0 ? 'x' : `*${all[at - 1]}`)}`;
  });
  return lists.join('\n');
}

describe('four settings', () => {
  test('issuer, client id, client secret and destination are enough', () => {
    const config = configOf();
    expect(config.providers[0].clientSecret.reveal()).toBe(FOUR.SIGNET_CLIENT_SECRET);
    expect(JSON.parse(JSON.stringify(config))).toEqual({
      providers: [
        {
          name: 'main',
          label: 'login.example.com',
          issuer: 'https://login.example.com',
          clientId: 'signet',
          clientSecret: '[secret]',
          scopes: ['openid', 'profile', 'email'],
          names: DEFAULT_CLAIM_NAMES,
          parameters: {},
          signOut: 'local',
        },
      ],
      hosts: [],
      bearer: [],
      session: { idleMs: 8 * 3_600_000, absoluteMs: 24 * 3_600_000, recheckMs: 600_000 },
      cookie: { kind: 'host' },
      pages: {},
      trace: { trust: 'bearer' },
      resource: { 'service.name': 'caddy', 'deployment.environment.name': 'production' },
      listen: { socket: '/home/signet/.local/state/signet/sidecar.sock' },
      health: { host: '127.0.0.1', port: 9465 },
      accessLog: '/home/signet/.local/state/signet/access.log',
      stateFolder: '/home/signet/.local/state/signet',
      headsFile: '/home/signet/.local/state/signet/heads.jsonl',
      destinations: [],
      retention: { rowsMs: 400 * 86_400_000, undeliveredMs: 30 * 86_400_000 },
      sampling: { ratio: 1, rules: [], slowUs: 2_000_000 },
      redactQuery: [],
      clientAddress: 'keep',
      logLevel: 'info',
      warnings: [],
    });
  });

  test('none of them given is four mistakes, each with the name of its variable', () => {
    const checked = checkConfig(sourcesOf({}));
    const where = 'errors' in checked ? checked.errors.map((error) => error.where) : [];
    expect(where).toEqual([
      'SIGNET_ISSUER (or issuer in signet.yaml)',
      'SIGNET_CLIENT_ID (or client_id in signet.yaml)',
      'SIGNET_CLIENT_SECRET',
      'SIGNET_DESTINATION (or destinations in signet.yaml)',
    ]);
  });

  test('an empty variable is one that is not given', () => {
    expect(errorsOf({ SIGNET_ISSUER: ' ' })).toMatchObject([{ read: 'nothing' }]);
  });

  test('all of them may come from the file, the secrets from files that it names', () => {
    const files = {
      ...yaml(`
issuer: http://localhost:8444
client_id: signet
client_secret_file: secrets/client
destinations: []
`),
      '/folder/secrets/client': 's3cret\n',
    };
    const config = loadConfig(sourcesOf({}, files));
    expect(config.providers[0].clientSecret.reveal()).toBe('s3cret');
    expect(config.providers[0].issuer).toBe('http://localhost:8444');
  });
});

describe('every mistake at once', () => {
  test('three mistakes give three messages, in one Fault with ERR_CONFIG', () => {
    const env = {
      SIGNET_CLIENT_ID: 'signet',
      SIGNET_CLIENT_SECRET: 'x',
      SIGNET_TRACE_TRUST: 'all',
    };
    const sources = sourcesOf({ ...env, SIGNET_DESTINATION: 'lightstep' });
    const fault = (() => {
      try {
        return loadConfig(sources);
      } catch (error) {
        return error;
      }
    })();
    expect(fault).toBeInstanceOf(Fault);
    expect(fault).toMatchObject({ code: 'ERR_CONFIG' });
    const message = (fault as Fault).message;
    expect(message).toContain('3 settings need mending.');
    expect(message).toContain('SIGNET_TRACE_TRUST\n    read:    "all"\n    allowed: ');
    expect(message).toContain('bearer, authenticated, always, never');
    expect(message).toContain('SIGNET_ISSUER (or issuer in signet.yaml)');
    expect(message).toContain('LIGHTSTEP_ACCESS_TOKEN');
  });

  test('mistakes of every kind are told together', () => {
    const files = yaml('session: { idle: soon }\nisuer: x\nclient_secret: hunter2\n');
    const errors = errorsOf({ SIGNET_SOKET: '/s', SIGNET_KEYS_FILE: '/nowhere' }, files);
    expect(errors.map(({ where }) => where).toSorted()).toEqual([
      'SIGNET_KEYS_FILE',
      'SIGNET_SOKET',
      'signet.yaml: client_secret',
      'signet.yaml: isuer',
      'signet.yaml: session.idle',
    ]);
  });

  test.each([
    ["hosts: ['']", 'hosts[0]'],
    ["issuer: ''", 'issuer'],
  ])('%s breaks two rules, and is one mistake that hides no other', (text, setting) => {
    const env = { SIGNET_ISSUER: '', SIGNET_CLIENT_ID: '' };
    const rest = 'sampling: { rules: [{ decision: deny, ratio: 0 }] }';
    const sound = { issuer: 'https://a', client_id: 'a' };
    const others = Object.entries(sound).filter(([name]) => name !== setting);
    const lines = [text, rest, ...others.map(([name, value]) => `${name}: ${value}`)];
    expect(errorsOf(env, yaml(lines.join('\n'))).map(({ where }) => where)).toEqual([
      `signet.yaml: ${setting}`,
      'signet.yaml: sampling.rules[0].decision',
    ]);
  });

  test.each([
    ['session: { idle: soon, absolute: 1h }', {}, 'session.idle'],
    ['listen: 5', { SIGNET_GATE_KEY: 'k'.repeat(32) }, 'listen'],
    ['client_secret_file: {}', { SIGNET_CLIENT_SECRET: '' }, 'client_secret_file'],
  ])('what follows from a mistake is no second one: %s', (text, env: object, setting) => {
    const errors = errorsOf({ ...env }, yaml(text));
    expect(errors.map(({ where }) => where)).toEqual([`signet.yaml: ${setting}`]);
  });

  test('an issuer of bearer tokens that is wrong hides no issuer that stands twice', () => {
    const same = "{ issuer: 'https://b', audiences: [a] }";
    const errors = errorsOf({}, yaml(`bearer: [{ issuer: 5 }, ${same}, ${same}]`));
    expect(errors.map(({ where }) => where)).toContain('signet.yaml: bearer');
  });

  test('no message shows a secret', () => {
    const files = {
      ...yaml(
        'client_secret: hunter2\nkeys: hunter2\ndestinations:\n  - { name: a, token: hunter2 }\n',
      ),
      '/folder/short': 'hunter2',
    };
    const env = {
      SIGNET_LISTEN: '127.0.0.1:0',
      SIGNET_GATE_KEY: 'hunter2',
      SIGNET_KEYS: 'hunter2',
      SIGNET_DESTINATION: 'otlp@https://joe:hunter2@collector:4317,lightstep',
      LIGHTSTEP_ACCESS_TOKEN: 'hunter2 é',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization hunter2',
    };
    const errors = errorsOf(env, files);
    expect(errors.length).toBeGreaterThan(6);
    expect(formatConfigErrors(errors)).not.toContain('hunter2');
  });

  test('a file that is no YAML is told by its line, without quoting it', () => {
    const [error, ...others] = errorsOf({}, yaml('issuer: a\nclient_secret: "hunter2\n'));
    expect(others).toEqual([]);
    expect(error?.where).toBe('signet.yaml');
    expect(error?.read).toMatch(/^line 3, column 1: /);
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });

  test('a setting is not called missing when the file that may hold it can not be read', () => {
    const checked = checkConfig(sourcesOf({}, yaml('issuer: [')));
    expect(
      'errors' in checked && checked.errors.every(({ where }) => where === 'signet.yaml'),
    ).toBe(true);
  });

  test('a file that is a list, or a text, is a mistake', () => {
    expect(errorsOf({}, yaml('- a\n'))).toMatchObject([{ where: 'signet.yaml' }]);
    expect(errorsOf({}, yaml('hello'))).toMatchObject([{ where: 'signet.yaml' }]);
  });

  test.each([
    ['a list within itself', 'hosts: &a [*a]'],
    ['a mapping within itself', 'service: &a\n  name: *a'],
    ['an alias that leads nowhere', 'client_id: *nobody'],
    ['aliases of aliases', bomb()],
    ['twenty lists in lists', `hosts: ${'['.repeat(20)}${']'.repeat(20)}`],
    ['a thousand lists in lists', `hosts: ${'['.repeat(1000)}${']'.repeat(1000)}`],
  ])('a file with %s is a mistake', (_what, text) => {
    const errors = errorsOf({}, yaml(text));
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.every(({ where }) => where === 'signet.yaml')).toBe(true);
    expect(() => loadConfig(sourcesOf(FOUR, yaml(text)))).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG' }),
    );
  });

  test('an alias of what stands before it is none', () => {
    const text = 'service: { name: &name edge, version: *name }';
    expect(configOf({}, yaml(text)).resource).toMatchObject({ 'service.version': 'edge' });
  });

  test('of a file with many mistakes in its form the first few are told', () => {
    expect(errorsOf({}, yaml('[\n'.repeat(300))).length).toBeLessThan(10);
  });

  test('an empty file is a file that says nothing', () => {
    expect(errorsOf({}, yaml('# nothing yet\n'))).toEqual([]);
  });

  test('a file that SIGNET_CONFIG names has to be there', () => {
    expect(errorsOf({ SIGNET_CONFIG: 'other.yaml' })).toMatchObject([{ where: 'SIGNET_CONFIG' }]);
  });
});

describe('unknown names', () => {
  test('an unknown key is named with the nearest known one', () => {
    expect(errorsOf({}, yaml('session: { idel: 1h }'))).toMatchObject([
      { where: 'signet.yaml: session.idel', mend: 'the nearest known one is idle' },
    ]);
  });

  test('an unknown SIGNET_ variable is named with the nearest known one', () => {
    expect(errorsOf({ SIGNET_CLIENT_SECRT: 'x' })).toMatchObject([
      { where: 'SIGNET_CLIENT_SECRT', mend: 'the nearest known one is SIGNET_CLIENT_SECRET' },
    ]);
  });

  test.each([
    ['the Caddyfile', 'SIGNET_HOST'],
    ['the Caddyfile', 'SIGNET_UPSTREAM'],
    ['the local stack', 'SIGNET_LOCAL_PORT'],
    ['Kubernetes, for a service called signet', 'SIGNET_SERVICE_HOST'],
    ['Kubernetes, for a service called signet', 'SIGNET_PORT_9465_TCP_ADDR'],
  ])('a variable of %s is passed over: %s', (_whose, name) => {
    expect(errorsOf({ [name]: 'x' })).toEqual([]);
  });

  test('the nearest word is the one with the fewest edits', () => {
    expect(nearest('idel', ['absolute', 'idle'])).toBe('idle');
    expect(nearest('x', [])).toBeUndefined();
  });
});

describe('environment over file', () => {
  test('a variable wins over the file', () => {
    const config = configOf({ SIGNET_AUDIENCE: 'a, b' }, yaml('issuer: ftp://x\naudiences: [c]\n'));
    expect(config.providers[0].issuer).toBe('https://login.example.com');
    expect(config.bearer).toMatchObject([
      { issuer: 'https://login.example.com', audiences: ['a', 'b'] },
    ]);
  });

  test('a secret given both ways is a contradiction', () => {
    expect(errorsOf({ SIGNET_CLIENT_SECRET_FILE: '/x' })).toMatchObject([
      { where: 'SIGNET_CLIENT_SECRET and SIGNET_CLIENT_SECRET_FILE' },
    ]);
  });

  test('the resource is named by OTEL_SERVICE_NAME, then by attributes, then by the file', () => {
    const env = {
      OTEL_RESOURCE_ATTRIBUTES:
        'service.name=edge,service.version=2,deployment.environment.name=test,k8s.pod=a%20b',
      OTEL_SERVICE_NAME: 'front',
      SIGNET_ENVIRONMENT: 'staging',
    };
    expect(configOf(env, yaml('service: { version: "1" }')).resource).toEqual({
      'service.name': 'front',
      'service.version': '2',
      'deployment.environment.name': 'staging',
      'k8s.pod': 'a b',
    });
  });
});

describe('secret files', () => {
  const withFile = { ...FOUR, SIGNET_CLIENT_SECRET: '', SIGNET_CLIENT_SECRET_FILE: './secret' };

  test('a secret file that is not there is named by its variable and path', () => {
    expect(errorsOf(withFile)).toMatchObject([
      { where: 'SIGNET_CLIENT_SECRET_FILE', read: '"./secret", a file that is not there' },
    ]);
  });

  test('an empty secret file is a mistake', () => {
    expect(errorsOf(withFile, { '/folder/secret': '\n' })).toMatchObject([
      { read: '"./secret", an empty file' },
    ]);
  });

  test('the newline at the end of a secret file is no part of the secret', () => {
    expect(
      configOf(withFile, { '/folder/secret': 's3cret\n' }).providers[0].clientSecret.reveal(),
    ).toBe('s3cret');
  });
});

describe('where it listens', () => {
  const key = 'k'.repeat(32);

  test.each([
    ['unix//run/signet/sidecar.sock', '/run/signet/sidecar.sock'],
    ['/run/signet/sidecar.sock', '/run/signet/sidecar.sock'],
    ['./sidecar.sock', '/folder/sidecar.sock'],
  ])('SIGNET_SOCKET may be %s', (written, socket) => {
    expect(configOf({ SIGNET_SOCKET: written }).listen).toEqual({ socket });
  });

  test('TCP needs a gate key of 32 characters', () => {
    const env = { SIGNET_LISTEN: '[::1]:9464', SIGNET_GATE_KEY: key };
    expect(configOf(env).listen).toMatchObject({ host: '::1', port: 9464 });
    expect(errorsOf({ SIGNET_LISTEN: '[::1]:9464' })).toHaveLength(1);
    expect(errorsOf({ ...env, SIGNET_GATE_KEY: 'short' })).toMatchObject([
      { read: 'a key of 5 characters' },
    ]);
  });

  test('a gate key and a unix socket contradict each other', () => {
    expect(errorsOf({ SIGNET_SOCKET: '/s', SIGNET_GATE_KEY: key })).toMatchObject([
      { where: 'SIGNET_SOCKET', read: 'a unix socket, and a gate key' },
    ]);
  });

  test('two addresses contradict each other', () => {
    const env = { SIGNET_SOCKET: '/s', SIGNET_LISTEN: '127.0.0.1:1', SIGNET_GATE_KEY: key };
    expect(errorsOf(env)).toMatchObject([{ where: 'SIGNET_SOCKET and SIGNET_LISTEN' }]);
  });

  test("a socket's path has at most 106 bytes", () => {
    expect(errorsOf({ SIGNET_SOCKET: `/${'a'.repeat(105)}` })).toEqual([]);
    expect(errorsOf({ SIGNET_SOCKET: `/${'a'.repeat(104)}é` })).toMatchObject([
      { where: 'SIGNET_SOCKET', mend: 'set SIGNET_SOCKET to a shorter path' },
    ]);
  });

  test('health is on loopback only', () => {
    expect(configOf({ SIGNET_HEALTH: 'localhost:0' }).health).toEqual({
      host: 'localhost',
      port: 0,
    });
    expect(errorsOf({ SIGNET_HEALTH: '0.0.0.0:9465' })).toMatchObject([{ where: 'SIGNET_HEALTH' }]);
  });
});

describe('where it writes', () => {
  test('root has the system folders', () => {
    const config = checkConfig(sourcesOf(FOUR, {}, { isRoot: true }));
    expect(config).toMatchObject({
      config: {
        stateFolder: '/var/lib/signet',
        accessLog: '/var/log/caddy/signet-access.log',
        listen: { socket: '/run/signet/sidecar.sock' },
      },
    });
  });

  test("systemd's state folder comes before XDG's, and a setting before both", () => {
    const env = { STATE_DIRECTORY: '/var/lib/a:/var/lib/b', XDG_STATE_HOME: '/xdg' };
    expect(configOf(env).stateFolder).toBe('/var/lib/a');
    expect(configOf({ XDG_STATE_HOME: '/xdg' }).stateFolder).toBe('/xdg/signet');
    expect(configOf({ ...env, SIGNET_STATE: 'here' }).stateFolder).toBe('/folder/here');
  });

  test('heads of the chain go to a file in the state folder, or where a setting says', () => {
    expect(configOf({ SIGNET_STATE: '/s' }).headsFile).toBe('/s/heads.jsonl');
    const files = yaml('audit: { heads_file: there/heads }');
    expect(configOf({}, files).headsFile).toBe('/folder/there/heads');
    expect(configOf({ SIGNET_HEADS_FILE: '/h' }, files).headsFile).toBe('/h');
  });
});

describe('issuers', () => {
  test.each([
    'http://login.example.com',
    'https://login.example.com/?a=b',
    'https://joe:pw@login.example.com',
    'login.example.com',
  ])('%s is no issuer', (issuer) => {
    expect(errorsOf({ SIGNET_ISSUER: issuer })).toMatchObject([{ where: 'SIGNET_ISSUER' }]);
  });

  test('an issuer of bearer tokens has audiences, and algorithms with public keys only', () => {
    const files = yaml(`
bearer:
  - issuer: https://ci.example.com
    audiences: []
  - { issuer: https://b.example.com, audiences: [x], algorithms: [HS256] }
`);
    expect(errorsOf({}, files).map(({ where }) => where)).toEqual([
      'signet.yaml: bearer[0].audiences',
      'signet.yaml: bearer[1].algorithms[0]',
    ]);
  });

  test('an issuer that stands twice is a contradiction', () => {
    const files = yaml('bearer: [{ issuer: https://login.example.com, audiences: [x] }]');
    expect(configOf({}, files).bearer).toHaveLength(1);
    expect(errorsOf({ SIGNET_AUDIENCE: 'y' }, files)).toMatchObject([{ read: 'an issuer twice' }]);
  });
});

describe('values', () => {
  test('an idle lifetime is at most the absolute one', () => {
    expect(errorsOf({}, yaml('session: { idle: 2d }'))).toMatchObject([
      { where: 'signet.yaml: session.idle', read: '2d' },
    ]);
  });

  test.each([
    ['session: { idle: 30 }', 'write 30s'],
    ["session: { idle: '30' }", 'write 30s'],
    ['sampling: { slow: 2 }', 'write 2s'],
    ["sampling: { slow: '2' }", 'write 2s'],
    ['sampling: { slow: 0.5 }', 'write 0.5s'],
  ])('%s is told to have a unit, not quotes', (text, mend) => {
    const errors = errorsOf({}, yaml(text));
    expect(errors).toMatchObject([{ mend: `${mend}, or with another unit: ms, m, h or d` }]);
  });

  test.each(['sampling: { slow: 0 }', 'sampling: { slow: -2 }', 'sampling: { slow: soon }'])(
    'for %s there is no number to give a unit to',
    (text) => {
      const [error] = errorsOf({}, yaml(text));
      expect(error).toMatchObject({ where: 'signet.yaml: sampling.slow' });
      expect(error).not.toHaveProperty('mend');
    },
  );

  test('a number where a text belongs is told to be put in quotes', () => {
    expect(errorsOf({}, yaml('service: { version: 1.20 }'))).toMatchObject([
      { where: 'signet.yaml: service.version', read: '1.2', mend: 'put it in quotes' },
    ]);
  });

  test.each(['keep', 'truncate', 'hash'])('client addresses may be kept by %j', (kind) => {
    expect(configOf({ SIGNET_CLIENT_ADDRESS: kind }).clientAddress).toBe(kind);
    const files = yaml(`privacy: { client_address: ${kind} }`);
    expect(configOf({}, files).clientAddress).toBe(kind);
  });

  test('there is no fourth way of keeping client addresses', () => {
    expect(errorsOf({ SIGNET_CLIENT_ADDRESS: 'none' })).toMatchObject([
      { where: 'SIGNET_CLIENT_ADDRESS', allowed: expect.stringContaining('keep, truncate, hash') },
    ]);
  });

  test('hosts are names without a scheme, and compared in lower case', () => {
    expect(configOf({ SIGNET_HOSTS: 'App.example.com,b:8443' }).hosts).toEqual([
      'app.example.com',
      'b:8443',
    ]);
    expect(errorsOf({ SIGNET_HOSTS: 'https://a' })).toMatchObject([{ where: 'SIGNET_HOSTS' }]);
  });

  test('a value of the wrong kind in place of a section is named, and hides nothing else', () => {
    const errors = errorsOf({ SIGNET_LOG_LEVEL: 'loud' }, yaml('service: caddy\nscopes: [email]'));
    expect(errors.map(({ where }) => where)).toEqual([
      'signet.yaml: scopes',
      'signet.yaml: service',
      'SIGNET_LOG_LEVEL',
    ]);
  });

  test('what stands in place of a section is not quoted: it may be the secret of one of its settings', () => {
    const errors = errorsOf({}, yaml('audit: host=db password=hunter2\nlog: [hunter2]\ntrace:\n'));
    expect(errors.map(({ read }) => read)).toEqual([
      'nothing',
      'a text in place of a section',
      'a list in place of a section',
    ]);
  });
});
