// The Caddys of the benchmark, the app and the provider behind them, and oauth2-proxy with its edge: each
// started, and noted so that it is stopped.
import { join } from 'node:path';
import { freePort, startCaddy } from '../fixtures/caddy.ts';
import { startProvider, type TestProvider } from '../fixtures/provider.ts';
import { makeFolder } from '../fixtures/sidecar.ts';
import * as caddyfiles from './edge-caddyfiles.ts';
import type { Ports } from './edge-caddyfiles.ts';
import { AUDIENCE, type Signet } from './edge-signet.ts';
import type { EdgeName } from './edge-variants.ts';
import { findOAuth2Proxy, type Say } from './oauth2-proxy.ts';
import { startOAuth2Proxy, type OAuth2Proxy } from './oauth2-proxy-start.ts';

const EDGES: readonly EdgeName[] = ['none', 'L1', 'L1log', 'L2', 'O', 'off', 'on'];

export type Edge = { readonly ports: Ports; readonly pid: number };

/** What stops what was started, in the order of starting. */
export type Stops = (() => Promise<unknown>)[];

/** What the edges stand on. */
export type Ground = {
  readonly folder: string;
  readonly ports: Readonly<Record<EdgeName, Ports>>;
  readonly provider: TestProvider;
  readonly app: { readonly pid: number; readonly address: string };
};

/** Starts app and provider. */
export async function startGround(stops: Stops): Promise<Ground> {
  const { folder, remove } = makeFolder();
  stops.push(async () => remove());
  const ports = await freePorts();
  const appPort = await freePort();
  const caddy = await started(startCaddy({ caddyfile: caddyfiles.app(appPort) }), stops);
  const origins = EDGES.map((name) => `http://localhost:${ports[name].http}`);
  const redirectUris = origins.flatMap((origin) => [
    `${origin}/.signet/callback`,
    `${origin}/oauth2/callback`,
  ]);
  const provider = await started(startProvider({ redirectUris, audience: AUDIENCE }), stops);
  return { folder, ports, provider, app: { pid: caddy.pid, address: `127.0.0.1:${appPort}` } };
}

async function freePorts(): Promise<Ground['ports']> {
  const pairs: [EdgeName, Ports][] = [];
  for (const name of EDGES) {
    pairs.push([name, { http: await freePort(), https: await freePort() }]);
  }
  return Object.fromEntries(pairs) as Record<EdgeName, Ports>;
}

/** Starts the edges that need no sign-in first. */
export async function startEdges(
  { folder, ports, app }: Ground,
  { on, off }: { on: Signet; off: Signet },
  stops: Stops,
): Promise<Map<EdgeName, Edge>> {
  const { plainEdge, forwardAuthEdge, loggedEdge, signetEdge } = caddyfiles;
  const texts: [EdgeName, string, Record<string, string>][] = [
    ['none', plainEdge(ports.none, app.address), {}],
    ['L1', forwardAuthEdge(ports.L1, app.address, join(folder, 'l1.sock')), {}],
    ['L1log', loggedEdge(ports.L1log, app.address, folder), {}],
    ['on', signetEdge(ports.on, app.address), gateAt(on.socket, on.accessLog)],
    ['off', signetEdge(ports.off, app.address), gateAt(off.socket, off.accessLog)],
  ];
  const edges = new Map<EdgeName, Edge>();
  for (const [name, caddyfile, env] of texts) {
    const { pid } = await started(startCaddy({ caddyfile, env }), stops);
    edges.set(name, { ports: ports[name], pid });
  }
  return edges;
}

/** Starts yardstick L2, which says again what a real gate answered. */
export async function startSnippetEdge(
  { folder, ports, app }: Ground,
  answered: Readonly<Record<string, string>>,
  stops: Stops,
): Promise<Edge> {
  const socket = join(folder, 'l2.sock');
  const caddyfile = caddyfiles.snippetEdge(ports.L2, app.address, socket, answered);
  const env = gateAt(socket, join(folder, 'l2.log'));
  const { pid } = await started(startCaddy({ caddyfile, env }), stops);
  return { ports: ports.L2, pid };
}

/** Starts oauth2-proxy and its edge, if there is one. */
export async function startProxy(
  { ports, provider, app }: Ground,
  edges: Map<EdgeName, Edge>,
  finding: { readonly say: Say; readonly mayBuild: boolean },
  stops: Stops,
): Promise<OAuth2Proxy | { readonly skipped: string }> {
  const found = await findOAuth2Proxy({ env: process.env, ...finding });
  if ('skipped' in found) return found;
  const origin = `http://localhost:${ports.O.http}`;
  const proxy = await started(startOAuth2Proxy({ ...found, provider, origin }), stops);
  const caddyfile = caddyfiles.proxyEdge(ports.O, app.address, `127.0.0.1:${proxy.port}`);
  const { pid } = await started(startCaddy({ caddyfile }), stops);
  edges.set('O', { ports: ports.O, pid });
  return proxy;
}

function gateAt(socket: string, accessLog: string): Record<string, string> {
  return { SIGNET_SOCKET: `unix/${socket}`, SIGNET_ACCESS_LOG: accessLog };
}

/** Returns what was started, and has it stopped in the end. */
export async function started<T extends { stop(): Promise<unknown> }>(
  starting: Promise<T>,
  stops: Stops,
): Promise<T> {
  // At once, and not when it has started: it may be broken off before.
  stops.push(() =>
    starting.then(
      (part) => part.stop(),
      () => undefined,
    ),
  );
  return starting;
}

/** Stops it all, the last first. */
export async function stopAll(stops: Stops): Promise<void> {
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
}
