// Where the local stack lives and listens, from the environment. Decides nothing else.
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Settings = {
  /** The state folder, absolute: store, log, socket, spans, certificates. */
  readonly folder: string;
  /** 0 is any free port. */
  readonly httpsPort: number;
  /** 0 is any free port. */
  readonly providerPort: number;
  /** Of `/readyz` and `/metrics`; absent: the usual one, or a free one where that is taken. */
  readonly healthPort?: number;
  /** The receiver's; absent: as above. */
  readonly receiverPort?: number;
};

/** A sentence for the person at the terminal; it needs no stack trace. */
export class Refusal extends Error {}

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Returns the settings: SIGNET_LOCAL_DIR, and SIGNET_LOCAL_PORT, _PROVIDER_PORT, _HEALTH_PORT, _RECEIVER_PORT. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const healthPort = port(env, 'SIGNET_LOCAL_HEALTH_PORT');
  const receiverPort = port(env, 'SIGNET_LOCAL_RECEIVER_PORT');
  return {
    folder: resolve(env['SIGNET_LOCAL_DIR'] ?? join(ROOT, '.signet', 'local')),
    httpsPort: port(env, 'SIGNET_LOCAL_PORT') ?? 8443,
    providerPort: port(env, 'SIGNET_LOCAL_PROVIDER_PORT') ?? 8444,
    ...(healthPort !== undefined && { healthPort }),
    ...(receiverPort !== undefined && { receiverPort }),
  };
}

function port(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new Refusal(`${name} is "${text}", but a port is a number from 0 to 65535.`);
  }
  return Number(text);
}
