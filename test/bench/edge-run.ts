// One variant, loaded once: looked at, warmed up, loaded, and its evidence waited for, while the CPU of
// every process that takes part is counted.
import { BODY } from './edge-caddyfiles.ts';
import { findFault, spoiled, userOf } from './edge-check.ts';
import { wrongIn, type Arrived, type Evidence } from './edge-evidence.ts';
import type { Pinning } from './edge-pinning.ts';
import { cpuByThreadUs, cpuUs } from './edge-processes.ts';
import type { Variant } from './edge-variants.ts';
import type { Credentials, World } from './edge-world.ts';
import { load, type Load, type LoadOptions } from './load.ts';

/** Microseconds of CPU per request, by process; of the sidecar by thread. */
export type CpuPerRequest = Readonly<Record<string, number>>;

export type Figure = {
  readonly variant: string;
  readonly round: number;
  readonly requests: number;
  readonly perSecond: number;
  /** The same, when the time until the last span arrived counts, too. */
  readonly sustainedPerSecond: number;
  readonly cpu: CpuPerRequest;
  readonly arrived?: Arrived;
};

export type Fault = { readonly variant: string; readonly round: number; readonly what: string };

export type RunOptions = {
  readonly world: World;
  readonly evidence: Evidence;
  readonly pinning: Pinning | undefined;
  readonly credentials: Credentials;
  readonly seconds: number;
  readonly round: number;
  /** The variant whose client is given a wrong credential, to see the benchmark fail. */
  readonly broken?: string;
};

export const CLIENTS = 32;
const H2_CLIENTS = 8;
const FIRST_REQUESTS = 640;
const WARM_UP_S = 0.25;

/** Returns the figures of a variant in a round, or what is wrong with it. */
export async function runVariant(variant: Variant, options: RunOptions): Promise<Figure | Fault> {
  const { world, credentials, round, broken } = options;
  const right = credentials(variant.edge, variant.credential);
  const credential = variant.name === broken ? spoiled(right) : right;
  try {
    const fault = await findFault(world, variant, credential);
    if (fault !== undefined) return { variant: variant.name, round, what: fault };
    const cores = variant.isPinned ? options.pinning?.apart(variant.edge) : undefined;
    return await measure(variant, { ...options, ...loadOf(variant, world, credential, cores) });
  } catch (error) {
    return { variant: variant.name, round, what: String(error) };
  } finally {
    if (variant.isPinned) options.pinning?.together();
  }
}

type Send = { readonly send: (requests: number) => Promise<Load> };

async function measure(variant: Variant, options: RunOptions & Send): Promise<Figure> {
  const { world, evidence, seconds, round, send } = options;
  const first = await send(FIRST_REQUESTS);
  const warm = await send(whole(first.perSecond * WARM_UP_S));
  const requests = whole(warm.perSecond * seconds);
  const isRecorded = variant.edge === 'on';
  if (isRecorded) await evidence.begin();
  const before = usedUs(world, variant);
  const startedMs = performance.now();
  const loaded = await send(requests);
  const arrived = isRecorded ? await evidence.arrived(requests, userOf(variant)) : undefined;
  const tookS = (performance.now() - startedMs) / 1000;
  const after = { ...usedUs(world, variant), load: loaded.cpuUs };
  const wrong = arrived && wrongIn(arrived, requests);
  if (wrong !== undefined) throw new Error(wrong);
  const { perSecond } = loaded;
  return {
    variant: variant.name,
    round,
    requests,
    perSecond,
    sustainedPerSecond: arrived === undefined ? perSecond : requests / tookS,
    cpu: Object.fromEntries(
      Object.entries(after).map(([name, us]) => [name, (us - (before[name] ?? 0)) / requests]),
    ),
    ...(arrived !== undefined && { arrived }),
  };
}

/** Returns what sends a variant's load, and throws when an answer is not the app's. */
export function loadOf(
  variant: Variant,
  world: World,
  credential: string,
  cores?: string,
  more: Partial<LoadOptions> = {},
): Send {
  const { edge, protocol } = variant;
  const ports = world.edges.get(edge)?.ports;
  const isH2 = protocol === 'h2';
  const clients = isH2 ? H2_CLIENTS : CLIENTS;
  const origin = isH2 ? `https://localhost:${ports?.https}` : `http://localhost:${ports?.http}`;
  const send = async (requests: number) => {
    world.requests.add(edge, requests);
    const loaded = await load({
      url: `${origin}/`,
      headers: [credential],
      requests,
      clients,
      streams: CLIENTS / clients,
      protocol,
      ...(cores !== undefined && { cores }),
      ...more,
    });
    demandRight(loaded, protocol);
    return loaded;
  };
  return { send };
}

function demandRight(loaded: Load, protocol: string): void {
  const { requests, succeeded, bodyBytes } = loaded;
  if (succeeded !== requests)
    throw new Error(`${requests - succeeded} of ${requests} not answered with 2xx`);
  if (bodyBytes !== requests * BODY.length)
    throw new Error(`${bodyBytes} bytes: not the app's answers`);
  if (loaded.protocol !== protocol) throw new Error(`${loaded.protocol} in place of ${protocol}`);
}

// So that every connection sends as many.
function whole(requests: number): number {
  return Math.max(1, Math.round(requests / CLIENTS)) * CLIENTS;
}

/** Returns microseconds of CPU that each process of a variant has used so far. */
export function usedUs(world: World, { edge }: Variant): Record<string, number> {
  const caddies = { edge: cpuUs(world.edges.get(edge)?.pid ?? 0), app: cpuUs(world.app.pid) };
  if (edge === 'O' && 'pid' in world.proxy) {
    return { ...caddies, 'oauth2-proxy': cpuUs(world.proxy.pid) };
  }
  if (edge !== 'on' && edge !== 'off') return caddies;
  const { main = 0, recorder = 0, other = 0 } = cpuByThreadUs(world[edge].pid, 'recorder');
  const sidecar = { gate: main, recorder, 'sidecar-other': other };
  if (edge === 'off') return { ...caddies, ...sidecar };
  return { ...caddies, ...sidecar, receiver: cpuUs(world.counter().pid) };
}
