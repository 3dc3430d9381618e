// Runs one program to its end and tells that it still runs. Knows nothing of what it runs.
import { spawn } from 'node:child_process';

export type Command = {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly timeoutMs: number;
};

const PROGRESS_EVERY_MS = 2_000;
/** So many times at first, then once in so many: what takes minutes would fill the screen. */
const OFTEN = 5;
const MAX_REASON_CHARS = 400;

/**
 * Returns what the program wrote to stdout, once it has ended with 0. Otherwise throws an Error that
 * says why in one line. `say` hears the elapsed time every two seconds, after ten every ten.
 */
export async function runCommand(
  command: Command,
  say: (line: string) => void = () => {},
): Promise<string> {
  const startedMs = performance.now();
  const elapsed = () => `${Math.round((performance.now() - startedMs) / 1_000)} s`;
  const progress = tellNowAndThen(() => say(`  ${command.file} … ${elapsed()}`));
  const timeout = AbortSignal.timeout(command.timeoutMs);
  try {
    return await finish(command, timeout);
  } catch (error) {
    if (timeout.aborted) throw new Error(`${command.file} took too long (${elapsed()})`);
    throw error;
  } finally {
    clearInterval(progress);
  }
}

function tellNowAndThen(tell: () => void): NodeJS.Timeout {
  let ticks = 0;
  return setInterval(() => {
    ticks += 1;
    if (ticks <= OFTEN || ticks % OFTEN === 0) tell();
  }, PROGRESS_EVERY_MS);
}

/** Stopped by a signal and not by `spawn`'s own timeout, whose timer outlives a program that isn't there. */
function finish({ file, args, env, cwd }: Command, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(file, args, { env, cwd, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  child.on('error', (cause) => reject(new Error(`${file} can't be run`, { cause })));
  child.on('close', (code, by) => {
    if (code === 0) return resolve(stdout);
    reject(new Error(`${file}: ${lastWords(stderr) || `ended with ${by ?? code}`}`));
  });
  return promise;
}

/** The end of what a program complained about, in one line: what went wrong stands last. */
function lastWords(stderr: string): string {
  return stderr.trim().replace(/\s+/g, ' ').slice(-MAX_REASON_CHARS);
}
