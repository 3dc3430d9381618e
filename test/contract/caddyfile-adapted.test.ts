// What the product reads in a Caddyfile, held against the real Caddy: its `adapt` has the last word on which
// hosts there are, and where each of them is proxied to.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findCaddy } from '../../caddy/find.ts';
import { portOf } from '../../sidecar/caddyfile/address.ts';
import { locate } from '../../sidecar/caddyfile/locate.ts';
import { filesOnDisk } from '../../sidecar/caddyfile/on-disk.ts';
import { readCaddyfile } from '../../sidecar/caddyfile/read.ts';
import { portsOf } from '../../sidecar/caddyfile/sites.ts';
import { createSpelling } from '../../sidecar/caddyfile/spelling.ts';
import type { CaddyfileTree, Directive } from '../../sidecar/caddyfile/tree.ts';
import { REFUSED, SHAPES, type Shape } from '../fixtures/caddyfile-shapes.ts';

/** One proxied upstream of the adapted configuration. */
type Proxied = { readonly port: string; readonly hosts: readonly string[]; readonly dial: string };

type Route = { readonly match?: readonly { readonly host?: readonly string[] }[] };
type Server = {
  readonly listen: readonly string[];
  readonly routes: readonly Route[];
  readonly named_routes?: Readonly<Record<string, Route>>;
};

let caddy = '';
let home = '';

beforeAll(async () => {
  caddy = (await findCaddy({ env: process.env, say: () => {} })).path;
  home = await mkdtemp(join(tmpdir(), 'signet-adapted-'));
});

afterAll(() => rm(home, { recursive: true, force: true }));

/** Writes a shape's files, and returns where its Caddyfile is. */
async function lay({ files }: Shape): Promise<string> {
  const folder = await mkdtemp(join(home, 'shape-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return join(folder, 'Caddyfile');
}

async function adapt(path: string, { env }: Shape): Promise<readonly Server[]> {
  const { stdout } = await promisify(execFile)(
    caddy,
    ['adapt', '--config', path, '--adapter', 'caddyfile'],
    { env: { HOME: home, ...env } },
  );
  const adapted = JSON.parse(stdout) as { apps: { http: { servers: Record<string, Server> } } };
  return Object.values(adapted.apps.http.servers);
}

/** Every `dial` below a value; what stands in its own file is not looked into. */
function dialsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'dial' in value && typeof value.dial === 'string' ? [value.dial] : [];
  return [...own, ...Object.values(value).flatMap(dialsIn)];
}

function proxiedBy(servers: readonly Server[]): readonly Proxied[] {
  return servers.flatMap(({ listen, routes }) =>
    routes.flatMap((route) =>
      dialsIn(route).map((dial) => ({
        port: (listen[0] ?? '').replace(/^.*:/, ''),
        hosts: (route.match?.[0]?.host ?? []).toSorted(),
        dial,
      })),
    ),
  );
}

/** The words that name upstreams, by port and hosts. */
function upstreamsOf(tree: CaddyfileTree) {
  const ports = portsOf(tree);
  return tree.sites.flatMap((site) => {
    const served = new Set(site.addresses.map((address) => portOf(address, ports)));
    return [...served].map((port) => {
      const there = site.addresses.filter((address) => portOf(address, ports) === port);
      const hosts = [...new Set(there.map(({ host }) => host))].toSorted();
      return { port, hosts: hosts.includes('') ? [] : hosts, words: wordsIn(site.directives) };
    });
  });
}

function wordsIn(block: readonly Directive[]): readonly string[] {
  return block.flatMap((line) => [
    ...(['reverse_proxy', 'to'].includes(line.name) ? line.args.map(({ text }) => text) : []),
    ...wordsIn(line.block),
  ]);
}

function read(path: string, { env = {} }: Shape) {
  return readCaddyfile({ path, env, ...filesOnDisk });
}

test.each(SHAPES)('$name: hosts and upstreams are those of Caddy', async (shape) => {
  const path = await lay(shape);
  const result = read(path, shape);
  if ('problem' in result) throw new Error(result.problem.message);
  const proxied = proxiedBy(await adapt(path, shape));
  const upstreams = upstreamsOf(result.tree);
  const where = ({ port, hosts }: { port: string; hosts: readonly string[] }) =>
    `${port} ${hosts.join(' ')}`;
  expect([...new Set(upstreams.map(where))].toSorted()).toEqual(
    [...new Set(proxied.map(where))].toSorted(),
  );
  for (const { words, ...at } of upstreams) {
    const there = proxied.filter((one) => where(one) === where(at));
    const unmatched = there.filter(({ dial }) => !words.some(createSpelling(dial)));
    expect(unmatched).toEqual([]);
    const idle = words.filter((word) => !there.some(({ dial }) => createSpelling(dial)(word)));
    expect(idle).toEqual([]);
  }
});

test.each(SHAPES)('$name: each upstream is found on its line', async (shape) => {
  const path = await lay(shape);
  const result = read(path, shape);
  if ('problem' in result) throw new Error(result.problem.message);
  for (const { hosts, port, dial } of proxiedBy(await adapt(path, shape))) {
    const found = locate(result.tree, {
      hosts,
      port,
      directives: ['reverse_proxy'],
      words: [dial],
    });
    const line = filesOnDisk.readFile(found?.file ?? '')?.split('\n')[(found?.line ?? 0) - 1];
    // A variable may hold the directive itself.
    expect([dial, line]).toEqual([
      dial,
      expect.stringMatching(/^\s*(?:second )?(?:reverse_proxy|\{\$)/),
    ]);
  }
});

test('a named route holds the upstreams that Caddy finds in it', async () => {
  const shape = SHAPES.find(({ name }) => name === 'a named route')!;
  const path = await lay(shape);
  const result = read(path, shape);
  if ('problem' in result) throw new Error(result.problem.message);
  const [server] = await adapt(path, shape);
  const [route] = result.tree.namedRoutes;
  expect(wordsIn(route?.directives ?? [])).toEqual(dialsIn(server?.named_routes?.[route!.name]));
});

test.each(REFUSED)('$name: refused, as Caddy does', async (shape) => {
  const path = await lay(shape);
  await expect(adapt(path, shape)).rejects.toThrow('Command failed');
  expect(read(path, shape)).toHaveProperty('problem.message');
});
