// Fetches Caddy with the Go toolchain, where there is one: builds the released module, checked by
// Go's checksum database. Installs nothing but the one program; modules stay in Go's own cache.
import { join } from 'node:path';
import { runCommand } from './run-command.ts';
import { CADDY_FETCHED } from '../sidecar/edge/version.ts';
import type { FetchWay } from './fetch-way.ts';

const TIMEOUT_MS = 15 * 60_000;
const MODULE = 'github.com/caddyserver/caddy/v2';

/** What the project's own releases are built with; databases that no Caddy of ours asks stay out. */
const AS_RELEASED = ['-trimpath', '-tags=nobadger,nomysql,nopgx'];

/** The way by Go: about a minute with a warm module cache, some minutes without. */
export const fetchByGo: FetchWay = {
  name: `go install (${MODULE}@v${CADDY_FETCHED}, some minutes)`,
  async fetch({ folder, env, say }) {
    // Static, so that the cache outlives an upgrade of the system's libc.
    const goEnv = { ...env, GOBIN: folder, GOWORK: 'off', CGO_ENABLED: '0' };
    // Built as the main module, Caddy does not know its version by itself and says `unknown`.
    const linking = `-ldflags=-s -w -X ${MODULE}.CustomVersion=v${CADDY_FETCHED}`;
    const args = ['install', ...AS_RELEASED, linking, `${MODULE}/cmd/caddy@v${CADDY_FETCHED}`];
    const go = { file: 'go', args, env: goEnv, cwd: folder, timeoutMs: TIMEOUT_MS };
    await runCommand(go, say);
    return join(folder, 'caddy');
  },
};
