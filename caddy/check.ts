// Asks a program which Caddy it is, and whether it is safe to stand behind. Looks for none, fetches none.
import { visible } from '../sidecar/audit/format-text.ts';
import { explain } from '../sidecar/fault.ts';
import { runCommand } from './run-command.ts';
import { describeUnsafe, parseCaddyVersion, unsafeBecause } from './version.ts';
import type { CaddyVersion } from './version.ts';

export type FoundCaddy = {
  readonly path: string;
  /** Without a leading `v`. */
  readonly version: string;
};

/** A Caddy at or above the floor, or why this program is none. */
export type Checked = FoundCaddy | { readonly refused: string };

const VERSION_TIMEOUT_MS = 20_000;

/** Returns what the program at `path` is; starts it. Never throws. */
export function checkCaddy(path: string, env: NodeJS.ProcessEnv): Promise<Checked> {
  return check(path, env).catch((error: unknown) => ({ refused: visible(explain(error)) }));
}

async function check(path: string, env: NodeJS.ProcessEnv): Promise<Checked> {
  const version = await readVersion(path, env);
  if (version === undefined) return { refused: 'it does not say which version of Caddy it is' };
  if (unsafeBecause(version).length > 0) return { refused: describeUnsafe(version) };
  return { path, version: version.text };
}

/** A Caddy of `go install` says `unknown` when asked for its version; its build information has it. */
async function readVersion(
  path: string,
  env: NodeJS.ProcessEnv,
): Promise<CaddyVersion | undefined> {
  const ask = (question: string) =>
    runCommand({ file: path, args: [question], env, timeoutMs: VERSION_TIMEOUT_MS });
  const version = parseCaddyVersion(await ask('version'));
  if (version !== undefined) return version;
  const module = /^(?:mod|dep)\s+github\.com\/caddyserver\/caddy\/v2\s+(\S+)/m;
  return parseCaddyVersion(module.exec(await ask('build-info'))?.[1] ?? '');
}
