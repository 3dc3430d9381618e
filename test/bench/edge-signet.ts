// One Signet for the benchmark: the real sidecar as a process, in a folder of its own, with its socket
// and its access log. Says where things are; measures nothing.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AUDIT_STORE_FILE } from '../../sidecar/audit/open.ts';
import { freePort } from '../fixtures/caddy.ts';
import { startMortalSidecar } from '../fixtures/edge.ts';
import type { TestProvider } from '../fixtures/provider.ts';
import { makeFolder, readiness, type Readiness } from '../fixtures/sidecar.ts';

export const AUDIENCE = 'https://orders.example';

/** Port 1: nobody listens there. */
const NO_STORE = 'postgres://signet:signet@127.0.0.1:1/nobody';

export type Signet = {
  readonly pid: number;
  readonly socket: string;
  /** What Caddy is to write. */
  readonly accessLog: string;
  readonly auditStore: string;
  /** Resolves to `/readyz`, as soon as the condition holds for it. */
  readiness(condition?: (body: Readiness) => boolean): Promise<Readiness>;
  stop(): Promise<void>;
};

export type SignetOptions = {
  readonly provider: TestProvider;
  /** The receiver's port; without it nothing is recorded, nor exported. */
  readonly exportTo?: number;
};

/**
 * Starts it. Recording off is a recorder whose store is a database that refuses connections, which it
 * tries once a second: 1.3 ms of CPU a second. Gate, stamp and Caddy's log are as always. (A log that
 * nobody writes would not do: each decision without a line is looked for again, in every second.)
 */
export async function startSignet({ provider, exportTo }: SignetOptions): Promise<Signet> {
  const { folder, remove } = makeFolder();
  const socket = join(folder, 'run', 'sidecar.sock');
  const accessLog = join(folder, 'log', 'access.log');
  mkdirSync(join(folder, 'log'));
  const healthPort = await freePort();
  const recording = {
    SIGNET_DESTINATION: `lightstep@http://127.0.0.1:${exportTo}`,
    LIGHTSTEP_ACCESS_TOKEN: 'the-access-token',
  };
  const notRecording = { SIGNET_AUDIT_STORE: NO_STORE, SIGNET_DESTINATION: 'none' };
  const sidecar = startMortalSidecar(folder, {
    SIGNET_ISSUER: provider.issuer,
    SIGNET_CLIENT_ID: provider.clientId,
    SIGNET_CLIENT_SECRET: provider.clientSecret,
    SIGNET_AUDIENCE: AUDIENCE,
    SIGNET_SOCKET: socket,
    SIGNET_ACCESS_LOG: accessLog,
    SIGNET_HEALTH: `127.0.0.1:${healthPort}`,
    ...(exportTo === undefined ? notRecording : recording),
  });
  // The recorder's own word, good or bad: by then there is a store to read.
  const isReady = ({ checks }: Readiness) =>
    checks['provider']?.ok === true && checks['recorder']?.rows !== undefined;
  await readiness(healthPort, sidecar, isReady);
  return {
    pid: sidecar.pid(),
    socket,
    accessLog,
    auditStore: join(folder, AUDIT_STORE_FILE),
    readiness: (condition) => readiness(healthPort, sidecar, condition),
    stop: async () => {
      await sidecar.stop();
      remove();
    },
  };
}
