// What the recorder is told, of the configuration and its keys. Wiring; pure but for the machine's boot id.
import { isLoopback } from './identity/bounded-fetch.ts';
import type { Config } from './config/config.ts';
import { fingerprint } from './config/fingerprint.ts';
import { deriveKeys, type KeyRing } from './config/keys.ts';
import { auditPlace, machineBootId } from './places.ts';
import { toPlain } from './plain-destinations.ts';
import type { Opening } from './opening.ts';
import type { RecorderOptions } from './recorder-options.ts';
import { VERSION } from './version.ts';

/** Returns the options; `reloads` and `sessions` as in `Opening`. */
export function recorderOptions(
  config: Config,
  ring: KeyRing,
  { bootId, ...taken }: Pick<Opening, 'bootId' | 'reloads' | 'sessions'>,
): RecorderOptions {
  const chainKeys = deriveKeys(ring, 'chain');
  const settings = chainKeys.map((key) => fingerprint(config, key));
  return {
    accessLog: config.accessLog,
    stateFolder: config.stateFolder,
    auditStore: auditPlace(config),
    headsFile: config.headsFile,
    keys: deriveKeys(ring, 'stamp'),
    chainKeys,
    opening: { bootId, version: VERSION, ...taken, settings },
    machineBootId: machineBootId(),
    clientAddress: config.clientAddress,
    redactQuery: config.redactQuery,
    ownAddresses: ownAddresses(config.listen),
    retention: config.retention,
    destinations: toPlain(config),
    sampling: config.sampling,
    resource: { 'service.version': VERSION, ...config.resource },
    version: VERSION,
  };
}

// As Caddy logs them in `upstream`: a unix socket with and without its network's name.
function ownAddresses(address: Config['listen']): string[] {
  if ('socket' in address) return [address.socket, `unix/${address.socket}`];
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const hosts = isLoopback(host) ? ['127.0.0.1', '[::1]', 'localhost', host] : [host];
  return hosts.map((name) => `${name}:${address.port}`);
}
