// How long the sidecar takes until it is ready, and what it holds then. By the clock on the wall: it is
// somebody who waits.
import { join } from 'node:path';
import { freePort } from '../fixtures/caddy.ts';
import { startMortalSidecar } from '../fixtures/edge.ts';
import { startProvider, type TestProvider } from '../fixtures/provider.ts';
import { makeFolder, readiness } from '../fixtures/sidecar.ts';
import { cpuUs, residentMiB } from './edge-processes.ts';
import { figureOfValues, type PartFigure, type PartsOptions } from './parts-measure.ts';

const ROUNDS = 7;

type Started = { readonly ms: number; readonly cpuMs: number; readonly mebibytes: number };

/** Returns the figures of a first start in an empty folder; none in the short form. */
export async function measureStart({ short }: PartsOptions): Promise<PartFigure[]> {
  if (short) return [];
  const audience = 'https://orders.example.com';
  const provider = await startProvider({ redirectUris: ['http://localhost/cb'], audience });
  const started: Started[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) started.push(await startOnce(provider));
  } finally {
    await provider.stop();
  }
  const of = (key: keyof Started) => started.map((each) => each[key]);
  return [
    figureOfValues('start: until ready', of('ms'), 'ms', 'wall time; the provider was asked'),
    figureOfValues('start: CPU until ready', of('cpuMs'), 'ms CPU', 'all threads'),
    figureOfValues('start: resident memory', of('mebibytes'), 'MiB', 'when it is ready'),
  ];
}

async function startOnce(provider: TestProvider): Promise<Started> {
  const { folder, remove } = makeFolder();
  const port = await freePort();
  const startedMs = performance.now();
  const sidecar = startMortalSidecar(folder, {
    SIGNET_ISSUER: provider.issuer,
    SIGNET_CLIENT_ID: provider.clientId,
    SIGNET_CLIENT_SECRET: provider.clientSecret,
    SIGNET_DESTINATION: 'none',
    SIGNET_SOCKET: join(folder, 'run', 'sidecar.sock'),
    SIGNET_ACCESS_LOG: join(folder, 'access.log'),
    SIGNET_HEALTH: `127.0.0.1:${port}`,
  });
  try {
    await readiness(port, sidecar, isReady);
    const ms = performance.now() - startedMs;
    const pid = sidecar.pid();
    return { ms, cpuMs: cpuUs(pid) / 1000, mebibytes: residentMiB(pid) };
  } finally {
    await sidecar.stop();
    remove();
  }
}

// The recorder says that there is no log yet: it has begun.
function isReady({ checks }: { checks: Record<string, { ok: boolean; rows?: number }> }): boolean {
  return checks['provider']?.ok === true && checks['recorder']?.rows !== undefined;
}
