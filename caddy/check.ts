// Asks a program which Caddy it is, and whether it is safe to stand behind. Looks for none, fetches none.
import { visible } from '../sidecar/visible.ts';
import { explain } from '../sidecar/fault.ts';
import { askVersion } from '../sidecar/edge/ask-version.ts';
import { describeUnsafe, unsafeBecause } from '../sidecar/edge/version.ts';

export type FoundCaddy = {
  readonly path: string;
  /** Without a leading `v`. */
  readonly version: string;
};

/** A Caddy at or above the floor, or why this program is none. */
export type Checked = FoundCaddy | { readonly refused: string };

/** Returns what the program at `path` is; starts it. Never throws. */
export function checkCaddy(path: string, env: NodeJS.ProcessEnv): Promise<Checked> {
  return check(path, env).catch((error: unknown) => ({ refused: visible(explain(error)) }));
}

async function check(path: string, env: NodeJS.ProcessEnv): Promise<Checked> {
  const version = await askVersion(path, env);
  if (version === undefined) return { refused: 'it does not say which version of Caddy it is' };
  if (unsafeBecause(version).length > 0) return { refused: describeUnsafe(version) };
  return { path, version: version.text };
}
