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
};

/** A sentence for the person at the terminal; it needs no stack trace. */
export class Refusal extends Error {}

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Returns the settings: SIGNET_LOCAL_DIR, SIGNET_LOCAL_PORT, SIGNET_LOCAL_PROVIDER_PORT. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    folder: resolve(env['SIGNET_LOCAL_DIR'] ?? join(ROOT, '.signet', 'local')),
    httpsPort: port(env, 'SIGNET_LOCAL_PORT', 8443),
    providerPort: port(env, 'SIGNET_LOCAL_PROVIDER_PORT', 8444),
  };
}

function port(env: NodeJS.ProcessEnv, name: string, ifUnset: number): number {
  const text = env[name];
  if (text === undefined || text === '') return ifUnset;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new Refusal(`${name} is "${text}", but a port is a number from 0 to 65535.`);
  }
  return Number(text);
}
