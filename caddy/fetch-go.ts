// Fetches Caddy with the Go toolchain, where there is one: builds the released module, checked by
// Go's checksum database. Installs nothing but the one program; modules stay in Go's own cache.
import { join } from 'node:path';
import { runCommand } from './run-command.ts';
import { CADDY_FLOOR } from './version.ts';
import type { FetchWay } from './fetch-way.ts';

const TIMEOUT_MS = 15 * 60_000;
const MODULE = 'github.com/caddyserver/caddy/v2';

/** The way by Go: about a minute with a warm module cache, some minutes without. */
export const fetchByGo: FetchWay = {
  name: `go install (${MODULE}@v${CADDY_FLOOR}, some minutes)`,
  async fetch({ folder, env, say }) {
    // Static, so that the cache outlives an upgrade of the system's libc.
    const goEnv = { ...env, GOBIN: folder, GOWORK: 'off', CGO_ENABLED: '0' };
    // Built as the main module, Caddy does not know its version by itself and says `unknown`.
    const naming = `-ldflags=-X ${MODULE}.CustomVersion=v${CADDY_FLOOR}`;
    const args = ['install', naming, `${MODULE}/cmd/caddy@v${CADDY_FLOOR}`];
    const go = { file: 'go', args, env: goEnv, cwd: folder, timeoutMs: TIMEOUT_MS };
    await runCommand(go, say);
    return join(folder, 'caddy');
  },
};
