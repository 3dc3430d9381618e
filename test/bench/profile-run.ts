// The whole edge under full load, with the sidecar under the profiler: a real Caddy in front of it and
// as the app, a receiver that counts, a session cookie. Profiles are left in the folder that is named.
import { execFile } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, startCaddy } from '../fixtures/caddy.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { until } from '../fixtures/until.ts';
import { startCounter } from './edge-receiver.ts';
import { USER_AGENT } from './parts-inputs.ts';
import { threadCpu, usedBetween, type ThreadCpu } from './profile-threads.ts';

/** Until then V8 compiles more than the sidecar works. */
const WARM_UP_REQUESTS = 20_000;
const CONNECTIONS = 16;
const PATHS = 1000;
const CATCH_UP_MS = 120_000;
const INSIDE = new URL('./profile-inside.ts', import.meta.url).href;

/** Whose profiles they are; the file is `<name>.cpuprofile`. */
export const PROFILES = ['gate', 'recorder'] as const;
export type ProfileName = (typeof PROFILES)[number];

/** What was asked, and what each thread of the sidecar used for it. */
export type Loaded = { readonly requests: number; readonly used: ThreadCpu };

/** Returns the profile's file in the folder. */
export function profileFile(folder: string, name: ProfileName): string {
  return join(folder, `${name}.cpuprofile`);
}

/**
 * Runs it for so many seconds, after a warm-up, and once more under the profiler. Resolves to what was
 * used in the first run: the profiler takes as much as what it looks at.
 */
export async function profiledLoad(seconds: number, folder: string): Promise<Loaded> {
  const receiver = await startCounter([]);
  const appPort = await freePort();
  const app = await startCaddy({
    caddyfile: `http://localhost:${appPort} {\nrespond "${'x'.repeat(200)}"\n}\n`,
  });
  const site = `handle {\nimport protect orders any {\nreverse_proxy 127.0.0.1:${appPort}\n}\n}`;
  const edge = await startEdge(site, {
    extra: {
      NODE_OPTIONS: `--import ${INSIDE}`,
      PROFILE_FOLDER: folder,
      SIGNET_DESTINATION: `lightstep@http://127.0.0.1:${receiver.port}`,
    },
  });
  try {
    const cookie = await edge.signIn('alice');
    const load = (length: readonly string[]) => loadEdge(length, edge, cookie, folder);
    await load(['-n', String(WARM_UP_REQUESTS)]);
    const loaded = await load(['-D', String(seconds)]);
    await profiled(folder, edge, () => load(['-D', String(seconds)]));
    return loaded;
  } finally {
    await edge.stop();
    await Promise.all([app.stop(), receiver.stop()]);
  }
}

async function profiled(folder: string, edge: Edge, work: () => Promise<unknown>): Promise<void> {
  const files = PROFILES.map((name) => profileFile(folder, name));
  for (const file of files) rmSync(file, { force: true });
  edge.sidecar().signal('SIGUSR2');
  await work();
  edge.sidecar().signal('SIGUSR2');
  await until('the profiles', () => files.every((file) => existsSync(file)));
}

// Until the last row is there and acknowledged: what the recorder does later is of this load, too.
async function loadEdge(
  length: readonly string[],
  edge: Edge,
  cookie: string,
  folder: string,
): Promise<Loaded> {
  const pid = edge.sidecar().pid();
  const rowsBefore = (await standing(edge)).rows;
  const before = threadCpu(pid);
  const requests = await runH2load(length, edge.port, cookie, folder);
  await until(
    'every row, delivered',
    async () => {
      const { rows, waiting } = await standing(edge);
      return rows >= rowsBefore + requests && waiting === 0;
    },
    CATCH_UP_MS,
  );
  return { requests, used: usedBetween(before, threadCpu(pid)) };
}

async function standing({ healthPort }: Edge): Promise<{ rows: number; waiting: number }> {
  const response = await fetch(`http://127.0.0.1:${healthPort}/readyz`);
  const { checks } = (await response.json()) as {
    checks: Record<string, { rows?: number; waiting?: number }>;
  };
  return {
    rows: checks['recorder']?.rows ?? 0,
    waiting: checks['destination lightstep']?.waiting ?? 0,
  };
}

async function runH2load(
  length: readonly string[],
  port: number,
  cookie: string,
  folder: string,
): Promise<number> {
  const uris = join(folder, 'uris.txt');
  const uriOf = (_: unknown, at: number) =>
    `http://localhost:${port}/orders/${at}/items?page=${at % 9}`;
  writeFileSync(uris, Array.from({ length: PATHS }, uriOf).join('\n'));
  const headers = ['-H', cookie, '-H', `User-Agent: ${USER_AGENT}`];
  const settings = ['--h1', '-c', String(CONNECTIONS), ...length];
  const { stdout } = await promisify(execFile)('h2load', [...settings, ...headers, '-i', uris]);
  rmSync(uris);
  const [, done, succeeded] = /requests: .*?(\d+) done, (\d+) succeeded/.exec(stdout) ?? [];
  if (done === undefined || done !== succeeded) throw new Error(`h2load: ${stdout}`);
  return Number(done);
}
