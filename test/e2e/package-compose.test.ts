// compose.yaml, as far as it can be held without a container engine: what it names is there, both sides mean
// the same socket and the same log, nobody has more rights than it takes, and no secret stands in it.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { findCaddy } from '../../caddy/find.ts';
import { CADDY_ADVISED } from '../../sidecar/edge/version.ts';
import { healthCheckCommand, imageVariables, restsOf } from '../fixtures/package-containerfile.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(ROOT, 'deploy/compose');

/** A folder of the host's, in compose's long form. */
type Bind = {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly read_only: boolean;
  readonly bind: { readonly create_host_path: boolean };
};

type Service = {
  readonly image: string;
  readonly user: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly (string | Bind)[];
  readonly healthcheck?: { readonly test: readonly unknown[] };
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt: readonly string[];
};

type Compose = {
  readonly services: { readonly signet: Service; readonly caddy: Service };
  readonly volumes: Readonly<
    Record<string, { readonly driver_opts?: { readonly o: string } } | null>
  >;
};

const text = readFileSync(join(FOLDER, 'compose.yaml'), 'utf8');
const compose = parse(text) as Compose;
const { signet, caddy } = compose.services;
const services = [signet, caddy];
const snippet = readFileSync(join(ROOT, 'caddy/signet.caddy'), 'utf8');

/** A volume, or a file or folder of the host's, and where a service has it. */
function mounts({ volumes }: Service) {
  return volumes.map((volume) => {
    if (typeof volume !== 'string') {
      const { source, target, read_only: isReadOnly } = volume;
      return { from: source, at: target, mode: isReadOnly ? 'ro' : 'rw' };
    }
    const [from = '', at = '', mode = 'rw'] = volume.split(':');
    return { from, at, mode };
  });
}

const mountAt = (service: Service, at: string) => mounts(service).find((mount) => mount.at === at);

test('the files that it mounts for Caddy are there', () => {
  const missing = mounts(caddy)
    .filter(({ from }) => from.startsWith('.'))
    .filter(({ from }) => !existsSync(join(FOLDER, from)));
  expect(missing).toEqual([]);
});

// A file that is mounted by itself stays the old one in there when another is renamed into its place.
test('secrets and settings are in folders that are mounted whole, and that the sidecar can’t write', () => {
  const secret = signet.environment['SIGNET_CLIENT_SECRET_FILE'] ?? '';
  expect(mounts(signet).filter(({ from }) => from.startsWith('.'))).toEqual([
    { from: './secrets', at: dirname(secret), mode: 'ro' },
    { from: './config', at: restsOf('WORKDIR').at(-1), mode: 'ro' },
  ]);
  expect(Object.keys({ ...compose, ...signet })).not.toContain('secrets');
});

test('those folders are there before it starts: README makes them, enterable by the group', () => {
  const binds = signet.volumes.filter((volume) => typeof volume !== 'string');
  const group = signet.user.split(':')[1];
  const folders = binds.map(({ source }) => source.replace('./', '')).join(' ');
  const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');
  expect(binds.map(({ bind }) => bind.create_host_path)).toEqual([false, false]);
  expect(readme).toContain(`\ninstall -d -m 0750 -g ${group} ${folders}`);
});

test('each volume that is mounted is declared, and each that is declared is mounted', () => {
  const named = services.flatMap((service) => mounts(service).map(({ from }) => from));
  const volumes = new Set(named.filter((from) => !from.startsWith('.')));
  expect([...volumes].toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
});

test.each([
  ['SIGNET_SOCKET', 'socket', 'rw'],
  ['SIGNET_ACCESS_LOG', 'access-log', 'ro'],
])(
  '%s of the sidecar is what the snippet has by default, on a volume of both',
  (name, volume, mode) => {
    const place = signet.environment[name] ?? '';
    const folder = dirname(place.replace(/^unix\//, ''));
    expect(snippet).toContain(`{$${name}:${place}}`);
    expect(caddy.environment).not.toHaveProperty(name);
    expect(mountAt(signet, folder)).toEqual({ from: volume, at: folder, mode });
    expect(mountAt(caddy, folder)).toEqual({ from: volume, at: folder, mode: 'rw' });
  },
);

test('the state lies on a volume that only the sidecar has', () => {
  const { SIGNET_STATE: state = '' } = signet.environment;
  expect(mountAt(signet, state)?.from).toBe('state');
  expect(mounts(caddy).map(({ from }) => from)).not.toContain('state');
});

test('Caddy is in the group of the sidecar, by which it uses the socket and shows its log', () => {
  const [uid, gid] = signet.user.split(':');
  expect(signet.user).toBe(restsOf('USER').at(-1));
  expect(caddy.user.split(':')[1]).toBe(gid);
  expect(compose.volumes['socket']?.driver_opts?.o).toContain(`uid=${uid},gid=${gid},mode=0750`);
});

test('nobody can write the image, gain rights, or has a capability but for ports below 1024', () => {
  for (const service of services) {
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
  }
  expect([signet.cap_add, caddy.cap_add]).toEqual([undefined, ['NET_BIND_SERVICE']]);
});

test('the images are the package of this version, and a Caddy that has none of the known holes', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Compose & {
    version: string;
  };
  const [name, tag = ''] = caddy.image.split(':');
  expect(signet.image).toBe(`signet:${version}`);
  expect(name).toBe('caddy');
  expect(tag.localeCompare(CADDY_ADVISED, 'en', { numeric: true })).toBeGreaterThanOrEqual(0);
});

test('the health check is the image’s own, word for word', () => {
  expect(signet.healthcheck?.test).toEqual(['CMD', ...healthCheckCommand()]);
});

test('the places are those that the image has by itself', () => {
  expect(signet.environment).toMatchObject(
    Object.fromEntries(
      Object.entries(imageVariables()).filter(([name]) => name.startsWith('SIGNET_')),
    ),
  );
});

test('git leaves the folder of the secrets alone, and no variable holds one', () => {
  const ignored = readFileSync(join(ROOT, '.gitignore'), 'utf8').split('\n');
  const telling = services.flatMap(({ environment }) =>
    Object.keys(environment).filter((name) => /SECRET|TOKEN|PASSWORD|KEY/.test(name)),
  );
  expect(ignored).toEqual(
    expect.arrayContaining(['deploy/compose/secrets/', 'deploy/compose/.env']),
  );
  expect(telling.filter((name) => !name.endsWith('_FILE'))).toEqual([]);
});

test('what it asks of the environment stands in example.env, and nothing else does', () => {
  const asked = [...text.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name);
  const example = readFileSync(join(FOLDER, 'example.env'), 'utf8');
  const given = [...example.matchAll(/^(\w+)=/gm)].map(([, name = '']) => name);
  expect(given.toSorted()).toEqual([...new Set(asked)].toSorted());
});

test('Caddy takes the Caddyfile, with the snippets where they are mounted', async () => {
  const { path } = await findCaddy({ env: process.env, say: () => {} });
  const folder = mkdtempSync(join(tmpdir(), 'signet-compose-'));
  try {
    for (const { from, at } of mounts(caddy).filter((mount) => mount.from.startsWith('.'))) {
      cpSync(join(FOLDER, from), join(folder, at.replace('/etc/caddy/', '')));
    }
    const env = { HOME: folder, SIGNET_HOST: 'app.example.com', SIGNET_UPSTREAM: 'app:3000' };
    const args = ['adapt', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'];
    const { stdout } = await promisify(execFile)(path, args, { env });
    expect(stdout).toContain(`unix/${mountAt(signet, '/run/signet')?.at}/sidecar.sock`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
