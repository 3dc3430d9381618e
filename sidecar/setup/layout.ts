// Which files there are and where they lie: for systemd, spread over /etc, or all in one folder for an
// ordinary user. Only names and rights; nothing is made here.
import { join } from 'node:path';
import { type Parsed, refuse } from './parsed.ts';

export type LayoutFolder = {
  readonly path: string;
  readonly mode: number;
  /** Belongs to the sidecar's group. */
  readonly isShared?: true;
};

export type Layout = {
  readonly kind: 'system' | 'folder';
  readonly settings: string;
  readonly clientSecret: string;
  /** Folder of the files that settings name: tokens of destinations. */
  readonly secretsFolder: string;
  readonly caddyfile: string;
  readonly snippet: string;
  /** Variables for Caddy, where it can't do with the snippet's defaults. */
  readonly caddyEnv?: string;
  readonly state: string;
  readonly socket: string;
  readonly accessLog: string;
  /** Where a trial's Caddy keeps its certificates; absent: where it keeps all of them. */
  readonly caddyStorage?: string;
  /** Where Caddy can be given another Caddyfile while it runs, in its own words. */
  readonly caddyAdmin: string;
  /** To be made, in this order. */
  readonly folders: readonly LayoutFolder[];
};

/** As in the sidecar's own check of `listen`. */
const MAX_SOCKET_PATH_BYTES = 106;
/** Nothing that Caddyfile, shell or a file of variables would read as more than a part of a word. */
const PLAIN_PATH = /^\/[\p{L}\p{N}._@%+=:,/-]*$/u;

/** Returns the layout that units of systemd expect; their folders for state, socket and log are theirs to make. */
export function systemLayout(etc = '/etc'): Layout {
  const [signet, caddy] = [join(etc, 'signet'), join(etc, 'caddy')];
  return {
    kind: 'system',
    settings: join(signet, 'signet.yaml'),
    clientSecret: join(signet, 'client-secret'),
    secretsFolder: signet,
    caddyfile: join(caddy, 'Caddyfile'),
    snippet: join(caddy, 'signet.caddy'),
    state: '/var/lib/signet',
    socket: '/run/signet/sidecar.sock',
    accessLog: '/var/log/caddy/signet-access.log',
    // The home of Caddy's user: there whichever way Caddy was installed, and the socket is that user's alone.
    caddyAdmin: 'unix//var/lib/caddy/admin.sock',
    folders: [
      { path: signet, mode: 0o750, isShared: true },
      { path: caddy, mode: 0o755 },
    ],
  };
}

/** Returns the layout with all in one folder, whose path is absolute. */
export function folderLayout(folder: string): Parsed<Layout> {
  const at = (name: string) => join(folder, name);
  const socket = at('run/sidecar.sock');
  if (!PLAIN_PATH.test(folder))
    return refuse(folder, 'a folder whose path is without spaces and quotes');
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH_BYTES) {
    const most = MAX_SOCKET_PATH_BYTES - Buffer.byteLength('/run/sidecar.sock');
    return refuse(folder, `a folder whose path has at most ${most} bytes: a socket lies in it`);
  }
  const folders = [folder, at('state'), at('run'), at('log')];
  return {
    value: {
      kind: 'folder',
      settings: at('signet.yaml'),
      clientSecret: at('client-secret'),
      secretsFolder: folder,
      caddyfile: at('Caddyfile'),
      snippet: at('signet.caddy'),
      caddyEnv: at('caddy.env'),
      state: at('state'),
      socket,
      accessLog: at('log/access.log'),
      caddyStorage: at('caddy'),
      caddyAdmin: 'off',
      folders: folders.map((path) => ({ path, mode: 0o700 })),
    },
  };
}
