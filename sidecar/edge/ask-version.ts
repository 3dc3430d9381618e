// Asks a program which Caddy it is. Judges nothing.
import { runBounded } from './run-bounded.ts';
import { type CaddyVersion, parseCaddyVersion } from './version.ts';

const WITHIN_MS = 20_000;
/** Build information names each module: some 30 KB. */
const MAX_BYTES = 1_000_000;
/** Of what a program complains about: the end, where the reason stands. */
const MAX_WORDS = 400;

/** Of a Caddy's build information: the module itself, or that which it was built upon. */
const MODULE = /^(?:mod|dep)\s+github\.com\/caddyserver\/caddy\/v2\s+(\S+)/m;

/** Returns the version that the program says; undefined where it says none. Throws an Error where it can't be asked. */
export async function askVersion(
  path: string,
  env: NodeJS.ProcessEnv,
): Promise<CaddyVersion | undefined> {
  const version = parseCaddyVersion(await ask(path, 'version', env));
  if (version !== undefined) return version;
  // A Caddy of `go install` says `unknown` when asked for its version; its build information has it.
  return parseCaddyVersion(MODULE.exec(await ask(path, 'build-info', env))?.[1] ?? '');
}

async function ask(file: string, question: string, env: NodeJS.ProcessEnv): Promise<string> {
  const limits = { withinMs: WITHIN_MS, maxBytes: MAX_BYTES };
  const ended = await runBounded({ file, args: [question], env, ...limits });
  if ('problem' in ended) throw new Error(`${file}: ${ended.problem}`);
  if (ended.code === 0) return ended.stdout;
  const words = ended.stderr.trim().replace(/\s+/g, ' ').slice(-MAX_WORDS);
  throw new Error(`${file}: ${words === '' ? `ended with ${ended.code}` : words}`);
}
