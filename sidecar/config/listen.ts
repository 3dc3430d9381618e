// Where Signet keeps what it writes, and where it listens: defaults by user, and what goes together.
import { join, resolve } from 'node:path';
import { parseAddress } from './address.ts';
import type { Listen } from './config.ts';
import type { ConfigSources, Given } from './environment.ts';
import type { Report } from './errors.ts';
import type { Reading } from './reading.ts';
import type { Settings } from './schema.ts';
import { shown } from './shown.ts';

/** Absolute paths. */
export type Places = {
  readonly stateFolder: string;
  readonly accessLog: string;
  readonly headsFile: string;
};

/** Name of the file with signed heads in the state folder. */
const HEADS_FILE = 'heads.jsonl';

/** `sun_path` holds 108 bytes on Linux with its closing NUL; Caddy's Go takes one less. */
const MAX_SOCKET_PATH_BYTES = 106;
const MIN_GATE_KEY_CHARS = 32;

/** Returns the folder for state, the access log and the heads file: as set, else where this user may write. */
export function findPlaces(settings: Settings, sources: ConfigSources): Places {
  const stateFolder = resolve(sources.cwd, settings.state ?? defaultState(sources));
  const accessLog = settings.access_log ?? defaultAccessLog(stateFolder, sources.isRoot);
  const headsFile = settings.audit.heads_file ?? join(stateFolder, HEADS_FILE);
  return {
    stateFolder,
    accessLog: resolve(sources.cwd, accessLog),
    headsFile: resolve(sources.cwd, headsFile),
  };
}

function defaultState({ env, home, isRoot }: ConfigSources): string {
  // systemd lists several folders with colons between (systemd.exec, StateDirectory=).
  const fromSystemd = env['STATE_DIRECTORY']?.split(':')[0];
  if (fromSystemd) return fromSystemd;
  if (isRoot) return '/var/lib/signet';
  return join(env['XDG_STATE_HOME'] || join(home, '.local/state'), 'signet');
}

function defaultAccessLog(stateFolder: string, isRoot: boolean): string {
  return isRoot ? '/var/log/caddy/signet-access.log' : join(stateFolder, 'access.log');
}

/** Returns where the gate listens; reports a path too long, and an address and a key that don't go together. */
export function readListen(reading: Reading, stateFolder: string): Listen | undefined {
  const { settings, refused, given, sources, place, report } = reading;
  const key = readGateKey(reading);
  checkOneAddress(given, report);
  if (refused.has('listen')) return undefined;
  const fallback = sources.isRoot ? '/run/signet/sidecar.sock' : join(stateFolder, 'sidecar.sock');
  const address = parseAddress(settings.listen ?? fallback);
  if (address === undefined) return undefined; // reported by the schema
  const where = place('listen');
  if ('socket' in address) {
    const socket = resolve(sources.cwd, address.socket);
    if (key) report({ where, ...KEY_WITHOUT_TCP });
    checkSocketPath(socket, where, report);
    return { socket };
  }
  if (key === undefined) report({ where, ...TCP_WITHOUT_KEY });
  return key ? { ...address, key } : undefined;
}

const KEY_WITHOUT_TCP = {
  read: 'a unix socket, and a gate key',
  allowed: 'a gate key for TCP only; a socket is guarded by its folder',
  mend: 'take the gate key away, or listen on host:port',
};
const TCP_WITHOUT_KEY = {
  read: 'host:port, and no gate key',
  allowed: 'TCP with a gate key, so that only Caddy may ask',
  mend: 'set SIGNET_GATE_KEY or SIGNET_GATE_KEY_FILE, or listen on a unix socket',
};

/** Returns the key; undefined if none is given, null if it is no good, and reported. */
function readGateKey({ settings, place, readSecret, report }: Reading) {
  const where = place('gate_key_file');
  const key = readSecret({ variable: 'SIGNET_GATE_KEY', file: settings.gate_key_file, where });
  // It travels in a header, as it is.
  const isSound = (text: string) => text.length >= MIN_GATE_KEY_CHARS && /^[!-~]+$/.test(text);
  if (!key || isSound(key.reveal())) return key;
  const allowed = `at least ${MIN_GATE_KEY_CHARS} characters of printable ASCII, no spaces`;
  const read = `a key of ${key.reveal().length} characters`;
  const mend = 'make one with: openssl rand -base64 32';
  report({ where: 'SIGNET_GATE_KEY (or its file)', read, allowed, mend });
  return null;
}

/** A shared file of variables may give Caddy and Signet the same address under both names. */
function checkOneAddress(given: Given, report: Report): void {
  const socket = given.get('SIGNET_SOCKET');
  const listen = given.get('SIGNET_LISTEN');
  if (socket === undefined || listen === undefined || socket === listen) return;
  const where = 'SIGNET_SOCKET and SIGNET_LISTEN';
  report({ where, read: 'both', allowed: 'one of the two', mend: 'take one away' });
}

function checkSocketPath(socket: string, where: string, report: Report): void {
  const bytes = Buffer.byteLength(socket);
  if (bytes <= MAX_SOCKET_PATH_BYTES) return;
  const allowed = `a socket's path of at most ${MAX_SOCKET_PATH_BYTES} bytes`;
  const mend = 'set SIGNET_SOCKET to a shorter path';
  report({ where, read: `${shown(socket)}, ${bytes} bytes`, allowed, mend });
}
