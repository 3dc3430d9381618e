// Everything that the benchmark runs against, started once and idle but for what is being loaded: an
// app, a Caddy in front of it for each way of checking, two Signets, oauth2-proxy, a receiver, and an
// OpenID provider in this process, which is asked at sign-in only.
import {
  startEdges,
  startGround,
  startProxy,
  started,
  startSnippetEdge,
  stopAll,
  type Edge,
  type Stops,
} from './edge-ground.ts';
import { startCounter, type Counter } from './edge-receiver.ts';
import { createRequests, type Requests } from './edge-requests.ts';
import { gateHeaders, signInAtSignet } from './edge-sign-in.ts';
import { startSignet, type Signet } from './edge-signet.ts';
import type { CredentialName, EdgeName } from './edge-variants.ts';
import type { Say } from './oauth2-proxy.ts';
import { signInAtProxy, type OAuth2Proxy } from './oauth2-proxy-start.ts';

export const PERSON = 'alice';
export const AGENT = 'deploy-agent';

/** As a shell says it of a program that SIGINT ended. */
const EXIT_BROKEN_OFF = 130;

/** Returns the header line that a client of this edge sends. */
export type Credentials = (edge: EdgeName, name: CredentialName) => string;

export type World = {
  readonly app: { readonly pid: number };
  /** Without `O` when there is no oauth2-proxy. */
  readonly edges: ReadonlyMap<EdgeName, Edge>;
  readonly on: Signet;
  readonly off: Signet;
  readonly proxy: OAuth2Proxy | { readonly skipped: string };
  /** The one that is up, or was last. */
  readonly counter: () => Counter;
  /** Brings the receiver back on its port, or kills it. */
  setReceiver(isUp: boolean): Promise<void>;
  /** Signs in anew everywhere: tokens live for ten minutes, and a long run is longer. */
  signIn(): Promise<Credentials>;
  readonly requests: Requests;
  stop(): Promise<void>;
};

export type WorldOptions = {
  /** Whether oauth2-proxy is wanted, and may be built where it is not found. */
  readonly proxy: 'none' | 'found' | 'built';
  readonly say: Say;
};

/** Starts it all; stops what was started when something can't be. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const stops: Stops = [];
  // Whoever breaks it off must not be left with Caddys that run on.
  const breakOff = () => void stopAll(stops).finally(() => process.exit(EXIT_BROKEN_OFF));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, breakOff);
    stops.push(async () => process.off(signal, breakOff));
  }
  try {
    return await startAll(options, stops);
  } catch (error) {
    await stopAll(stops);
    throw error;
  }
}

async function startAll({ proxy: wanted, say }: WorldOptions, stops: Stops): Promise<World> {
  const ground = await startGround(stops);
  const { provider, ports, app } = ground;
  let counter = await startCounter([PERSON, AGENT]);
  stops.push(() => counter.stop());
  say('starting Signet twice, and a Caddy for each way of checking');
  const on = await started(startSignet({ provider, exportTo: counter.port }), stops);
  const off = await started(startSignet({ provider }), stops);
  const edges = await startEdges(ground, { on, off }, stops);
  const requests = createRequests(ports);
  const signInAt = (edge: EdgeName) =>
    signInAtSignet((path, headers) => requests.ask(edge, false, path, headers), provider, PERSON);
  const answered = await gateHeaders(off.socket, await signInAt('off'));
  edges.set('L2', await startSnippetEdge(ground, answered, stops));
  const proxy =
    wanted === 'none'
      ? { skipped: 'not asked for' }
      : await startProxy(ground, edges, { say, mayBuild: wanted === 'built' }, stops);

  async function signIn(): Promise<Credentials> {
    const bearer = `Authorization: Bearer ${await provider.clientCredentialsToken()}`;
    const sessions = { on: await signInAt('on'), off: await signInAt('off') };
    const target = { port: ports.O.http, tls: false };
    const atProxy = edges.has('O') ? await signInAtProxy(target, provider, PERSON) : '';
    return (edge, name) => {
      if (name === 'bearer') return bearer;
      if (name === 'proxy-session') return atProxy;
      // Yardsticks ask nobody, but their clients send as much as Signet's do.
      return edge === 'off' ? sessions.off : sessions.on;
    };
  }

  return {
    app,
    edges,
    on,
    off,
    proxy,
    counter: () => counter,
    setReceiver: async (isUp) => {
      if (isUp) counter = await startCounter([PERSON, AGENT], counter.port);
      else await counter.stop();
    },
    signIn,
    requests,
    stop: () => stopAll(stops),
  };
}
