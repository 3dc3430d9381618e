// Runs a program to its end, within a time and with so much output. Knows nothing of what it runs.
import { execFile } from 'node:child_process';
import { isNativeError } from 'node:util/types';

export type Program = {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly withinMs: number;
  /** Of each of its two outputs. */
  readonly maxBytes: number;
};

/** How it ended by itself, or why it didn't. */
export type Ended =
  | { readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly problem: string };

/** Resolves when the program has ended, or was ended by us. Never rejects. */
export function runBounded({ file, args, env, withinMs, maxBytes }: Program): Promise<Ended> {
  // By a signal and not by a timeout of execFile's, whose timer outlives a program that isn't there.
  const signal = AbortSignal.timeout(withinMs);
  const limits = { signal, maxBuffer: maxBytes, killSignal: 'SIGKILL' } as const;
  const { promise, resolve } = Promise.withResolvers<Ended>();
  execFile(file, [...args], { ...limits, env, encoding: 'utf8' }, (error, stdout, stderr) => {
    if (error === null) return resolve({ code: 0, stdout, stderr });
    if (typeof error.code === 'number') return resolve({ code: error.code, stdout, stderr });
    resolve({ problem: whyNot(error, signal, { withinMs, maxBytes }) });
  });
  return promise;
}

function whyNot(
  error: unknown,
  { aborted }: AbortSignal,
  { withinMs, maxBytes }: Pick<Program, 'withinMs' | 'maxBytes'>,
): string {
  if (aborted) return `it did not end within ${withinMs / 1000} s`;
  const code = isNativeError(error) && 'code' in error ? error.code : undefined;
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `it wrote more than ${maxBytes} bytes`;
  if (code === 'ENOENT') return 'there is no such program';
  if (code === 'EACCES') return 'it may not be run';
  return isNativeError(error) ? error.message : 'it can’t be run';
}
